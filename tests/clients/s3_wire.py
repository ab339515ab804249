"""What no library sends to an S3 gateway: unsigned and wrongly signed requests, lies about lengths and chunks, broken HTTP and
XML. Each is refused with S3's error, stores nothing, and the gateway goes on.
"""

import argparse
import base64
import datetime
import hashlib
import hmac
import re
import socket
import tempfile
import zlib
from urllib.parse import quote

from checks import Checks, equal, true
from s3_gateway import ACCESS_KEY, SECRET_KEY, Gateway, Kmip

BUCKET = "wire"
MIB = 1 << 20
EMPTY = hashlib.sha256(b"").hexdigest()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Signer:
    """Signature version 4, by Amazon's documentation, with room for lies."""

    def __init__(self, time=None, access_key=ACCESS_KEY, secret_key=SECRET_KEY, region="us-east-1", service="s3"):
        now = time or datetime.datetime.now(datetime.timezone.utc)
        self.stamp, self.day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
        self.access_key = access_key
        self.scope = f"{self.day}/{region}/{service}/aws4_request"
        key = mac(("AWS4" + secret_key).encode(), self.day)
        for part in [region, service, "aws4_request"]:
            key = mac(key, part)
        self.key = key

    def headers(self, method, path, query, host, payload, headers):
        """All headers of the request; those that are given are signed."""
        headers = {"host": host, "x-amz-content-sha256": payload, **headers}
        if "date" not in headers:
            headers["x-amz-date"] = self.stamp
        names = sorted(headers)
        canonical = "\n".join([
            method, path, query, "".join(f"{name}:{headers[name].strip()}\n" for name in names), ";".join(names), payload])
        text = f"AWS4-HMAC-SHA256\n{self.stamp}\n{self.scope}\n{sha256(canonical.encode())}"
        self.signature = hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.access_key}/{self.scope}, SignedHeaders={';'.join(names)}, "
            f"Signature={self.signature}")
        return headers

    def chunk(self, data):
        """A signed chunk; each signature is made of the one before."""
        text = f"AWS4-HMAC-SHA256-PAYLOAD\n{self.stamp}\n{self.scope}\n{self.signature}\n{EMPTY}\n{sha256(data)}"
        self.signature = hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()
        return f"{len(data):x};chunk-signature={self.signature}\r\n".encode() + data + b"\r\n"


