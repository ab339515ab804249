"""The S3 gateway when something goes wrong: a damaged store, a KMIP server that is away, a gateway that is killed; and how
often it asks the KMIP server.
"""

import argparse
import concurrent.futures
import hashlib
import http.client
import os
import random
import sqlite3
import subprocess
import tempfile
import threading
import time

from botocore.exceptions import BotoCoreError, ClientError

from checks import Checks, equal, true
from s3_gateway import SEGMENT, Gateway, Kmip, Moto, damaged, wait_until

MIB = 1 << 20
BUCKET = "faults"
# Of what is not encrypted unless that is asked.
PLAIN = "faults-plain"


def content(size, seed=0):
    return random.Random(seed * 1_000_003 + size).randbytes(size)


def error_of(call, *args, **kwargs):
    """S3's code and the status of the refusal."""
    try:
        call(*args, **kwargs)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"], str(error)
    raise AssertionError("it was not refused")


class Run:
    def __init__(self, checks, options, directory):
        self.checks = checks
        self.options = options
        self.kmip = Kmip(options.claviger, directory).start()
        self.kmip.audit()
        self.moto = Moto(directory) if options.upstream else None
        self.store = self.moto.endpoint if self.moto else None
        self.control = os.path.join(directory, "control.sock")
        self.gateway = Gateway(options.gateway, directory, self.kmip, ["--control", self.control], self.store)

    def check(self, name):
        return self.checks.check(name)

    def all(self):
        self.gateway.start()
        self.s3 = self.gateway.client()
        self.s3.create_bucket(Bucket=BUCKET)
        for part in self.options.parts:
            getattr(self, part)()

    def put(self, key, body, **kwargs):
        return self.s3.put_object(Bucket=BUCKET, Key=key, Body=body, **kwargs)

    def get(self, key, **kwargs):
        return self.s3.get_object(Bucket=BUCKET, Key=key, **kwargs)["Body"].read()

    # ---- a damaged store

    def damage(self):
        body = content(5 * 65536 + 1000)
        before = set(self.gateway.blobs())
        self.put("damaged", body)
        [blob] = set(self.gateway.blobs()) - before
        with open(blob, "rb") as file:
            stored = file.read()
        equal(len(stored), len(body) + 6 * 16, "stored bytes")
        true(body[:64] not in stored and body[-64:] not in stored, "nothing is in the clear")

        def attempt(name, changed):
            with self.check(f"no wrong byte leaves: {name}"):
                with open(blob, "wb") as file:
                    file.write(changed)
                self.gateway.refuses(BUCKET, "damaged", body)

        for name, changed in damaged(stored, 20):
            attempt(name, changed)
        with self.check("a range that needs no damaged segment is read"):
            with open(blob, "wb") as file:
                file.write(stored[:SEGMENT] + b"x" * SEGMENT + stored[2 * SEGMENT:])
            equal(self.get("damaged", Range="bytes=0-65535"), body[:65536])
            equal(self.get("damaged", Range=f"bytes={2 * 65536}-"), body[2 * 65536:])
            code = error_of(self.get, "damaged", Range="bytes=65536-65540")
            equal(code[:2], ("InternalError", 500))
        with self.check("a whole store is read again"):
            with open(blob, "wb") as file:
                file.write(stored)
            true(self.get("damaged") == body, "content")
        self.descriptions(blob, stored)

    def descriptions(self, blob, stored):
        """What is beside the bytes is sealed too."""
        self.put("other", content(5 * 65536 + 1000, 1))
        upload = self.s3.create_multipart_upload(Bucket=BUCKET, Key="parts")["UploadId"]
        bodies = [content(5 * MIB, 2), content(5 * MIB, 3)]
        parts = []
        for number, body in enumerate(bodies, 1):
            done = self.s3.upload_part(Bucket=BUCKET, Key="parts", UploadId=upload, PartNumber=number, Body=body)
            parts.append({"PartNumber": number, "ETag": done["ETag"]})
        self.s3.complete_multipart_upload(Bucket=BUCKET, Key="parts", UploadId=upload, MultipartUpload={"Parts": parts})
        self.gateway.process.end()
        database = sqlite3.connect(os.path.join(self.gateway.store, "claviger.db"))
        rows = dict(database.execute("SELECT key, value FROM record WHERE substr(key, 1, 1) = CAST('O' AS BLOB)"))
        by_key = {key[9:]: key for key in rows}

        def swap_parts(value):
            text = value.decode()
            first, second = text.index('{"number":1'), text.index('{"number":2')
            end = text.rindex("}]") + 1
            one, two = text[first:second - 1], text[second:end]
            return (text[:first] + two + "," + one + text[end:]).encode()

        def blobs_swapped(value):
            text = value.decode()
            names = [text[at + 8:at + 40] for at in range(len(text)) if text.startswith('"blob":"', at)]
            return text.replace(names[0], "~").replace(names[1], names[0]).replace("~", names[1]).encode()

        cases = [
            ("damaged", "the type", lambda value: value.replace(b"binary/octet-stream", b"text/html-or-octets")),
            ("damaged", "the size", lambda value: value.replace(b'\\"size\\":328680', b'\\"size\\":328679')),
            ("damaged", "another object's description", lambda value: rows[by_key[b"other"]]),
            ("damaged", "that it is encrypted", lambda value: value.replace(b"encryption", b"encryptiom")),
            ("damaged", "the seal", lambda value: value.replace(b'"seal":"', b'"seal":"AAAA')),
            ("parts", "the order of parts", swap_parts),
            ("parts", "the files of parts", blobs_swapped),
            ("parts", "a part", lambda value: value[:value.index(b',{"number":2')] + value[value.rindex(b"}]") + 1:]),
        ]
        bodies = {"damaged": content(5 * 65536 + 1000), "parts": b"".join(bodies)}
        for key, name, change in cases:
            with self.check(f"no wrong byte leaves: changed is {name}"):
                place = by_key[key.encode()]
                changed = change(rows[place])
                true(changed != rows[place], "the change changes nothing")
                database.execute("UPDATE record SET value = ? WHERE key = ?", (changed, place))
                database.commit()
                self.gateway.start()
                self.gateway.refuses(BUCKET, key, bodies[key])
                self.gateway.process.end()
                database.execute("UPDATE record SET value = ? WHERE key = ?", (rows[place], place))
                database.commit()
        database.close()
        self.gateway.start()
        with self.check("with everything as it was it is read"):
            for key, body in bodies.items():
                true(self.get(key) == body, key)

    # ---- a KMIP server that is away

    def outage(self):
        plain = Gateway(self.options.gateway, tempfile.mkdtemp(dir=self.gateway.directory), self.kmip,
                        ["--encrypt", "asked"], self.store).start()
        client = plain.client()
        client.create_bucket(Bucket=PLAIN)
        client.put_object(Bucket=PLAIN, Key="plain", Body=b"plain")
        client.put_object(Bucket=PLAIN, Key="sealed", Body=b"sealed", ServerSideEncryption="AES256")
        self.put("cold", b"cold")
        destroyed = lambda: self.kmip.operations().get("Destroy", 0)
        before = destroyed()
        self.gateway.process.end()
        self.gateway.start()
        self.put("warm", b"warm")
        true(self.get("warm") == b"warm", "content")
        address = str(self.kmip.port)
        self.kmip.process.kill()
        with self.check("without its server, what needs a key is 503 and names no address"):
            for call in [lambda: self.put("new", b"x"), lambda: self.get("cold"),
                         lambda: self.s3.create_bucket(Bucket="faults-new")]:
                code, status, text = error_of(call)
                equal((code, status), ("ServiceUnavailable", 503))
                true(address not in text and "127.0.0.1" not in text, text)
            code = error_of(self.s3.head_object, Bucket=BUCKET, Key="new")
            equal(code[1], 404)
        with self.check("what needs none goes on"):
            equal(self.get("warm"), b"warm")
            equal(self.s3.head_object(Bucket=BUCKET, Key="cold")["ContentLength"], 4)
            self.s3.list_objects_v2(Bucket=BUCKET)
            client.put_object(Bucket=PLAIN, Key="plain", Body=b"again")
            equal(client.get_object(Bucket=PLAIN, Key="plain")["Body"].read(), b"again")
            client.delete_object(Bucket=PLAIN, Key="plain")
            self.s3.delete_object(Bucket=BUCKET, Key="warm")
        with self.check("a bucket is deleted, and its key later"):
            client.delete_object(Bucket=PLAIN, Key="sealed")
            client.delete_bucket(Bucket=PLAIN)
        self.kmip.start()
        with self.check("its server is back, and so is everything"):
            def back():
                try:
                    return self.get("cold") == b"cold"
                except ClientError:
                    return False

            wait_until(back, "the object is read", 60)
            self.put("new", b"new")
            equal(self.get("new"), b"new")
        with self.check("the key of the deleted bucket is destroyed then"):
            wait_until(lambda: destroyed() == before + 1, "a Destroy", 60)
        plain.process.end()

    # ---- killed

    def killed(self):
        names = ["put", "parts", "copy"]
        bodies = {name: [content(3 * MIB + at, 30 + at) for at in range(2)] for name in names}
        bodies["parts"] = [content(6 * MIB + at, 40 + at) for at in range(2)]
        sources = bodies["copy"]
        for at, body in enumerate(sources):
            self.put(f"source-{at}", body)
        for name in names:
            self.put(name, bodies[name][0])
        digests = {name: {hashlib.md5(body).hexdigest() for body in bodies[name]} for name in names}
        chance = random.Random(self.options.seed)
        print(f"seed {self.options.seed}", flush=True)
        with self.check(f"killed {self.options.rounds} times, an object is the old one or the new one"):
            for round_ in range(self.options.rounds):
                self.round(chance, round_, bodies, digests)
        with self.check("what the kills left under old keys is rewrapped"):
            for words in [["rotate", BUCKET], ["rewrap", BUCKET]]:
                asked = self.command(*words)
                equal(asked.returncode, 0, asked.stderr)
            self.old_or_new(digests, "at the end")
        if self.moto is None:
            self.no_leftover()

    def command(self, *words):
        """A command of the gateway that runs, if one does."""
        return subprocess.run([self.options.gateway, "--store", self.gateway.store, *self.gateway.arguments, *words],
                              capture_output=True, text=True, timeout=120)

    def old_or_new(self, digests, when):
        for name in digests:
            body = self.s3.get_object(Bucket=BUCKET, Key=name)["Body"].read()
            # Of parts, the entity tag is no digest of the content.
            digest = hashlib.md5(body).hexdigest()
            true(digest in digests[name], f"{when}: {name} is neither the old object nor the new one")

    def no_leftover(self):
        with self.check("nothing is left over"):
            wait_until(lambda: self.leftover() == 0, "only files of objects are there", 60)

    def round(self, chance, round_, bodies, digests):
        stop = threading.Event()

        def work(action):
            client = self.gateway.client()
            at = 0
            while not stop.is_set():
                at += 1
                try:
                    action(client, at % 2)
                except (ClientError, BotoCoreError):
                    pass

        def put(client, which):
            client.put_object(Bucket=BUCKET, Key="put", Body=bodies["put"][which])

        def copy(client, which):
            client.copy_object(Bucket=BUCKET, Key="copy", CopySource={"Bucket": BUCKET, "Key": f"source-{which}"})

        def upload(client, which):
            body = bodies["parts"][which]
            upload_id = client.create_multipart_upload(Bucket=BUCKET, Key="parts")["UploadId"]
            parts = []
            for number, piece in enumerate([body[:5 * MIB], body[5 * MIB:]], 1):
                answer = client.upload_part(Bucket=BUCKET, Key="parts", UploadId=upload_id, PartNumber=number, Body=piece)
                parts.append({"PartNumber": number, "ETag": answer["ETag"]})
            client.complete_multipart_upload(Bucket=BUCKET, Key="parts", UploadId=upload_id,
                                             MultipartUpload={"Parts": parts})

        def rewrap(client, which):
            for words in [["rotate", BUCKET], ["rewrap", BUCKET, "--destroy"]]:
                asked = self.command(*words)
                # The gateway was killed, or moto was asked for two things at once and says 500.
                known = ["call again", "cannot be asked", "none is named", "the store does not answer"]
                true(asked.returncode == 0 or (asked.returncode == 1 and any(said in asked.stderr for said in known)),
                     asked.stderr)

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            workers = [pool.submit(work, action) for action in [put, copy, upload, rewrap]]
            time.sleep(chance.uniform(0.02, 0.8))
            stop.set()
            self.gateway.process.kill()
        for worker in workers:
            worker.result()
        self.gateway.start()
        self.old_or_new(digests, f"round {round_}")

    def leftover(self):
        """Files that no object and no part of an upload has."""
        for upload in self.s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []):
            self.s3.abort_multipart_upload(Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"])
        database = sqlite3.connect(f"file:{self.gateway.store}/claviger.db?mode=ro", uri=True)
        live = {key[1:].decode() for [key] in database.execute(
            "SELECT key FROM record WHERE substr(key, 1, 1) = CAST('D' AS BLOB)")}
        database.close()
        return len([blob for blob in self.gateway.blobs() if os.path.basename(blob) not in live])

    # ---- how often the KMIP server is asked

    def counts(self):
        self.gateway.process.end()
        self.gateway.start()

        def asked(call, expected, name):
            with self.check(f"asked of the KMIP server: {name}"):
                before = self.kmip.operations()
                call()
                after = self.kmip.operations()
                found = {operation: count - before.get(operation, 0) for operation, count in after.items()}
                # What a new connection asks first.
                found = {operation: count for operation, count in found.items()
                         if count and operation not in ("DiscoverVersions", "Query")}
                for operation, count in found.items():
                    true(count <= expected.get(operation, 0), f"found {found}, at most {expected}")

        cold = lambda: (self.gateway.process.end(), self.gateway.start())
        s3 = self.s3
        asked(lambda: s3.create_bucket(Bucket="counted"), {"Create": 1, "Activate": 1}, "CreateBucket")
        asked(lambda: s3.put_object(Bucket="counted", Key="a", Body=b""), {"Encrypt": 1}, "PUT")
        asked(lambda: s3.put_object(Bucket="counted", Key="b", Body=content(3 * MIB)), {"Encrypt": 1}, "PUT of 3 MiB")
        asked(lambda: s3.get_object(Bucket="counted", Key="b")["Body"].read(), {}, "GET of what was just written")
        cold()
        asked(lambda: s3.get_object(Bucket="counted", Key="b")["Body"].read(), {"Decrypt": 1}, "a cold GET")
        asked(lambda: s3.get_object(Bucket="counted", Key="b", Range="bytes=5-9")["Body"].read(), {}, "then a range")
        asked(lambda: s3.head_object(Bucket="counted", Key="a"), {}, "HEAD")
        asked(lambda: s3.copy_object(Bucket="counted", Key="c", CopySource={"Bucket": "counted", "Key": "a"}),
              {"Encrypt": 1, "Decrypt": 1}, "COPY")

        def upload():
            upload_id = s3.create_multipart_upload(Bucket="counted", Key="m")["UploadId"]
            parts = []
            for number in range(1, 4):
                done = s3.upload_part(Bucket="counted", Key="m", UploadId=upload_id, PartNumber=number,
                                      Body=content(5 * MIB, number))
                parts.append({"PartNumber": number, "ETag": done["ETag"]})
            s3.complete_multipart_upload(Bucket="counted", Key="m", UploadId=upload_id, MultipartUpload={"Parts": parts})

        asked(upload, {"Encrypt": 3}, "an upload in 3 parts")
        cold()
        asked(lambda: s3.get_object(Bucket="counted", Key="m")["Body"].read(), {"Decrypt": 3}, "a cold GET of 3 parts")
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
        asked(lambda: s3.put_bucket_encryption(Bucket="counted", ServerSideEncryptionConfiguration={"Rules": [rule]}),
              {}, "PutBucketEncryption")
        asked(lambda: s3.delete_bucket_encryption(Bucket="counted"), {}, "DeleteBucketEncryption")
        asked(lambda: s3.put_object_tagging(Bucket="counted", Key="a", Tagging={"TagSet": []}), {}, "PutObjectTagging")
        # What a gateway asks that remembers nothing of what is read.
        self.gateway.process.end()
        self.gateway.start("--data-key-cache-seconds", "0")
        asked(upload, {"Encrypt": 3}, "an upload in 3 parts, and nothing is remembered")
        asked(lambda: s3.get_object(Bucket="counted", Key="m")["Body"].read(), {"Decrypt": 3}, "its GET")
        asked(lambda: s3.put_object(Bucket="counted", Key="a", Body=b""), {"Encrypt": 1}, "a PUT")
        asked(lambda: s3.copy_object(Bucket="counted", Key="c", CopySource={"Bucket": "counted", "Key": "a"}),
              {"Encrypt": 1, "Decrypt": 1}, "a COPY")
        upload_id = s3.create_multipart_upload(Bucket="counted", Key="n")["UploadId"]
        part = lambda number, size: {"PartNumber": number, "ETag": s3.upload_part(
            Bucket="counted", Key="n", UploadId=upload_id, PartNumber=number, Body=content(size, number))["ETag"]}
        parts = []
        asked(lambda: parts.append(part(1, 5 * MIB)), {}, "UploadPart")
        source = {"Bucket": "counted", "Key": "m"}
        asked(lambda: s3.upload_part_copy(
            Bucket="counted", Key="n", UploadId=upload_id, PartNumber=9, CopySource=source, CopySourceRange="bytes=0-9"),
            {"Decrypt": 1}, "UploadPartCopy")
        self.gateway.process.end()
        self.gateway.start("--data-key-cache-seconds", "0")
        asked(lambda: parts.append(part(2, 10)), {"Decrypt": 1}, "UploadPart of an upload that began before the gateway")
        asked(lambda: parts.append(part(3, 10)), {}, "the next one")
        asked(lambda: s3.complete_multipart_upload(
            Bucket="counted", Key="n", UploadId=upload_id, MultipartUpload={"Parts": [parts[0], parts[1]]}),
            {}, "CompleteMultipartUpload")
        with self.check("what it made of them is whole"):
            true(s3.get_object(Bucket="counted", Key="n")["Body"].read() == content(5 * MIB, 1) + content(10, 2), "content")
        for key in "abcmn":
            asked(lambda key=key: s3.delete_object(Bucket="counted", Key=key), {}, "DELETE")
        asked(lambda: s3.delete_bucket(Bucket="counted"), {"Revoke": 1, "Destroy": 1}, "DeleteBucket")
        with self.check("what is counted was there to be counted"):
            counted = self.kmip.operations()
            for operation in ["Create", "Activate", "Encrypt", "Decrypt", "Revoke", "Destroy"]:
                true(counted.get(operation, 0) > 0, f"{operation}: {counted}")

    # ---- interrupted

    def interrupted(self):
        with self.check("uploads that end early store nothing"):
            self.put("kept", b"kept")
            before = len(self.gateway.blobs())
            for _ in range(5):
                url = self.gateway.client(signature_version="s3v4").generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": "kept"})
                connection = http.client.HTTPConnection("127.0.0.1", self.gateway.port, timeout=60)
                connection.putrequest("PUT", url.removeprefix(self.gateway.endpoint))
                connection.putheader("Content-Length", str(3 * MIB))
                connection.endheaders()
                connection.send(content(MIB))
                connection.close()
            wait_until(lambda: len(self.gateway.blobs()) == before, "nothing is left of them")
            equal(self.get("kept"), b"kept")
            true(self.gateway.process.alive(), "the gateway runs")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gateway", required=True, help="the binary claviger-s3")
    parser.add_argument("--claviger", required=True, help="the binary claviger")
    parser.add_argument("--upstream", action="store_true", help="the gateway is before another store, moto")
    parser.add_argument("--rounds", type=int, default=50, help="how often the gateway is killed")
    parser.add_argument("--seed", type=int, default=time.time_ns() & 0xffffffff)
    parser.add_argument("--all", action="store_true", help="go on after a failed check")
    parser.add_argument("parts", nargs="+", choices=["damage", "outage", "killed", "counts", "interrupted"])
    options = parser.parse_args()
    checks = Checks(options.all)
    with tempfile.TemporaryDirectory() as directory:
        run = Run(checks, options, directory)
        try:
            run.all()
        finally:
            for process in [run.gateway.process, run.kmip.process]:
                if process is not None and process.alive():
                    process.kill()
        checks.finish()


if __name__ == "__main__":
    main()
