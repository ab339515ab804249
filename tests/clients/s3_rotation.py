"""The keys of buckets are rotated: old objects stay readable, data keys are put under the new key without their objects being
touched, whatever interrupts that, and old keys are destroyed in the end.
"""

import hashlib
import os
import random
import shutil
import subprocess

from checks import equal, true
from s3_gateway import ACCESS_KEY, SECRET_KEY, Gateway, Kmip, run_by_chance

MIB = 1 << 20
BUCKET = "rotated"
OBJECTS = 60
# As often a rewrapping is killed before one may end.
KILLED = 5


class Run:
    def __init__(self, checks, options, directory):
        self.checks = checks
        self.options = options
        self.kmip = Kmip(options.claviger, directory).start()
        self.kmip.audit()
        self.gateway = Gateway(options.gateway, directory, self.kmip)
        self.expected = {}
        self.zenko = self.kmip.path("zenko")
        os.mkdir(self.zenko)
        for name in ("ca", "cert", "key"):
            shutil.copy(os.path.join(self.kmip.path("client"), f"{name}.pem"), os.path.join(self.zenko, f"kmip-{name}.pem"))
        with open(os.path.join(self.zenko, "values.yaml"), "w") as file:
            file.write(f"kmip: {{enabled: true, port: {self.kmip.port}, hosts: [127.0.0.1], bucketAttributeName: x-bucket}}\n")
        self.random = random.Random(options.seed)

    def check(self, name):
        return self.checks.check(name)

    def command(self, *words):
        """The gateway's program, with its settings and a command. It finds the KMIP server as Zenko does."""
        values = os.path.join(self.zenko, "values.yaml")
        return [
            self.options.gateway, "--store", self.gateway.store, "--access-key", ACCESS_KEY, "--secret-key", SECRET_KEY,
            "--zenko", values, *words]

    def does(self, *words):
        done = subprocess.run(self.command(*words), capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def fill(self, name):
        """Objects, versions and an upload, in both forms."""
        for number in range(OBJECTS):
            body = self.random.randbytes(100 + number)
            version = self.s3.put_object(Bucket=BUCKET, Key=f"{name}/{number % (OBJECTS // 2)}", Body=body)
            self.expected[f"{name}/{number % (OBJECTS // 2)}", version["VersionId"]] = body
        upload = self.s3.create_multipart_upload(Bucket=BUCKET, Key=f"{name}/upload")["UploadId"]
        bodies, parts = [self.random.randbytes(5 * MIB), self.random.randbytes(1000)], []
        for number, body in enumerate(bodies, 1):
            part = self.s3.upload_part(
                Bucket=BUCKET, Key=f"{name}/upload", UploadId=upload, PartNumber=number, Body=body)
            parts.append({"PartNumber": number, "ETag": part["ETag"]})
        done = self.s3.complete_multipart_upload(
            Bucket=BUCKET, Key=f"{name}/upload", UploadId=upload, MultipartUpload={"Parts": parts})
        self.expected[f"{name}/upload", done["VersionId"]] = b"".join(bodies)

    def start(self, *more):
        self.gateway.start("--data-key-cache-seconds", "0", *more)
        self.s3 = self.gateway.client()

    def stop(self):
        equal(self.gateway.process.end(), 0, "exit code")

    def all_readable(self):
        for (key, version), body in self.expected.items():
            found = self.s3.get_object(Bucket=BUCKET, Key=key, VersionId=version)["Body"].read()
            true(found == body, f"{key} {version} is what was written")

    def key(self):
        """The key of new objects."""
        answer = self.s3.put_object(Bucket=BUCKET, Key="probe", Body=b"", ServerSideEncryption="aws:kms")
        self.s3.delete_object(Bucket=BUCKET, Key="probe", VersionId=answer["VersionId"])
        return answer["SSEKMSKeyId"]

    def blobs(self):
        found = {}
        for path in self.gateway.blobs():
            with open(path, "rb") as file:
                found[os.path.basename(path)] = hashlib.sha256(file.read()).hexdigest()
        return found

    def all(self):
        self.start()
        self.s3.create_bucket(Bucket=BUCKET)
        self.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        self.fill("segments")
        self.stop()
        self.start("--format", "scheme1")
        self.fill("scheme1")
        old = self.key()
        self.stop()
        self.rotates(old)
        new = self.rewraps(old)
        self.destroys(old, new)

    def rotates(self, old):
        with self.check("a rotation makes another key, for new objects"):
            said = self.does("rotate", BUCKET).strip()
            self.start()
            equal(self.key(), said, "the key of new objects")
            true(said != old, "it is another one")
        with self.check("what is under the old key stays readable"):
            self.all_readable()
        self.fill("after")
        self.open_upload = self.s3.create_multipart_upload(Bucket=BUCKET, Key="open")["UploadId"]
        self.stop()

    def rewraps(self, old):
        versions = 2 * (OBJECTS + 1)
        before = self.blobs()
        with self.check("a rewrapping without a KMIP server says so"):
            self.kmip.process.kill()
            done = subprocess.run(self.command("rewrap", BUCKET), capture_output=True, text=True, timeout=300)
            equal(done.returncode, 1, "exit code")
            true("Traceback" not in done.stderr and "panicked" not in done.stderr, done.stderr)
            self.kmip.start()
        with self.check("killed at any moment, it goes on"):
            for round_ in range(KILLED):
                process = subprocess.Popen(
                    self.command("rewrap", BUCKET), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                try:
                    process.wait(0.3 + self.random.random() * (round_ + 1) / 2)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            self.does("rewrap", BUCKET)
            said = self.does("rewrap", BUCKET)
            true(said.startswith("0 of "), f"nothing is left: {said}")
        with self.check("no byte of an object changed"):
            true(self.blobs() == before, "the files are what they were")
        with self.check("it asked for one Decrypt and one Encrypt for each data key, and no more"):
            counts = self.kmip.operations()
            # Two parts of one object have data keys of their own in Zenko's form; those that a kill lost were asked twice.
            true(counts["Decrypt"] >= versions, str(counts))
        with self.check("everything is readable"):
            self.start()
            self.all_readable()
            new = self.key()
            self.stop()
        return new

    def destroys(self, old, new):
        with self.check("the old key is destroyed when nothing is under it"):
            said = self.does("rewrap", "--destroy", BUCKET)
            true(f"{old} destroyed" in said, said)
            equal(self.kmip.operations().get("Destroy"), 1, "Destroy")
        with self.check("and everything is readable without it"):
            self.start()
            self.all_readable()
            equal(self.key(), new, "the key")
            self.stop()
        with self.check("a key that an upload needs is not destroyed"):
            self.does("rotate", BUCKET)
            said = self.does("rewrap", "--destroy", BUCKET)
            true("1 uploads are under an old key" in said, said)
            equal(self.kmip.operations().get("Destroy"), 1, "Destroy")
            self.start()
            self.s3.abort_multipart_upload(Bucket=BUCKET, Key="open", UploadId=self.open_upload)
            self.stop()
            said = self.does("rewrap", "--destroy", BUCKET)
            true(f"{new} destroyed" in said, said)
        with self.check("the bucket takes all its keys along"):
            self.does("rotate", BUCKET)
            self.start()
            for key, version in self.expected:
                self.s3.delete_object(Bucket=BUCKET, Key=key, VersionId=version)
            self.s3.delete_bucket(Bucket=BUCKET)
            self.stop()
            equal(self.kmip.operations().get("Destroy"), 4, "Destroy")
            equal(self.kmip.operations().get("Create"), 4, "Create")
        with self.check("what is no bucket, or has no key, is refused"):
            for words in (["rotate", "nowhere"], ["rewrap", "nowhere"]):
                done = subprocess.run(self.command(*words), capture_output=True, text=True, timeout=300)
                equal(done.returncode, 1, "exit code")
                true("no such bucket" in done.stderr, done.stderr)


if __name__ == "__main__":
    run_by_chance(__doc__, Run)