class Run:
    def __init__(self, checks, options, directory):
        self.checks = checks
        self.kmip = Kmip(options.claviger, directory).start()
        self.gateway = Gateway(options.gateway, directory, self.kmip).start()
        self.host = f"127.0.0.1:{self.gateway.port}"
        self.s3 = self.gateway.client()
        self.s3.create_bucket(Bucket=BUCKET)
        self.s3.put_object(Bucket=BUCKET, Key="kept", Body=b"kept")

    def raw(self, data, half_close=False):
        """The status and the body of the answer; nothing if the gateway hangs up."""
        with socket.create_connection(("127.0.0.1", self.gateway.port), timeout=60) as connection:
            try:
                connection.sendall(data)
                if half_close:
                    connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            answer = b""
            try:
                while True:
                    more = connection.recv(65536)
                    answer += more
                    head, _, body = answer.partition(b"\r\n\r\n")
                    length = re.search(rb"content-length: (\d+)", head.lower())
                    if not more or (b"\r\n\r\n" in answer and length and len(body) >= int(length[1])):
                        break
            except OSError:
                pass
        status = re.match(rb"HTTP/1\.[01] (\d+)", answer)
        code = re.search(rb"<Code>(.*?)</Code>", answer)
        return (int(status[1]) if status else None), (code[1].decode() if code else None), answer

    def send(self, method, path, payload, body, headers=None, query="", signer=None, unsigned=None, sign=True, half_close=False):
        signer = signer or Signer()
        headers = dict(headers or {})
        headers.setdefault("content-length", str(len(body)))
        if sign:
            headers = signer.headers(method, path, query, self.host, payload, headers)
        else:
            headers["host"] = self.host
        headers.update(unsigned or {})
        target = path + (f"?{query}" if query else "")
        head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
        return self.raw(head.encode() + body, half_close)

    def expect(self, name, status, code, *args, **kwargs):
        with self.checks.check(name):
            found = self.send(*args, **kwargs)
            equal(found[:2], (status, code), f"{name}: {found[2][:600]!r}")
            self.unchanged()

    def unchanged(self):
        listed = [found["Key"] for found in self.s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
        equal(listed, ["kept"])
        equal(self.s3.get_object(Bucket=BUCKET, Key="kept")["Body"].read(), b"kept")
        true(self.gateway.process.alive(), "the gateway runs")

    def all(self):
        self.tools()
        self.signatures()
        self.bodies()
        self.chunks()
        self.requests()
        with self.checks.check("nothing is left of what was refused, and no secret is in the log"):
            equal(len(self.gateway.blobs()), 1, "files")
            with open(self.gateway.directory + "/gateway.log") as log:
                text = log.read()
            for secret in [SECRET_KEY, "Signature=", "panicked"]:
                true(secret not in text, secret)

    def tools(self):
        with self.checks.check("what these tools send is right when it does not lie"):
            status, _, answer = self.send("GET", f"/{BUCKET}/kept", EMPTY, b"")
            true(status == 200 and answer.endswith(b"kept"), answer)
            now = datetime.datetime.now(datetime.timezone.utc)
            date = {"date": now.strftime("%a, %d %b %Y %H:%M:%S GMT")}
            for date in [date, {"date": date["date"].replace("GMT", "-0000")}]:
                status, _, answer = self.send("GET", f"/{BUCKET}/kept", EMPTY, b"", date, signer=Signer(time=now))
                true(status == 200 and answer.endswith(b"kept"), answer)
            self.put_chunks([b"a" * 70000, b"b" * 10, b""])
            equal(self.s3.get_object(Bucket=BUCKET, Key="chunks")["Body"].read(), b"a" * 70000 + b"b" * 10)
            self.s3.delete_object(Bucket=BUCKET, Key="chunks")

    def put_chunks(self, chunks, decoded=None, change=lambda body: body, expected=200):
        signer = Signer()
        decoded = sum(map(len, chunks)) if decoded is None else decoded
        headers = {"x-amz-decoded-content-length": str(decoded), "content-encoding": "aws-chunked"}
        payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
        signed = signer.headers("PUT", f"/{BUCKET}/chunks", "", self.host, payload, headers)
        body = change(b"".join(signer.chunk(chunk) for chunk in chunks))
        signed["content-length"] = str(len(body))
        head = f"PUT /{BUCKET}/chunks HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in signed.items()) + "\r\n"
        status, code, answer = self.raw(head.encode() + body)
        equal(status, expected, f"{answer[:600]!r}")
        return code

    def signatures(self):
        target = f"/{BUCKET}/new"
        now = datetime.datetime.now(datetime.timezone.utc)
        self.expect("unsigned PUT", 403, "AccessDenied", "PUT", target, "", b"x", sign=False)
        self.expect("unsigned GET", 403, "AccessDenied", "GET", f"/{BUCKET}/kept", "", b"", sign=False)
        self.expect("unsigned GET of what is no range", 403, "AccessDenied", "GET", f"/{BUCKET}/kept", "", b"", sign=False,
                    unsigned={"range": "bytes=none"})
        self.expect("unsigned list of buckets", 403, "AccessDenied", "GET", "/", "", b"", sign=False)
        self.expect("another secret", 403, "SignatureDoesNotMatch", "PUT", target, sha256(b"x"), b"x",
                    signer=Signer(secret_key="another secret"))
        self.expect("an unknown access key", 403, "InvalidAccessKeyId", "PUT", target, sha256(b"x"), b"x",
                    signer=Signer(access_key="UNKNOWN"))
        for hours in [-1, 1]:
            self.expect(f"signed {hours} h from now", 403, "RequestTimeTooSkewed", "PUT", target, sha256(b"x"), b"x",
                        signer=Signer(time=now + datetime.timedelta(hours=hours)))
        date = {"date": now.strftime("%a, %d %b %Y %H:%M:%S GMT")}
        self.expect("signed for another date", 403, "SignatureDoesNotMatch", "PUT", target, sha256(b"x"), b"x", date,
                    signer=Signer(time=now - datetime.timedelta(seconds=5)))
        self.expect("a header is not signed", 403, "AccessDenied", "PUT", target, sha256(b"x"), b"x",
                    unsigned={"x-amz-meta-more": "1"})
        self.expect("signed for another service, with a body that does not come", 400, "AuthorizationHeaderMalformed",
                    "POST", "/", "", b"", signer=Signer(service="sts"), unsigned={"content-length": "10"})
        self.expect("another path", 403, "SignatureDoesNotMatch", "PUT", target, sha256(b"x"), b"x",
                    unsigned={"host": "elsewhere"})
        self.expect("signature version 2", 400, "InvalidRequest", "GET", "/", "", b"", sign=False,
                    unsigned={"authorization": f"AWS {ACCESS_KEY}:c2lnbmF0dXJl", "date": now.strftime("%a, %d %b %Y %H:%M:%S GMT")})
        with self.checks.check("an authorization that is none"):
            for value in ["", "Basic eA==", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=,SignedHeaders=host,Signature=",
                          "AWS4-HMAC-SHA256 " + "x" * 5000]:
                status, code, answer = self.send("GET", "/", "", b"", sign=False, unsigned={"authorization": value})
                true(status in (400, 403), f"{value[:40]}: {answer[:300]!r}")

    def bodies(self):
        target = f"/{BUCKET}/new"
        self.expect("a hash that is another content's", 400, "XAmzContentSHA256Mismatch", "PUT", target, sha256(b"y"), b"x")
        self.expect("a hash that is none", 403, "SignatureDoesNotMatch", "PUT", target, "zz", b"x")
        self.expect("MD5 of another content", 400, "BadDigest", "PUT", target, sha256(b"x"), b"x",
                    {"content-md5": base64.b64encode(hashlib.md5(b"y").digest()).decode()})
        self.expect("MD5 that is empty", 400, "InvalidDigest", "PUT", target, sha256(b"x"), b"x", {"content-md5": ""})
        with self.checks.check("fewer bytes than the length says"):
            self.send("PUT", target, "UNSIGNED-PAYLOAD", b"x" * 10, {"content-length": "100"}, half_close=True)
            self.unchanged()
        with self.checks.check("more bytes than the length says are no part of the object"):
            status, _, _ = self.send("PUT", f"/{BUCKET}/kept", "UNSIGNED-PAYLOAD", b"keptXXXX", {"content-length": "4"})
            equal(status, 200)
            self.unchanged()
        self.expect("too long", 400, "EntityTooLarge", "PUT", target, "UNSIGNED-PAYLOAD", b"",
                    {"content-length": str((5 << 30) + 1)})

    def chunks(self):
        with self.checks.check("a chunk is signed for another content"):
            code = self.put_chunks([b"a" * 1000, b""], change=lambda body: body.replace(b"aaaa", b"aaab", 1), expected=403)
            equal(code, "SignatureDoesNotMatch")
            self.unchanged()
        with self.checks.check("chunks are swapped, missing, repeated"):
            halves = [b"a" * 500, b"b" * 500, b""]
            size = len(f"1f4;chunk-signature={'0' * 64}\r\n") + 502
            for change in [lambda body: body[size:2 * size] + body[:size] + body[2 * size:],
                           lambda body: body[size:], lambda body: body[:size] + body]:
                code = self.put_chunks(halves, change=change, expected=403)
                equal(code, "SignatureDoesNotMatch")
            self.unchanged()
        with self.checks.check("the length of the content is another"):
            for decoded in [5, 2000]:
                code = self.put_chunks([b"a" * 500, b""], decoded=decoded, expected=400)
                true(code in ("IncompleteBody", "EntityTooLarge"), code)
            self.unchanged()
        for body, name in [(b"zz\r\n", "no number"), (b"5;chunk-signature=x\r\nhello\r\n", "no signature"), (b"x" * 5000, "no chunk")]:
            with self.checks.check(f"chunks that are none: {name}"):
                self.put_chunks([b"a" * 500, b""], change=lambda _, body=body: body, expected=400)
                self.unchanged()
        with self.checks.check("a chunk with a signature is small, for it is held"):
            before = self.gateway.process.memory()
            self.put_chunks([b"a" * (MIB // 2)] * 60 + [b""])
            more = self.gateway.process.memory() - before
            true(more < 8 * MIB, f"{more} bytes more than before")
            self.s3.delete_object(Bucket=BUCKET, Key="chunks")
            equal(self.put_chunks([b"a" * (MIB // 2 + 1), b""], expected=400), "InvalidChunkSizeError")
            equal(self.put_chunks([b"a", b"a" * (MIB // 2 + 1), b""], expected=400), "InvalidChunkSizeError")
            self.unchanged()
        with self.checks.check("a chunk without a signature is as long as it likes, and is not held"):
            before = self.gateway.process.memory()
            size = 48 * MIB
            crc = base64.b64encode(zlib.crc32(bytes(size)).to_bytes(4, "big")).decode()
            body = f"{size:x}\r\n".encode() + bytes(size) + f"\r\n0\r\nx-amz-checksum-crc32:{crc}\r\n\r\n".encode()
            status, code, answer = self.send(
                "PUT", f"/{BUCKET}/chunks", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", body,
                {"x-amz-trailer": "x-amz-checksum-crc32", "x-amz-decoded-content-length": str(size)})
            equal(status, 200, f"{answer[:600]!r}")
            more = self.gateway.process.memory() - before
            true(more < 12 * MIB, f"{more} bytes more than before")
            equal(self.s3.head_object(Bucket=BUCKET, Key="chunks")["ContentLength"], size)
            self.s3.delete_object(Bucket=BUCKET, Key="chunks")
            self.unchanged()
        crc = base64.b64encode(zlib.crc32(b"hello").to_bytes(4, "big")).decode()
        for trailer, expected, name in [
            (f"x-amz-checksum-crc32:{crc}\r\n", 200, "right"), ("x-amz-checksum-crc32:AAAAAA==\r\n", 400, "wrong"),
            ("x-amz-checksum-sha1:AAAA\r\n", 400, "another"), ("", 400, "missing"),
        ]:
            with self.checks.check(f"a checksum behind the content that is {name}"):
                body = b"5\r\nhello\r\n0\r\n" + trailer.encode() + b"\r\n"
                status, code, answer = self.send(
                    "PUT", f"/{BUCKET}/trailer", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", body,
                    {"x-amz-trailer": "x-amz-checksum-crc32", "x-amz-decoded-content-length": "5"})
                equal(status, expected, f"{answer[:600]!r}")
                if expected == 200:
                    self.s3.delete_object(Bucket=BUCKET, Key="trailer")
                self.unchanged()

    def requests(self):
        with self.checks.check("headers that are too long or too many"):
            for more in [{"x-amz-meta-a": "x" * 70_000}, {f"x-{at}": "1" for at in range(200)}]:
                status, _, answer = self.send("PUT", f"/{BUCKET}/new", "", b"", sign=False, unsigned=more)
                true(status in (400, 431), f"{answer[:200]!r}")
            status, _, answer = self.raw(b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n")
            true(status in (400, 414, 431), f"{answer[:200]!r}")
            self.unchanged()
        with self.checks.check("what is no HTTP"):
            for data in [b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n", b"\x00" * 100, b"PUT / HTTP/1.1\r\ncontent-length: x\r\n\r\n",
                         b"PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx"]:
                status, _, answer = self.raw(data, half_close=True)
                true(status in (None, 400), f"{data[:40]!r}: {answer[:200]!r}")
            self.unchanged()
        for path in [f"/{BUCKET}/%ff", f"/{BUCKET}/a%00b"]:
            self.expect(f"the path {path}", 400, "InvalidURI" if "ff" in path else "InvalidArgument",
                        "PUT", path, sha256(b"x"), b"x")
        for bucket in ["a", "UPPER", "..", "under_score", "x" * 64, "192.168.1.1", "%2e%2e"]:
            self.expect(f"the bucket {bucket[:20]}", 400, "InvalidBucketName", "PUT", f"/{bucket}", EMPTY, b"")
        with self.checks.check("keys that look like paths are keys"):
            for key in ["../../../../etc/passwd", "..", ".", "/etc/passwd", "a/../../b"]:
                path = f"/{BUCKET}/{quote(key)}"
                status, _, answer = self.send("PUT", path, sha256(b"x"), b"x")
                equal(status, 200, f"{key}: {answer[:300]!r}")
                equal(self.s3.list_objects_v2(Bucket=BUCKET, Prefix=key)["Contents"][0]["Key"], key)
                self.s3.delete_object(Bucket=BUCKET, Key=key)
            self.unchanged()
        for name, xml in [
            ("no XML", b"not xml"), ("another element", b"<Else/>"), ("cut", b"<Delete><Object><Key>kept</Key>"),
            ("entities", b'<!DOCTYPE d [<!ENTITY e "kept">]><Delete><Object><Key>&e;</Key></Object></Delete>'),
            ("nothing", b"<Delete></Delete>"),
        ]:
            self.expect(f"XML: {name}", 400, "MalformedXML", "POST", f"/{BUCKET}", sha256(xml), xml,
                        {"content-md5": base64.b64encode(hashlib.md5(xml).digest()).decode()}, query="delete=")
        self.expect("a number that is none", 400, "InvalidArgument", "GET", f"/{BUCKET}", EMPTY, b"", query="max-keys=many")
        with self.checks.check("an upload by a form"):
            body = b"--x\r\ncontent-disposition: form-data; name=\"key\"\r\n\r\nnew\r\n--x--\r\n"
            status, code, _ = self.send("POST", f"/{BUCKET}", "", body, sign=False,
                                        unsigned={"content-type": "multipart/form-data; boundary=x"})
            equal((status, code), (501, "NotImplemented"))
            self.unchanged()
        with self.checks.check("methods that S3 has not"):
            for method in ["PATCH", "TRACE", "CONNECT", "FOO"]:
                status, _, answer = self.send(method, f"/{BUCKET}/kept", EMPTY, b"")
                true(status in (400, 405, 501), f"{method}: {answer[:200]!r}")
            self.unchanged()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gateway", required=True, help="the binary claviger-s3")
    parser.add_argument("--claviger", required=True, help="the binary claviger")
    parser.add_argument("--all", action="store_true", help="go on after a failed check")
    options = parser.parse_args()
    checks = Checks(options.all)
    with tempfile.TemporaryDirectory() as directory:
        run = Run(checks, options, directory)
        try:
            run.all()
        finally:
            run.gateway.process.kill()
            run.kmip.process.kill()
        checks.finish()


if __name__ == "__main__":
    main()
