"""The `aws` command against the S3 gateway: what people type."""

import argparse
import json
import os
import random
import subprocess
import sys

from checks import Checks, equal, true

MIB = 1 << 20


class Run:
    def __init__(self, checks, options):
        self.checks = checks
        self.options = options
        self.aws_command = os.path.join(os.path.dirname(sys.executable), "aws")
        self.environment = {
            **os.environ, "AWS_ACCESS_KEY_ID": options.access_key, "AWS_SECRET_ACCESS_KEY": options.secret_key,
            "AWS_DEFAULT_REGION": "us-east-1", "AWS_CONFIG_FILE": os.devnull, "AWS_MAX_ATTEMPTS": "1", "AWS_PAGER": "",
        }

    def aws(self, *arguments, ok=True):
        command = [sys.executable, self.aws_command, "--endpoint-url", self.options.endpoint, *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=300)
        if ok != (done.returncode == 0):
            raise AssertionError(f"aws {' '.join(arguments)} {done.returncode}: {done.stdout} {done.stderr}")
        return done.stdout if ok else done.stderr

    def path(self, *names):
        return os.path.join(self.options.scratch, *names)

    def write(self, name, body):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as file:
            file.write(body)
        return self.path(name)

    def same(self, one, other):
        with open(one, "rb") as left, open(other, "rb") as right:
            true(left.read() == right.read(), f"{one} and {other}")

    def all(self):
        check = self.checks.check
        sizes = {"one": 1, "small": 70_000, "sub/large ü": 20 * MIB + 5}
        files = {name: self.write(f"from/{name}", random.Random(size).randbytes(size)) for name, size in sizes.items()}
        with check("mb, cp there, ls, cp back"):
            self.aws("s3", "mb", "s3://command")
            for name, path in files.items():
                self.aws("s3", "cp", path, f"s3://command/{name}")
                self.aws("s3", "cp", f"s3://command/{name}", self.path("back"))
                self.same(path, self.path("back"))
            listed = self.aws("s3", "ls", "--recursive", "s3://command")
            true(all(name in listed for name in files), listed)
            true("PRE sub/" in self.aws("s3", "ls", "s3://command"), "prefix")
        with check("sync there and back"):
            self.aws("s3", "sync", self.path("from"), "s3://command/sync")
            self.aws("s3", "sync", "s3://command/sync", self.path("to"))
            for name in files:
                self.same(self.path("from", name), self.path("to", name))
            equal(self.aws("s3", "sync", self.path("from"), "s3://command/sync"), "")
        with check("a copy and a move within the server"):
            self.aws("s3", "cp", "s3://command/sub/large ü", "s3://command/copy")
            self.aws("s3", "mv", "s3://command/copy", "s3://command/moved")
            self.aws("s3", "cp", "s3://command/moved", self.path("back"))
            self.same(files["sub/large ü"], self.path("back"))
        with check("encryption of a bucket and an object"):
            rules = '{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"aws:kms"}}]}'
            self.aws("s3api", "put-bucket-encryption", "--bucket", "command", "--server-side-encryption-configuration", rules)
            found = json.loads(self.aws("s3api", "get-bucket-encryption", "--bucket", "command"))
            rule = found["ServerSideEncryptionConfiguration"]["Rules"][0]["ApplyServerSideEncryptionByDefault"]
            equal(rule["SSEAlgorithm"], "aws:kms")
            self.aws("s3", "cp", files["one"], "s3://command/kms")
            found = json.loads(self.aws("s3api", "head-object", "--bucket", "command", "--key", "kms"))
            true(found["ServerSideEncryption"] == "aws:kms" and found["SSEKMSKeyId"], found)
            self.aws("s3", "cp", "--sse", "AES256", files["one"], "s3://command/aes")
            found = json.loads(self.aws("s3api", "head-object", "--bucket", "command", "--key", "aes"))
            equal(found["ServerSideEncryption"], "AES256")
        with check("versions"):
            self.aws("s3api", "put-bucket-versioning", "--bucket", "command", "--versioning-configuration", "Status=Enabled")
            put = json.loads(self.aws("s3api", "put-object", "--bucket", "command", "--key", "v", "--body", files["one"]))
            self.aws("s3api", "put-object", "--bucket", "command", "--key", "v", "--body", files["small"])
            self.aws("s3api", "get-object", "--bucket", "command", "--key", "v", "--version-id", put["VersionId"], self.path("back"))
            self.same(files["one"], self.path("back"))
        with check("what is refused is said"):
            error = self.aws("s3api", "get-object", "--bucket", "command", "--key", "absent", self.path("back"), ok=False)
            true("NoSuchKey" in error, error)
            true("BucketNotEmpty" in self.aws("s3", "rb", "s3://command", ok=False), "bucket")
        with check("rm and rb"):
            self.aws("s3", "rm", "--recursive", "s3://command")
            found = json.loads(self.aws("s3api", "list-object-versions", "--bucket", "command"))
            for kind in ["Versions", "DeleteMarkers"]:
                names = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found[kind]]
                self.aws("s3api", "delete-objects", "--bucket", "command", "--delete", json.dumps({"Objects": names, "Quiet": True}))
            self.aws("s3", "rb", "s3://command")
            equal(self.aws("s3", "ls"), "")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True, help="http://HOST:PORT of the gateway")
    parser.add_argument("--access-key", required=True)
    parser.add_argument("--secret-key", required=True)
    parser.add_argument("--scratch", required=True, help="directory for files of the test")
    parser.add_argument("--upstream", choices=["moto"], help="what the gateway stands before, if it is no directory")
    parser.add_argument("--all", action="store_true", help="go on after a failed check")
    options = parser.parse_args()
    checks = Checks(options.all)
    Run(checks, options).all()
    checks.finish()


if __name__ == "__main__":
    main()
