"""The S3 gateway before another S3 store: what is there, what was there before, what is changed there behind its back, and a
store that is away.
"""

import argparse
import hashlib
import http.client
import json
import os
import random
import socket
import subprocess
import tempfile
import threading

from botocore.exceptions import ClientError

from checks import Checks, equal, true
from s3_gateway import ACCESS_KEY, SECRET_KEY, Gateway, Kmip, Moto, damaged, wait_until

MIB = 1 << 20
BUCKET = "upstream"
RECORD = "claviger-record"
# No content of the tests is without it.
MARK = b"this is in the clear. "


def content(size, seed=0):
    body = random.Random(seed * 1_000_003 + size).randbytes(max(0, size - len(MARK)))
    return (MARK + body)[:size]


def error_of(call, *args, **kwargs):
    """S3's code, the status and the text of the refusal."""
    try:
        call(*args, **kwargs)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"], str(error)
    raise AssertionError("it was not refused")


class Wire:
    """A way to the store that can be cut."""

    def __init__(self, endpoint):
        host, port = endpoint.removeprefix("http://").split(":")
        self.target = host, int(port)
        self.ends = []
        self.listener = None
        self.port = 0
        self.mend()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def mend(self):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(128)
        self.port = listener.getsockname()[1]
        self.listener = listener
        threading.Thread(target=self.accept, args=(listener,), daemon=True).start()

    def accept(self, listener):
        while True:
            try:
                near, _ = listener.accept()
                far = socket.create_connection(self.target)
            except OSError:
                return
            self.ends += [near, far]
            for source, sink in [(near, far), (far, near)]:
                threading.Thread(target=self.carry, args=(source, sink), daemon=True).start()

    def carry(self, source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def cut(self):
        # A listener that is only closed goes on accepting for whoever waits in it.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for end in self.ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.ends = []


class Run:
    def __init__(self, checks, options, directory):
        self.checks = checks
        self.options = options
        self.directory = directory
        self.kmip = Kmip(options.claviger, directory).start()
        self.moto = Moto(directory)
        self.there = self.moto.client()
        self.wire = Wire(self.moto.endpoint)
        self.gateway = Gateway(options.gateway, directory, self.kmip, store=self.wire.endpoint).start()
        self.s3 = self.gateway.client()

    def check(self, name):
        return self.checks.check(name)

    def all(self):
        self.s3.create_bucket(Bucket=BUCKET)
        self.stored()
        self.before()
        self.reserved()
        self.damage()
        self.records()
        self.interrupted()
        self.outage()
        self.keys()
        self.two()
        self.left()

    def put(self, key, body, **kwargs):
        return self.s3.put_object(Bucket=BUCKET, Key=key, Body=body, **kwargs)

    def get(self, key, bucket=BUCKET, **kwargs):
        return self.s3.get_object(Bucket=bucket, Key=key, **kwargs)["Body"].read()

    def parts(self, key, bodies):
        upload = self.s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
        parts = []
        for number, body in enumerate(bodies, 1):
            done = self.s3.upload_part(Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=number, Body=body)
            parts.append({"PartNumber": number, "ETag": done["ETag"]})
        self.s3.complete_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload, MultipartUpload={"Parts": parts})

    def names(self, prefix="", bucket=BUCKET):
        pages = self.there.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def raw(self, key):
        found = self.there.get_object(Bucket=BUCKET, Key=key)
        return found["Body"].read(), found["Metadata"]

    # ---- what is there

    def stored(self):
        sizes = [0, 1, 65536, 65537, 3 * MIB + 5]
        with self.check("an object is one object there, of segments"):
            for size in sizes:
                self.put(f"size/{size}", content(size))
                stored, metadata = self.raw(f"size/{size}")
                equal(len(stored), size + 16 * max(1, -(-size // 65536)), "stored bytes")
                equal(list(metadata), [RECORD])
            bodies = [content(5 * MIB + 1, 1), content(70_000, 2)]
            self.parts("parts", bodies)
            equal(len(self.raw("parts")[0]), sum(map(len, bodies)) + 16 * (81 + 2), "stored bytes")
            true(self.get("parts") == b"".join(bodies), "content")
            self.s3.copy_object(Bucket=BUCKET, Key="copy", CopySource={"Bucket": BUCKET, "Key": "size/65537"})
        with self.check("nothing that is there is in the clear"):
            clear = [key for key in self.names() if MARK[:8] in self.raw(key)[0]]
            equal(clear, [])
        with self.check("a listing says of every object what HEAD says"):
            listed = self.s3.list_objects_v2(Bucket=BUCKET)["Contents"]
            equal([found["Key"] for found in listed], sorted([f"size/{size}" for size in sizes] + ["parts", "copy"]))
            for found in listed:
                head = self.s3.head_object(Bucket=BUCKET, Key=found["Key"])
                equal((found["Size"], found["ETag"]), (head["ContentLength"], head["ETag"]), found["Key"])
        with self.check("a gateway that knows nothing yet lists the same"):
            listed = self.s3.list_objects_v2(Bucket=BUCKET)["Contents"]
            self.gateway.process.end()
            self.gateway.start()
            again = self.s3.list_objects_v2(Bucket=BUCKET)["Contents"]
            plain = [{name: found[name] for name in ["Key", "Size", "ETag"]} for found in listed]
            equal([{name: found[name] for name in ["Key", "Size", "ETag"]} for found in again], plain)
        with self.check("large transfers take little memory"):
            body = content(48 * MIB)
            self.put("size/large", body)
            true(self.get("size/large") == body, "content")
            self.s3.delete_object(Bucket=BUCKET, Key="size/large")
            true(self.gateway.process.memory() < 65 * MIB, f"{self.gateway.process.memory()} bytes")
        with self.check("what is replaced or deleted leaves no record behind"):
            records = len(self.names(".claviger/objects/"))
            self.put("record", b"1")
            self.put("record", b"2")
            self.parts("record", [b"3"])
            equal(len(self.names(".claviger/objects/")), records + 1)
            self.s3.delete_object(Bucket=BUCKET, Key="record")
            equal(len(self.names(".claviger/objects/")), records)
            equal(self.names(".claviger/uploads/"), [])

    # ---- what was there before

    def before(self):
        bucket = "before"
        body = content(200_000, 3)
        self.there.create_bucket(Bucket=bucket)
        self.there.put_object(Bucket=bucket, Key="plain ü", Body=body, ContentType="text/x", CacheControl="no-cache",
                              Metadata={"m": "1"}, Tagging="t=1")
        with self.check("what was there before is served as it is"):
            got = self.s3.get_object(Bucket=bucket, Key="plain ü")
            true(got["Body"].read() == body, "content")
            equal((got["ContentType"], got["CacheControl"], got["Metadata"]), ("text/x", "no-cache", {"m": "1"}))
            equal(got["ETag"], f'"{hashlib.md5(body).hexdigest()}"')
            true("ServerSideEncryption" not in got, "it is not encrypted")
            true(self.get("plain ü", bucket, Range="bytes=100-65999") == body[100:66000], "range")
            equal(self.s3.get_object_tagging(Bucket=bucket, Key="plain ü")["TagSet"], [{"Key": "t", "Value": "1"}])
            [listed] = self.s3.list_objects_v2(Bucket=bucket)["Contents"]
            equal((listed["Key"], listed["Size"], listed["ETag"]), ("plain ü", len(body), got["ETag"]))
        with self.check("its tags are changed where it is"):
            self.s3.put_object_tagging(Bucket=bucket, Key="plain ü", Tagging={"TagSet": [{"Key": "a b", "Value": "ü=1"}]})
            equal(self.there.get_object_tagging(Bucket=bucket, Key="plain ü")["TagSet"], [{"Key": "a b", "Value": "ü=1"}])
        with self.check("what is new beside it is encrypted"):
            self.s3.put_object(Bucket=bucket, Key="new", Body=body)
            true(MARK not in self.there.get_object(Bucket=bucket, Key="new")["Body"].read(), "in the clear")
            true(self.get("new", bucket) == body, "content")
        with self.check("a copy onto itself moves it in"):
            self.s3.copy_object(Bucket=bucket, Key="plain ü", CopySource={"Bucket": bucket, "Key": "plain ü"},
                                ServerSideEncryption="AES256")
            got = self.s3.get_object(Bucket=bucket, Key="plain ü")
            true(got["Body"].read() == body, "content")
            equal((got["ServerSideEncryption"], got["ContentType"], got["Metadata"]), ("AES256", "text/x", {"m": "1"}))
            true(MARK not in self.there.get_object(Bucket=bucket, Key="plain ü")["Body"].read(), "in the clear")
        with self.check("a copy onto itself undoes nothing that is written meanwhile"):
            for round_ in range(8):
                self.there.put_object(Bucket=bucket, Key="raced", Body=content(MIB, 12))
                copy = threading.Thread(target=self.move_in, args=(self.gateway.client(), bucket, "raced"))
                copy.start()
                new = content(1000, 100 + round_)
                threading.Event().wait(0.005 * round_)
                self.s3.put_object(Bucket=bucket, Key="raced", Body=new)
                copy.join()
                true(self.get("raced", bucket) == new, f"round {round_}")
        for key in ["plain ü", "new", "raced"]:
            self.s3.delete_object(Bucket=bucket, Key=key)
        with self.check("its bucket is deleted, and nothing stays"):
            self.s3.delete_bucket(Bucket=bucket)
            true(bucket not in [found["Name"] for found in self.there.list_buckets()["Buckets"]], "it is there")

    def move_in(self, client, bucket, key):
        client.copy_object(Bucket=bucket, Key=key, CopySource={"Bucket": bucket, "Key": key}, ServerSideEncryption="AES256")

    def reserved(self):
        record = self.names(".claviger/objects/")[0]
        with self.check("nobody sees or touches what is the gateway's own"):
            for prefix in ["", ".", ".claviger/", record]:
                for call, field in [(self.s3.list_objects_v2, "Contents"), (self.s3.list_objects, "Contents"),
                                    (self.s3.list_object_versions, "Versions")]:
                    found = call(Bucket=BUCKET, Prefix=prefix).get(field, [])
                    equal([one["Key"] for one in found if one["Key"].startswith(".claviger/")], [])
            prefixes = self.s3.list_objects_v2(Bucket=BUCKET, Delimiter="/").get("CommonPrefixes", [])
            equal([one["Prefix"] for one in prefixes], ["size/"])
            # A delimiter may be within its name, which then is no other key's, or one's before it, or one's behind it.
            for other in [None, ".clam", ".claw"]:
                if other:
                    self.put(other, b"x")
                for prefix, delimiter, common in [("", ".", "."), (".", "a", ".cla"), (".", "v", ".clav")]:
                    for call in [self.s3.list_objects_v2, self.s3.list_objects, self.s3.list_object_versions]:
                        # moto loses the first version behind a marker.
                        if other == ".claw" and call == self.s3.list_object_versions:
                            continue
                        found = call(Bucket=BUCKET, Prefix=prefix, Delimiter=delimiter).get("CommonPrefixes", [])
                        expected = [common] if other and other.startswith(common) else []
                        equal([one["Prefix"] for one in found], expected, f"{delimiter} with {other}")
                if other:
                    self.s3.delete_object(Bucket=BUCKET, Key=other)
            equal(error_of(self.get, record)[:2], ("NoSuchKey", 404))
            equal(error_of(self.put, record, b"x")[:2], ("InvalidArgument", 400))
            equal(error_of(self.s3.create_multipart_upload, Bucket=BUCKET, Key=record)[:2], ("InvalidArgument", 400))
            equal(error_of(self.s3.copy_object, Bucket=BUCKET, Key="stolen", CopySource={"Bucket": BUCKET, "Key": record})[0],
                  "NoSuchKey")
            self.s3.delete_object(Bucket=BUCKET, Key=record)
            true(record in self.names(), "it is there")

    # ---- what is changed behind its back

    def damage(self):
        body, other = content(5 * 65536 + 1000, 4), content(5 * 65536 + 1000, 5)
        self.put("damaged", body)
        self.put("other", other)
        stored, metadata = self.raw("damaged")
        stored_other, metadata_other = self.raw("other")

        def attempt(name, changed, described=metadata):
            with self.check(f"no wrong byte leaves: {name}"):
                self.there.put_object(Bucket=BUCKET, Key="damaged", Body=changed, Metadata=described)
                self.gateway.refuses(BUCKET, "damaged", body)

        for name, changed in damaged(stored, 10):
            attempt(name, changed)
        attempt("the bytes of another object", stored_other)
        attempt("another object, with all that belongs to it", stored_other, metadata_other)
        attempt("a record that is not there", stored, {RECORD: "0" * 32})
        attempt("a record that is none", stored, {RECORD: "../bucket"})
        attempt("no record, so that it would be plain", stored, {})
        attempt("something plain", b"plain", {})
        bodies = [content(5 * MIB, 6), content(5 * MIB, 7)]
        self.parts("swapped", bodies)
        with self.check("no wrong byte leaves: parts are swapped"):
            joined, described = self.raw("swapped")
            half = len(joined) // 2
            self.there.put_object(Bucket=BUCKET, Key="swapped", Body=joined[half:] + joined[:half], Metadata=described)
            self.gateway.refuses(BUCKET, "swapped", b"".join(bodies))
            self.there.put_object(Bucket=BUCKET, Key="swapped", Body=joined, Metadata=described)
            true(self.get("swapped") == b"".join(bodies), "content")
        with self.check("as it was it is read again"):
            self.there.put_object(Bucket=BUCKET, Key="damaged", Body=stored, Metadata=metadata)
            true(self.get("damaged") == body, "content")

    def records(self):
        body = content(5 * 65536 + 1000, 4)
        place = f".claviger/objects/{self.raw('damaged')[1][RECORD]}"
        text = self.raw(place)[0]
        other = self.raw(f".claviger/objects/{self.raw('other')[1][RECORD]}")[0]
        cases = [
            ("the type", text.replace(b"binary/octet-stream", b"text/html-or-octets")),
            ("the size", text.replace(b'\\"size\\":328680', b'\\"size\\":328679')),
            ("the size of its part", text.replace(b'"size":328680', b'"size":328679')),
            ("another object's record", other),
            ("that it is encrypted", text.replace(b"encryption", b"encryptiom")),
            ("the seal", text.replace(b'"seal":"', b'"seal":"AAAA')),
            ("the key that is wrapped", self.rewrapped(text, other)),
            ("all of it", b"{}"),
        ]
        for name, changed in cases:
            with self.check(f"no wrong byte leaves: changed is {name}"):
                true(changed != text, "the change changes nothing")
                self.there.put_object(Bucket=BUCKET, Key=place, Body=changed)
                self.gateway.refuses(BUCKET, "damaged", body)
        with self.check("with its record as it was it is read again"):
            self.there.put_object(Bucket=BUCKET, Key=place, Body=text)
            true(self.get("damaged") == body, "content")

    def rewrapped(self, text, other):
        record, another = json.loads(text), json.loads(other)
        record["object"]["wrapping"] = another["object"]["wrapping"]
        return json.dumps(record).encode()

    # ---- what ends too early

    def interrupted(self):
        body = content(300_000, 8)
        self.put("kept", body)
        before = sorted(self.names())

        def broken_off():
            url = self.gateway.client(signature_version="s3v4").generate_presigned_url(
                "put_object", Params={"Bucket": BUCKET, "Key": "kept"})
            connection = http.client.HTTPConnection("127.0.0.1", self.gateway.port, timeout=60)
            connection.putrequest("PUT", url.removeprefix(self.gateway.endpoint))
            connection.putheader("Content-Length", str(4 * MIB))
            connection.endheaders()
            connection.send(content(3 * MIB, 9))
            return connection

        with self.check("an upload that is broken off changes nothing"):
            broken_off().close()
            wait_until(lambda: sorted(self.names()) == before, "nothing is left")
            true(self.get("kept") == body, "content")
        with self.check("a checksum that is not the content's changes nothing"):
            code = error_of(self.put, "kept", content(3 * MIB, 10), ContentMD5="AAAAAAAAAAAAAAAAAAAAAA==")
            equal(code[:2], ("BadDigest", 400))
            true(self.get("kept") == body, "content")
            equal(sorted(self.names()), before)
        with self.check("a gateway that is killed leaves the old object or the new one"):
            new = content(MIB, 11)
            for round_ in range(8):
                client = self.gateway.client()
                writer = threading.Thread(target=self.attempt, args=(client, new))
                writer.start()
                threading.Event().wait(0.004 * round_)
                self.gateway.process.kill()
                writer.join()
                self.gateway.start()
                found = self.get("kept")
                true(found in (body, new), f"round {round_}: {len(found)} bytes")
            self.put("kept", body)

    def attempt(self, client, body):
        try:
            client.put_object(Bucket=BUCKET, Key="kept", Body=body)
        except Exception:  # the gateway is killed meanwhile
            pass

    # ---- a store that is away

    def outage(self):
        self.put("away", b"away")
        self.wire.cut()
        with self.check("without the store everything is 503 and names no address"):
            for call in [lambda: self.put("new", b"x"), lambda: self.get("away"), lambda: self.s3.list_buckets(),
                         lambda: self.s3.list_objects_v2(Bucket=BUCKET), lambda: self.s3.create_bucket(Bucket="away"),
                         lambda: self.s3.delete_object(Bucket=BUCKET, Key="away"),
                         lambda: self.put("large", content(3 * MIB))]:
                code, status, text = error_of(call)
                equal((code, status), ("ServiceUnavailable", 503))
                true(str(self.wire.port) not in text and "127.0.0.1" not in text, text)
        self.wire.mend()
        with self.check("the store is back, and so is everything"):
            equal(self.get("away"), b"away")
            self.put("new", b"new")
            equal(self.get("new"), b"new")

    # ---- keys

    def command(self, *words, code=0):
        done = subprocess.run(
            [self.options.gateway, "--store", self.wire.endpoint, *self.gateway.arguments, "--access-key", ACCESS_KEY,
             "--secret-key", SECRET_KEY, "--kmip-server", f"127.0.0.1:{self.kmip.port}", "--client",
             self.kmip.path("client"), *words], capture_output=True, text=True, timeout=120)
        equal(done.returncode, code, done.stderr)
        return done.stderr if code else done.stdout

    def keys(self):
        with self.check("keys are rotated and data keys rewrapped, and no object is touched"):
            def seen():
                pages = self.there.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
                found = [one for page in pages for one in page["Contents"]]
                return {one["Key"]: (one["ETag"], one["LastModified"]) for one in found if not one["Key"].startswith(".claviger/")}

            before = seen()
            self.gateway.process.end()
            new = self.command("rotate", BUCKET).strip()
            said = self.command("rewrap", BUCKET, "--destroy", code=2)
            true("--control" in said, said)
            done = self.command("--control", self.kmip.path("nobody"), "rewrap", BUCKET, "--destroy")
            true("destroyed" in done, done)
            equal(seen(), before)
            self.gateway.start()
            put = self.put("rotated", b"x", ServerSideEncryption="aws:kms")
            equal(put["SSEKMSKeyId"], new)
            for key in before:
                body = self.get(key)
                true(body.startswith(MARK[:len(body)]) or len(body) < 5, key)

    def two(self):
        with self.check("two gateways before one store find the same"):
            directory = tempfile.mkdtemp(dir=self.directory)
            other = Gateway(self.options.gateway, directory, self.kmip, store=self.moto.endpoint).start()
            client = other.client()
            client.put_object(Bucket=BUCKET, Key="two", Body=b"from the other")
            equal(self.get("two"), b"from the other")
            self.put("two", b"from this one")
            equal(client.get_object(Bucket=BUCKET, Key="two")["Body"].read(), b"from this one")
            won = [self.first(s3) for s3 in [client, self.s3]]
            equal(won, [True, False])
            other.process.end()

    def first(self, client):
        try:
            client.put_object(Bucket=BUCKET, Key="first", Body=b"x", IfNoneMatch="*")
        except ClientError as error:
            equal(error.response["Error"]["Code"], "PreconditionFailed")
            return False
        return True

    def left(self):
        with self.check("with its objects a bucket goes, and nothing stays"):
            for found in self.s3.list_objects_v2(Bucket=BUCKET)["Contents"]:
                self.s3.delete_object(Bucket=BUCKET, Key=found["Key"])
            upload = self.s3.create_multipart_upload(Bucket=BUCKET, Key="begun")["UploadId"]
            self.s3.upload_part(Bucket=BUCKET, Key="begun", UploadId=upload, PartNumber=1, Body=b"x")
            self.s3.delete_bucket(Bucket=BUCKET)
            equal(self.there.list_buckets()["Buckets"], [])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gateway", required=True, help="claviger-s3")
    parser.add_argument("--claviger", required=True, help="claviger")
    parser.add_argument("--all", action="store_true", help="go on after a failed check")
    options = parser.parse_args()
    checks = Checks(options.all)
    with tempfile.TemporaryDirectory() as directory:
        Run(checks, options, os.path.realpath(directory)).all()
    checks.finish()


if __name__ == "__main__":
    main()
