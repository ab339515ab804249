"""boto3 against the S3 gateway: every operation that it has, as an application uses it.

Where a check says what S3 does, Amazon's documentation says so.
"""

import argparse
import base64
import concurrent.futures
import datetime
import hashlib
import os
import random
import threading
import time
import urllib.error
import urllib.request
import zlib

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

from checks import Checks, equal, true

MIB = 1 << 20
# Around the borders of the stored segments, and of what clients send at once.
SIZES = [0, 1, 15, 16, 17, 65535, 65536, 65537, 131071, 131072, 131073, MIB - 1, MIB, MIB + 1, 5 * MIB + 3]
KEYS = [
    "plain", "a", "a/b", "a/b/", "a/", "/leading", "//two//slashes", "../../etc/passwd", "./here", "white space",
    "plus+percent%25", "ünïcödé/鍵/🔑", "quote'\"<>&", "~!@#$^*()_=[]{}|;:,?", "\u00e9", "e\u0301", "back\\slash",
    "x" * 1024, "/".join(["d"] * 500), "é" * 512,
]


def content(size, seed=0):
    return random.Random(seed * 1_000_003 + size).randbytes(size)


def refused(code, status, call, *args, **kwargs):
    """The call fails with S3's code and this status."""
    try:
        call(*args, **kwargs)
    except ClientError as error:
        found = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
        equal(found, (code, status), "refusal")
        return error
    raise AssertionError(f"expected {code}")


class Run:
    def __init__(self, checks, options):
        self.checks = checks
        self.options = options
        self.s3 = self.client()
        self.bucket = "checks"

    def client(self, access_key=None, secret_key=None, **config):
        return boto3.client(
            "s3", endpoint_url=self.options.endpoint, region_name="us-east-1",
            aws_access_key_id=access_key or self.options.access_key,
            aws_secret_access_key=secret_key or self.options.secret_key,
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}, **config),
        )

    def check(self, name):
        return self.checks.check(name)

    def get(self, key, bucket=None, **kwargs):
        return self.s3.get_object(Bucket=bucket or self.bucket, Key=key, **kwargs)

    def body(self, key, bucket=None, **kwargs):
        return self.get(key, bucket, **kwargs)["Body"].read()

    def put(self, key, body, bucket=None, **kwargs):
        return self.s3.put_object(Bucket=bucket or self.bucket, Key=key, Body=body, **kwargs)

    def all(self):
        self.buckets()
        self.objects()
        self.ranges()
        self.conditions()
        self.headers()
        self.checksums()
        self.encryption()
        self.uploads()
        self.copies()
        self.listings()
        self.deletions()
        self.tags()
        self.versions()
        self.presigned()
        self.concurrency()
        self.refusals()
        self.cleaned()

    def buckets(self):
        s3 = self.s3
        with self.check("a bucket is made, found and listed"):
            s3.create_bucket(Bucket=self.bucket)
            equal(s3.head_bucket(Bucket=self.bucket)["ResponseMetadata"]["HTTPStatusCode"], 200)
            true(self.bucket in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]], "it is listed")
            equal(s3.get_bucket_location(Bucket=self.bucket)["LocationConstraint"], None)
        with self.check("who makes a bucket again has it, as it is"):
            self.put("again", b"x")
            key = self.put("again", b"x", ServerSideEncryption="aws:kms")["SSEKMSKeyId"]
            s3.create_bucket(Bucket=self.bucket)
            equal(self.put("again", b"y", ServerSideEncryption="aws:kms")["SSEKMSKeyId"], key)
            s3.delete_object(Bucket=self.bucket, Key="again")
        with self.check("a refusal has the request's identifier"):
            error = refused("NoSuchBucket", 404, s3.list_objects_v2, Bucket="nowhere")
            headers = error.response["ResponseMetadata"]["HTTPHeaders"]
            equal(len(headers["x-amz-request-id"]), 32, "length")
            equal(error.response["ResponseMetadata"]["RequestId"], headers["x-amz-request-id"])
            url = self.client(signature_version="s3v4").generate_presigned_url("list_objects", Params={"Bucket": "nowhere"})
            try:
                urllib.request.urlopen(url)
                raise AssertionError("refused")
            except urllib.error.HTTPError as error:
                true(f"<RequestId>{error.headers['x-amz-request-id']}</RequestId></Error>" in error.read().decode(), "in XML")
        with self.check("an empty delimiter is none"):
            self.put("a/b", b"")
            for call in [s3.list_objects, s3.list_objects_v2, s3.list_object_versions, s3.list_multipart_uploads]:
                listed = call(Bucket=self.bucket, Delimiter="")
                true("Delimiter" not in listed and "CommonPrefixes" not in listed, str(listed))
            s3.delete_object(Bucket=self.bucket, Key="a/b")
        with self.check("a bucket has a name that can be one"):
            refused("NoSuchBucket", 404, s3.list_objects_v2, Bucket="nowhere")
            refused("404", 404, s3.head_bucket, Bucket="nowhere")
            refused("NoSuchBucket", 404, s3.put_object, Bucket="nowhere", Key="a", Body=b"")
        with self.check("a bucket that is not empty stays"):
            self.put("a", b"")
            refused("BucketNotEmpty", 409, s3.delete_bucket, Bucket=self.bucket)
            s3.delete_object(Bucket=self.bucket, Key="a")

    def objects(self):
        for size in SIZES + [self.options.size]:
            with self.check(f"an object of {size} bytes comes back"):
                body = content(size)
                put = self.put("size", body)
                equal(put["ETag"], f'"{hashlib.md5(body).hexdigest()}"', "ETag")
                got = self.get("size")
                true(got["Body"].read() == body, "content")
                equal((got["ContentLength"], got["ETag"]), (size, put["ETag"]))
                head = self.s3.head_object(Bucket=self.bucket, Key="size")
                equal((head["ContentLength"], head["ETag"]), (size, put["ETag"]))
                age = datetime.datetime.now(datetime.timezone.utc) - head["LastModified"]
                true(abs(age.total_seconds()) < 120, "it was written now")
        for key in KEYS:
            with self.check(f"an object has the key {key[:40]!r}"):
                self.put(key, key.encode())
                equal(self.body(key), key.encode())
        with self.check("every key has its own object, and all are listed"):
            for key in KEYS:
                equal(self.body(key), key.encode())
            pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, PaginationConfig={"PageSize": 3})
            listed = [found["Key"] for page in pages for found in page.get("Contents", [])]
            equal(listed, sorted(KEYS + ["size"], key=lambda key: key.encode()))
        with self.check("what is not there is not found"):
            refused("NoSuchKey", 404, self.get, "absent")
            refused("404", 404, self.s3.head_object, Bucket=self.bucket, Key="absent")
        with self.check("a stream without a length in the file system is put"):
            body = content(3 * MIB, 1)
            with open(f"/proc/self/fd/{self.pipe(body)}", "rb") as source:
                self.put("stream", source.read())
            true(self.body("stream") == body, "content")

    def pipe(self, body):
        read, write = os.pipe()

        def feed():
            with os.fdopen(write, "wb") as sink:
                sink.write(body)

        threading.Thread(target=feed, daemon=True).start()
        return read

    def ranges(self):
        size = 5 * 65536 + 321
        body = content(size, 2)
        self.put("ranges", body)
        shapes = [
            ("bytes=0-0", 0, 1), ("bytes=0-", 0, size), (f"bytes={size - 1}-", size - 1, size), ("bytes=-1", size - 1, size),
            (f"bytes=-{size}", 0, size), (f"bytes=-{size * 2}", 0, size), ("bytes=65535-65536", 65535, 65537),
            ("bytes=65536-131071", 65536, 131072), ("bytes=1-262143", 1, 262144), ("bytes=262144-262144", 262144, 262145),
            (f"bytes=10-{size * 9}", 10, size), (f"bytes=327680-{size - 1}", 327680, size), ("bytes=200000-299999", 200000, 300000),
        ]
        for shape, start, end in shapes:
            with self.check(f"the range {shape}"):
                got = self.get("ranges", Range=shape)
                true(got["Body"].read() == body[start:end], "content")
                equal(got["ResponseMetadata"]["HTTPStatusCode"], 206, "status")
                equal(got["ContentRange"], f"bytes {start}-{end - 1}/{size}")
                equal(got["ContentLength"], end - start)
        with self.check("a hundred ranges at random"):
            chance = random.Random(3)
            for _ in range(100):
                start = chance.randrange(size)
                end = chance.randrange(start, size)
                true(self.body("ranges", Range=f"bytes={start}-{end}") == body[start:end + 1], f"{start}-{end}")
        with self.check("ranges that cannot be satisfied"):
            for shape in [f"bytes={size}-", f"bytes={size}-{size + 5}", "bytes=-0"]:
                refused("InvalidRange", 416, self.get, "ranges", Range=shape)
            self.put("nothing", b"")
            refused("InvalidRange", 416, self.get, "nothing", Range="bytes=0-0")
        with self.check("ranges that are none, or several, are ignored"):
            presigned = self.client(signature_version="s3v4")
            for shape in ["bytes=5-4", "bytes=a-b", "bytes=-", "bytes", "lines=0-1", "bytes=0-1,5-6", "bytes=0-1, -5"]:
                got = self.get("ranges", Range=shape)
                equal((got["ResponseMetadata"]["HTTPStatusCode"], got["ContentLength"]), (200, size), shape)
                true("ContentRange" not in got and got["Body"].read() == body, shape)
                head = self.s3.head_object(Bucket=self.bucket, Key="ranges", Range=shape)
                equal((head["ResponseMetadata"]["HTTPStatusCode"], head["ContentLength"]), (200, size), shape)
                refused("NoSuchKey", 404, self.get, "no such", Range=shape)
                refused("SignatureDoesNotMatch", 403, self.client(secret_key="another secret").get_object,
                        Bucket=self.bucket, Key="ranges", Range=shape)
                url = presigned.generate_presigned_url("get_object", Params={"Bucket": self.bucket, "Key": "ranges"})
                request = urllib.request.Request(url, headers={"Range": shape})
                with urllib.request.urlopen(request) as answer:
                    true((answer.status, answer.read()) == (200, body), shape)
        with self.check("HEAD has ranges"):
            head = self.s3.head_object(Bucket=self.bucket, Key="ranges", Range="bytes=5-9")
            equal((head["ContentLength"], head["ContentRange"]), (5, f"bytes 5-9/{size}"))

    def conditions(self):
        put = self.put("conditions", b"one")
        etag = put["ETag"]
        modified = self.s3.head_object(Bucket=self.bucket, Key="conditions")["LastModified"]
        before, after = modified - datetime.timedelta(hours=1), modified + datetime.timedelta(hours=1)
        for call in [self.get, lambda key, **kwargs: self.s3.head_object(Bucket=self.bucket, Key=key, **kwargs)]:
            name = "GET" if call == self.get else "HEAD"
            code = "PreconditionFailed" if call == self.get else "412"
            with self.check(f"conditions of {name}"):
                call("conditions", IfMatch=etag)
                call("conditions", IfNoneMatch='"other"')
                call("conditions", IfModifiedSince=before)
                call("conditions", IfUnmodifiedSince=after)
                call("conditions", IfMatch=etag, IfUnmodifiedSince=before)
                refused(code, 412, call, "conditions", IfMatch='"other"')
                refused(code, 412, call, "conditions", IfUnmodifiedSince=before)
                refused("304", 304, call, "conditions", IfNoneMatch=etag)
                refused("304", 304, call, "conditions", IfNoneMatch="*")
                error = refused("304", 304, call, "conditions", IfModifiedSince=modified)
                equal(error.response["ResponseMetadata"]["HTTPHeaders"]["etag"], etag)
        with self.check("conditions of PUT"):
            refused("PreconditionFailed", 412, self.put, "conditions", b"two", IfNoneMatch="*")
            refused("PreconditionFailed", 412, self.put, "conditions", b"two", IfMatch='"other"')
            refused("NoSuchKey", 404, self.put, "absent", b"two", IfMatch=etag)
            equal(self.body("conditions"), b"one")
            self.put("conditions", b"two", IfMatch=etag)
            self.put("conditions/new", b"two", IfNoneMatch="*")
            equal(self.body("conditions"), b"two")

    def headers(self):
        with self.check("headers and metadata come back"):
            expires = datetime.datetime(2030, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
            given = {
                "ContentType": "text/plain; charset=utf-8", "CacheControl": "no-cache", "ContentDisposition": "attachment",
                "ContentEncoding": "identity", "ContentLanguage": "de", "Metadata": {"one": "1", "two-words": "zwei"},
            }
            self.put("headers", b"x", Expires=expires, **given)
            for found in [self.get("headers"), self.s3.head_object(Bucket=self.bucket, Key="headers")]:
                equal({name: found.get(name) for name in given}, given)
                equal(found["ExpiresString"], "Wed, 02 Jan 2030 03:04:05 GMT")
        with self.check("an object without a type has S3's"):
            self.put("headers/none", b"x")
            equal(self.get("headers/none")["ContentType"], "binary/octet-stream")
        with self.check("a request replaces headers of its answer"):
            got = self.get("headers", ResponseContentType="image/png", ResponseCacheControl="private")
            equal((got["ContentType"], got["CacheControl"]), ("image/png", "private"))
        with self.check("metadata has a limit"):
            refused("MetadataTooLarge", 400, self.put, "headers", b"x", Metadata={"long": "x" * 2048})

    def checksums(self):
        body = content(200_000, 4)
        for algorithm in ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]:
            with self.check(f"the checksum {algorithm}"):
                put = self.put("checksums", body, ChecksumAlgorithm=algorithm)
                got = self.get("checksums", ChecksumMode="ENABLED")
                true(got["Body"].read() == body, "content")
                equal(got[f"Checksum{algorithm}"], put[f"Checksum{algorithm}"])
        with self.check("a checksum that is not the content's stores nothing"):
            before = self.body("checksums")
            wrong = base64.b64encode(zlib.crc32(b"other").to_bytes(4, "big")).decode()
            refused("BadDigest", 400, self.put, "checksums", b"x", ChecksumCRC32=wrong)
            wrong = base64.b64encode(hashlib.md5(b"other").digest()).decode()
            refused("BadDigest", 400, self.put, "checksums", b"x", ContentMD5=wrong)
            refused("InvalidDigest", 400, self.put, "checksums", b"x", ContentMD5="wrong")
            refused("InvalidRequest", 400, self.put, "checksums", b"x", ChecksumCRC32="AA==")
            true(self.body("checksums") == before, "content")
        with self.check("attributes of an object"):
            self.put("checksums", b"x", ChecksumAlgorithm="SHA256")
            found = self.s3.get_object_attributes(
                Bucket=self.bucket, Key="checksums", ObjectAttributes=["ETag", "Checksum", "ObjectSize", "StorageClass"])
            equal(found["ObjectSize"], 1)
            equal(found["ETag"], hashlib.md5(b"x").hexdigest())
            equal(found["Checksum"]["ChecksumType"], "FULL_OBJECT")
            equal(found["Checksum"]["ChecksumSHA256"], base64.b64encode(hashlib.sha256(b"x").digest()).decode())

    def encryption(self):
        s3 = self.s3
        with self.check("a bucket says how it encrypts"):
            rules = s3.get_bucket_encryption(Bucket=self.bucket)["ServerSideEncryptionConfiguration"]["Rules"]
            equal(rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"], "AES256")
        with self.check("answers say that an object is encrypted"):
            put = self.put("encrypted", b"x")
            equal(put["ServerSideEncryption"], "AES256")
            equal(self.get("encrypted")["ServerSideEncryption"], "AES256")
            true("SSEKMSKeyId" not in put, "the key of AES256 is not shown")
        with self.check("aws:kms names the key"):
            put = self.put("encrypted", b"kms", ServerSideEncryption="aws:kms")
            true(put["ServerSideEncryption"] == "aws:kms" and put["SSEKMSKeyId"], "key id")
            got = self.get("encrypted")
            equal((got["SSEKMSKeyId"], got["Body"].read()), (put["SSEKMSKeyId"], b"kms"))
            again = self.put("encrypted", b"named", ServerSideEncryption="aws:kms", SSEKMSKeyId=put["SSEKMSKeyId"])
            equal(again["SSEKMSKeyId"], put["SSEKMSKeyId"])
            equal(self.body("encrypted"), b"named")
        with self.check("the encryption of a bucket is set, kept and unset"):
            rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}
            s3.put_bucket_encryption(Bucket=self.bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
            found = s3.get_bucket_encryption(Bucket=self.bucket)["ServerSideEncryptionConfiguration"]["Rules"]
            equal(found, [rule])
            equal(self.put("encrypted", b"x")["ServerSideEncryption"], "aws:kms")
            equal(self.put("encrypted", b"x", ServerSideEncryption="AES256")["ServerSideEncryption"], "AES256")
            s3.delete_bucket_encryption(Bucket=self.bucket)
            equal(self.put("encrypted", b"x")["ServerSideEncryption"], "AES256")
        with self.check("keys that are not there, or not this bucket's"):
            refused("KMS.NotFoundException", 400, self.put, "encrypted", b"no", ServerSideEncryption="aws:kms",
                    SSEKMSKeyId="00000000-0000-0000-0000-000000000000")
            other = f"{self.bucket}-other"
            s3.create_bucket(Bucket=other)
            key = self.put("x", b"x", bucket=other, ServerSideEncryption="aws:kms")["SSEKMSKeyId"]
            refused("KMS.InvalidKeyUsageException", 400, self.put, "encrypted", b"no", ServerSideEncryption="aws:kms",
                    SSEKMSKeyId=key)
            refused("KMS.InvalidKeyUsageException", 400, self.put, "encrypted", b"no", ServerSideEncryption="aws:kms",
                    SSEKMSKeyId=f"arn:scality:kms:external:kmip:other:key/{key}")
            unknown = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "00000000-0000-0000-0000-000000000000"}

            def upload():
                # In Zenko's form an upload asks for its key with its first part.
                begun = s3.create_multipart_upload(Bucket=other, Key="none", **unknown)["UploadId"]
                try:
                    s3.upload_part(Bucket=other, Key="none", UploadId=begun, PartNumber=1, Body=b"x")
                finally:
                    s3.abort_multipart_upload(Bucket=other, Key="none", UploadId=begun)

            refused("KMS.NotFoundException", 400, upload)
            refused("KMS.NotFoundException", 400, s3.copy_object, Bucket=other, Key="none",
                    CopySource={"Bucket": self.bucket, "Key": "encrypted"}, **unknown)
            equal([found["Key"] for found in s3.list_objects_v2(Bucket=other)["Contents"]], ["x"])
            true("Uploads" not in s3.list_multipart_uploads(Bucket=other), "no upload")
            s3.delete_object(Bucket=other, Key="x")
            s3.delete_bucket(Bucket=other)
            equal(self.body("encrypted"), b"x")
        with self.check("who reads says nothing of encryption"):
            url = self.client(signature_version="s3v4").generate_presigned_url(
                "get_object", Params={"Bucket": self.bucket, "Key": "encrypted"})
            try:
                urllib.request.urlopen(urllib.request.Request(url, headers={"x-amz-server-side-encryption": "AES256"}))
                raise AssertionError("refused")
            except urllib.error.HTTPError as error:
                true(error.code == 400 and b"<Code>InvalidArgument</Code>" in error.read(), f"{error}")
        with self.check("what makes no sense is refused"):
            refused("InvalidArgument", 400, self.put, "encrypted", b"no", ServerSideEncryption="AES256", SSEKMSKeyId="key")
            refused("InvalidArgument", 400, self.put, "encrypted", b"no", SSEKMSKeyId="key")
            refused("InvalidRequest", 400, self.put, "encrypted", b"no", ObjectLockLegalHoldStatus="ON")
            refused("NotImplemented", 501, self.put, "encrypted", b"no", SSECustomerKey=b"k" * 32, SSECustomerAlgorithm="AES256")
            rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256", "KMSMasterKeyID": "key"}}
            refused("InvalidArgument", 400, s3.put_bucket_encryption, Bucket=self.bucket,
                    ServerSideEncryptionConfiguration={"Rules": [rule]})
            equal(self.body("encrypted"), b"x")

    def upload(self, key, bodies, bucket=None, **kwargs):
        bucket = bucket or self.bucket
        upload = self.s3.create_multipart_upload(Bucket=bucket, Key=key, **kwargs)
        parts = []
        for number, body in bodies:
            done = self.s3.upload_part(Bucket=bucket, Key=key, UploadId=upload["UploadId"], PartNumber=number, Body=body)
            parts.append({"PartNumber": number, "ETag": done["ETag"]})
        return upload["UploadId"], parts

    def complete(self, key, upload, parts, **kwargs):
        return self.s3.complete_multipart_upload(
            Bucket=self.bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}, **kwargs)

    def uploads(self):
        s3 = self.s3
        bodies = [(1, content(5 * MIB, 5)), (3, content(5 * MIB + 12345, 6)), (10000, content(70_001, 7))]
        whole = b"".join(body for _, body in bodies)
        with self.check("parts of odd sizes and numbers become an object"):
            upload, parts = self.upload("parts", bodies, ContentType="text/x", Metadata={"m": "1"}, Tagging="t=1")
            listed = s3.list_multipart_uploads(Bucket=self.bucket)["Uploads"]
            equal([(found["Key"], found["UploadId"]) for found in listed], [("parts", upload)])
            listed = s3.list_parts(Bucket=self.bucket, Key="parts", UploadId=upload, MaxParts=2)
            equal([part["PartNumber"] for part in listed["Parts"]], [1, 3])
            listed = s3.list_parts(Bucket=self.bucket, Key="parts", UploadId=upload, PartNumberMarker=3)
            equal([part["Size"] for part in listed["Parts"]], [70_001])
            refused("NoSuchKey", 404, self.get, "parts")
            done = self.complete("parts", upload, parts)
            digest = hashlib.md5(b"".join(hashlib.md5(body).digest() for _, body in bodies)).hexdigest()
            equal(done["ETag"], f'"{digest}-3"')
            got = self.get("parts")
            true(got["Body"].read() == whole, "content")
            equal((got["ContentType"], got["Metadata"], got["TagCount"]), ("text/x", {"m": "1"}, 1))
            equal(got["ServerSideEncryption"], "AES256")
        with self.check("ranges across parts, and parts by number"):
            for start, end in [(5 * MIB - 1, 5 * MIB + 1), (0, len(whole)), (MIB, 9 * MIB), (10 * MIB, len(whole))]:
                true(self.body("parts", Range=f"bytes={start}-{end - 1}") == whole[start:end], f"{start}-{end}")
            for number, body in bodies:
                got = self.get("parts", PartNumber=number)
                true(got["Body"].read() == body, f"part {number}")
                equal(got["PartsCount"], 3)
            refused("InvalidPartNumber", 416, self.get, "parts", PartNumber=2)
            found = s3.get_object_attributes(Bucket=self.bucket, Key="parts", ObjectAttributes=["ObjectParts"])
            equal(found["ObjectParts"]["TotalPartsCount"], 3)
        with self.check("a part is replaced, an unused one is gone"):
            upload, parts = self.upload("parts", [(1, content(5 * MIB, 8)), (2, b"old"), (3, b"unused")])
            part = s3.upload_part(Bucket=self.bucket, Key="parts", UploadId=upload, PartNumber=2, Body=b"new")
            refused("InvalidPart", 400, self.complete, "parts", upload, parts[:2])
            parts[1]["ETag"] = part["ETag"]
            done = self.complete("parts", upload, parts[:2])
            true(self.body("parts") == content(5 * MIB, 8) + b"new", "content")
        with self.check("an upload is completed again, for who did not hear the answer"):
            equal(self.complete("parts", upload, parts[:2])["ETag"], done["ETag"])
            refused("NoSuchUpload", 404, self.complete, "parts", upload, parts[1:2])
            refused("NoSuchUpload", 404, self.complete, "no parts", upload, parts[:2])
        with self.check("uploads that cannot be completed"):
            upload, parts = self.upload("refused", [(1, b"small"), (2, b"last")])
            refused("EntityTooSmall", 400, self.complete, "refused", upload, parts)
            refused("InvalidPartOrder", 400, self.complete, "refused", upload, parts[::-1])
            refused("InvalidPart", 400, self.complete, "refused", upload, parts + [{"PartNumber": 3, "ETag": '"x"'}])
            refused("MalformedXML", 400, self.complete, "refused", upload, [])
            refused("NoSuchUpload", 404, self.complete, "refused", "unknown", parts)
            refused("NoSuchUpload", 404, self.complete, "another", upload, parts)
            refused("InvalidArgument", 400, s3.upload_part, Bucket=self.bucket, Key="refused", UploadId=upload,
                    PartNumber=10001, Body=b"")
            s3.abort_multipart_upload(Bucket=self.bucket, Key="refused", UploadId=upload)
            refused("NoSuchUpload", 404, s3.abort_multipart_upload, Bucket=self.bucket, Key="refused", UploadId=upload)
            refused("NoSuchUpload", 404, s3.upload_part, Bucket=self.bucket, Key="refused", UploadId=upload,
                    PartNumber=1, Body=b"")
            refused("NoSuchKey", 404, self.get, "refused")
        with self.check("an upload of one small part"):
            upload, parts = self.upload("one", [(7, b"1")])
            self.complete("one", upload, parts)
            equal(self.body("one"), b"1")
        for algorithm, kind in [("CRC32", "COMPOSITE"), ("CRC32", "FULL_OBJECT"), ("SHA256", "COMPOSITE")]:
            with self.check(f"a checksum of an upload: {algorithm} {kind}"):
                bodies = [content(5 * MIB, 9), content(1000, 10)]
                upload = s3.create_multipart_upload(
                    Bucket=self.bucket, Key="sums", ChecksumAlgorithm=algorithm, ChecksumType=kind)["UploadId"]
                parts = []
                for number, body in enumerate(bodies, 1):
                    done = s3.upload_part(Bucket=self.bucket, Key="sums", UploadId=upload, PartNumber=number, Body=body,
                                          ChecksumAlgorithm=algorithm)
                    name = f"Checksum{algorithm}"
                    parts.append({"PartNumber": number, "ETag": done["ETag"], name: done[name]})
                for wrong in ["bad", base64.b64encode(bytes(4 if algorithm == "CRC32" else 32)).decode()]:
                    code = "InvalidRequest" if wrong == "bad" else "BadDigest"
                    refused(code, 400, s3.complete_multipart_upload, Bucket=self.bucket, Key="sums", UploadId=upload,
                            MultipartUpload={"Parts": parts}, **{name: wrong})
                done = self.complete("sums", upload, parts)

                def digest(data):
                    if algorithm == "SHA256":
                        return hashlib.sha256(data).digest()
                    return zlib.crc32(data).to_bytes(4, "big")

                if kind == "COMPOSITE":
                    value = base64.b64encode(digest(b"".join(map(digest, bodies)))).decode() + "-2"
                else:
                    value = base64.b64encode(digest(b"".join(bodies))).decode()
                equal((done[name], done["ChecksumType"]), (value, kind))
                head = s3.head_object(Bucket=self.bucket, Key="sums", ChecksumMode="ENABLED")
                equal((head[name], head["ChecksumType"]), (value, kind))
                found = s3.get_object_attributes(Bucket=self.bucket, Key="sums", ObjectAttributes=["Checksum"])["Checksum"]
                equal((found[name], found["ChecksumType"]), (value, kind))
                for number, body in enumerate(bodies, 1):
                    got = self.get("sums", PartNumber=number, ChecksumMode="ENABLED")
                    equal((got[name], got["ChecksumType"]), (base64.b64encode(digest(body)).decode(), kind), f"part {number}")
                true(self.body("sums", ChecksumMode="ENABLED") == b"".join(bodies), "content")
        with self.check("the library's own transfers"):
            body = content(self.options.size + 17, 11)
            config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB + 4321, max_concurrency=4)
            path = os.path.join(self.options.scratch, "transfer")
            with open(path, "wb") as file:
                file.write(body)
            s3.upload_file(path, self.bucket, "transfer", Config=config)
            s3.download_file(self.bucket, "transfer", path + ".back", Config=config)
            with open(path + ".back", "rb") as file:
                true(file.read() == body, "content")

    def copies(self):
        s3 = self.s3
        body = content(300_000, 12)
        self.put("copy/ä from", body, ContentType="text/x", Metadata={"m": "1"}, Tagging="t=1")
        source = {"Bucket": self.bucket, "Key": "copy/ä from"}
        with self.check("a copy has the content, the metadata and the tags"):
            done = s3.copy_object(Bucket=self.bucket, Key="copy/to", CopySource=source)
            equal(done["CopyObjectResult"]["ETag"], f'"{hashlib.md5(body).hexdigest()}"')
            got = self.get("copy/to")
            true(got["Body"].read() == body, "content")
            equal((got["ContentType"], got["Metadata"], got["TagCount"]), ("text/x", {"m": "1"}, 1))
        with self.check("a copy replaces metadata and tags"):
            s3.copy_object(Bucket=self.bucket, Key="copy/to", CopySource=source, MetadataDirective="REPLACE",
                           TaggingDirective="REPLACE", Metadata={"n": "2"}, ContentType="text/y")
            got = self.get("copy/to")
            equal((got["ContentType"], got["Metadata"], "TagCount" in got), ("text/y", {"n": "2"}, False))
        with self.check("a copy onto itself must change something"):
            own = {"Bucket": self.bucket, "Key": "copy/to"}
            refused("InvalidRequest", 400, s3.copy_object, Bucket=self.bucket, Key="copy/to", CopySource=own)
            s3.copy_object(Bucket=self.bucket, Key="copy/to", CopySource=own, MetadataDirective="REPLACE", Metadata={"o": "3"})
            got = self.get("copy/to")
            true(got["Body"].read() == body and got["Metadata"] == {"o": "3"}, "content and metadata")
        with self.check("a copy to another bucket and key"):
            other = f"{self.bucket}-copies"
            s3.create_bucket(Bucket=other)
            s3.copy_object(Bucket=other, Key="to", CopySource=source, ServerSideEncryption="aws:kms")
            got = self.get("to", bucket=other)
            true(got["Body"].read() == body and got["ServerSideEncryption"] == "aws:kms", "content and encryption")
            s3.delete_object(Bucket=other, Key="to")
            s3.delete_bucket(Bucket=other)
        with self.check("conditions of a copy"):
            etag = self.get("copy/ä from")["ETag"]
            s3.copy_object(Bucket=self.bucket, Key="copy/to", CopySource=source, CopySourceIfMatch=etag)
            refused("PreconditionFailed", 412, s3.copy_object, Bucket=self.bucket, Key="copy/to", CopySource=source,
                    CopySourceIfNoneMatch=etag)
            refused("NoSuchKey", 404, s3.copy_object, Bucket=self.bucket, Key="copy/to",
                    CopySource={"Bucket": self.bucket, "Key": "absent"})
        with self.check("parts that are copied, in ranges"):
            big = content(11 * MIB, 13)
            self.put("copy/big", big)
            upload = s3.create_multipart_upload(Bucket=self.bucket, Key="copy/parts")["UploadId"]
            parts = []
            for number, (start, end) in enumerate([(1, 5 * MIB + 2), (5 * MIB + 2, 11 * MIB)], 1):
                done = s3.upload_part_copy(
                    Bucket=self.bucket, Key="copy/parts", UploadId=upload, PartNumber=number,
                    CopySource={"Bucket": self.bucket, "Key": "copy/big"}, CopySourceRange=f"bytes={start}-{end - 1}")
                parts.append({"PartNumber": number, "ETag": done["CopyPartResult"]["ETag"]})
            refused("InvalidArgument", 400, s3.upload_part_copy, Bucket=self.bucket, Key="copy/parts", UploadId=upload,
                    PartNumber=3, CopySource={"Bucket": self.bucket, "Key": "copy/big"},
                    CopySourceRange=f"bytes=0-{11 * MIB}")
            self.complete("copy/parts", upload, parts)
            true(self.body("copy/parts") == big[1:], "content")

    def listings(self):
        s3 = self.s3
        bucket = f"{self.bucket}-list"
        s3.create_bucket(Bucket=bucket)
        names = ["a", "a/1", "a/2/x", "b", "b/", "b/1", "c d", "ö/1", "ö/2", "z"]
        for name in names:
            self.put(name, b"", bucket=bucket)
        with self.check("a listing with a delimiter"):
            page = s3.list_objects_v2(Bucket=bucket, Delimiter="/")
            equal([found["Key"] for found in page["Contents"]], ["a", "b", "c d", "z"])
            equal([found["Prefix"] for found in page["CommonPrefixes"]], ["a/", "b/", "ö/"])
            equal(page["KeyCount"], 7)
            page = s3.list_objects_v2(Bucket=bucket, Delimiter="/", Prefix="a/")
            equal([found["Key"] for found in page["Contents"]], ["a/1"])
            equal([found["Prefix"] for found in page["CommonPrefixes"]], ["a/2/"])
        for version in ["list_objects", "list_objects_v2"]:
            with self.check(f"{version} in pages of every size"):
                for size in range(1, 9):
                    pages = s3.get_paginator(version).paginate(
                        Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": size})
                    found = []
                    for page in pages:
                        found += [one["Key"] for one in page.get("Contents", [])]
                        found += [one["Prefix"] for one in page.get("CommonPrefixes", [])]
                    equal(sorted(found), sorted(["a", "a/", "b", "b/", "c d", "z", "ö/"]))
        with self.check("a listing begins behind a key"):
            page = s3.list_objects_v2(Bucket=bucket, StartAfter="b/1")
            equal([found["Key"] for found in page["Contents"]], ["c d", "z", "ö/1", "ö/2"])
            page = s3.list_objects(Bucket=bucket, Marker="z")
            equal([found["Key"] for found in page["Contents"]], ["ö/1", "ö/2"])
            equal(s3.list_objects_v2(Bucket=bucket, MaxKeys=0)["KeyCount"], 0)
            true(s3.list_objects_v2(Bucket=bucket, FetchOwner=True)["Contents"][0]["Owner"]["ID"], "owner")
        with self.check("a token that is none is refused"):
            refused("InvalidArgument", 400, s3.list_objects_v2, Bucket=bucket, ContinuationToken="~")
        s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": name} for name in names]})
        s3.delete_bucket(Bucket=bucket)

    def deletions(self):
        with self.check("deletions with a condition"):
            etag = self.put("kept", b"x")["ETag"]
            delete = lambda **condition: self.s3.delete_object(Bucket=self.bucket, Key="kept", **condition)
            refused("PreconditionFailed", 412, delete, IfMatch='"other"')
            for condition in [{"IfMatchSize": 5}, {"IfMatchLastModifiedTime": datetime.datetime(2001, 1, 1)}]:
                refused("NotImplemented", 501, delete, **condition)
            many = {"Objects": [{"Key": "kept", "ETag": '"other"'}, {"Key": "kept", "Size": 5}]}
            errors = self.s3.delete_objects(Bucket=self.bucket, Delete=many)["Errors"]
            equal([error["Code"] for error in errors], ["PreconditionFailed", "NotImplemented"])
            equal(self.body("kept"), b"x")
            delete(IfMatch=etag)
            # What is not there is deleted, whatever it should have been.
            delete(IfMatch=etag)
            refused("NoSuchKey", 404, self.get, "kept")
        s3 = self.s3
        with self.check("an object is deleted, and again"):
            self.put("gone", b"x")
            for _ in range(2):
                equal(s3.delete_object(Bucket=self.bucket, Key="gone")["ResponseMetadata"]["HTTPStatusCode"], 204)
            refused("NoSuchKey", 404, self.get, "gone")
        with self.check("many objects are deleted"):
            names = [f"gone/{at}" for at in range(20)]
            for name in names:
                self.put(name, b"")
            done = s3.delete_objects(Bucket=self.bucket, Delete={"Objects": [{"Key": name} for name in names + ["absent"]]})
            equal(sorted(one["Key"] for one in done["Deleted"]), sorted(names + ["absent"]))
            equal(s3.list_objects_v2(Bucket=self.bucket, Prefix="gone/")["KeyCount"], 0)
            quiet = s3.delete_objects(Bucket=self.bucket, Delete={"Objects": [{"Key": "x"}], "Quiet": True})
            true("Deleted" not in quiet, "quiet")
            many = {"Objects": [{"Key": str(at)} for at in range(1001)]}
            refused("MalformedXML", 400, s3.delete_objects, Bucket=self.bucket, Delete=many)

    def tags(self):
        s3 = self.s3
        with self.check("tags of an object"):
            self.put("tags", b"x", Tagging="a=1&b%20c=%C3%B6")
            expected = [{"Key": "a", "Value": "1"}, {"Key": "b c", "Value": "ö"}]
            equal(s3.get_object_tagging(Bucket=self.bucket, Key="tags")["TagSet"], expected)
            headers = s3.head_object(Bucket=self.bucket, Key="tags")["ResponseMetadata"]["HTTPHeaders"]
            equal(headers["x-amz-tagging-count"], "2")
            s3.put_object_tagging(Bucket=self.bucket, Key="tags", Tagging={"TagSet": [{"Key": "n", "Value": ""}]})
            equal(s3.get_object_tagging(Bucket=self.bucket, Key="tags")["TagSet"], [{"Key": "n", "Value": ""}])
            equal(self.get("tags")["TagCount"], 1)
            s3.delete_object_tagging(Bucket=self.bucket, Key="tags")
            equal(s3.get_object_tagging(Bucket=self.bucket, Key="tags")["TagSet"], [])
            equal(self.body("tags"), b"x")
        with self.check("tags that are none"):
            many = [{"Key": str(at), "Value": "x"} for at in range(11)]
            refused("BadRequest", 400, s3.put_object_tagging, Bucket=self.bucket, Key="tags", Tagging={"TagSet": many})
            twice = [{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}]
            refused("InvalidTag", 400, s3.put_object_tagging, Bucket=self.bucket, Key="tags", Tagging={"TagSet": twice})
            refused("NoSuchKey", 404, s3.get_object_tagging, Bucket=self.bucket, Key="absent")
        with self.check("tags of a bucket"):
            refused("NoSuchTagSet", 404, s3.get_bucket_tagging, Bucket=self.bucket)
            s3.put_bucket_tagging(Bucket=self.bucket, Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
            equal(s3.get_bucket_tagging(Bucket=self.bucket)["TagSet"], [{"Key": "k", "Value": "v"}])
            s3.delete_bucket_tagging(Bucket=self.bucket)
            refused("NoSuchTagSet", 404, s3.get_bucket_tagging, Bucket=self.bucket)

    def versions(self):
        s3 = self.s3
        bucket = f"{self.bucket}-versions"
        s3.create_bucket(Bucket=bucket)
        with self.check("versions stay"):
            true("Status" not in s3.get_bucket_versioning(Bucket=bucket), "off")
            true("VersionId" not in self.put("v", b"null", bucket=bucket), "no version")
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
            equal(s3.get_bucket_versioning(Bucket=bucket)["Status"], "Enabled")
            one = self.put("v", b"one", bucket=bucket)["VersionId"]
            two = self.put("v", b"two", bucket=bucket)["VersionId"]
            true(len({one, two, "null"}) == 3, "three versions")
            for version, body in [("null", b"null"), (one, b"one"), (two, b"two")]:
                got = self.get("v", bucket=bucket, VersionId=version)
                equal((got["Body"].read(), got["VersionId"]), (body, version))
            equal(self.body("v", bucket=bucket), b"two")
        with self.check("a delete marker hides them and goes again"):
            marker = s3.delete_object(Bucket=bucket, Key="v")
            true(marker["DeleteMarker"], "marker")
            error = refused("NoSuchKey", 404, self.get, "v", bucket=bucket)
            equal(error.response["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"], "true")
            refused("MethodNotAllowed", 405, self.get, "v", bucket=bucket, VersionId=marker["VersionId"])
            equal(s3.list_objects_v2(Bucket=bucket)["KeyCount"], 0)
            listed = s3.list_object_versions(Bucket=bucket)
            equal([found["VersionId"] for found in listed["Versions"]], [two, one, "null"])
            equal([(found["VersionId"], found["IsLatest"]) for found in listed["DeleteMarkers"]], [(marker["VersionId"], True)])
            pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": 1})
            equal([found["VersionId"] for page in pages for found in page.get("Versions", [])], [two, one, "null"])
            s3.delete_object(Bucket=bucket, Key="v", VersionId=marker["VersionId"])
            equal(self.body("v", bucket=bucket), b"two")
        with self.check("a version is deleted, tagged, copied"):
            s3.put_object_tagging(Bucket=bucket, Key="v", VersionId=one, Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
            equal(s3.get_object_tagging(Bucket=bucket, Key="v", VersionId=one)["TagSet"], [{"Key": "k", "Value": "v"}])
            equal(s3.get_object_tagging(Bucket=bucket, Key="v")["TagSet"], [])
            s3.copy_object(Bucket=bucket, Key="w", CopySource={"Bucket": bucket, "Key": "v", "VersionId": one})
            equal(self.body("w", bucket=bucket), b"one")
            refused("PreconditionFailed", 412, s3.delete_object, Bucket=bucket, Key="v", VersionId=two, IfMatch='"other"')
            s3.delete_object(Bucket=bucket, Key="v", VersionId=two, IfMatch=hashlib.md5(b"two").hexdigest())
            equal(self.body("v", bucket=bucket), b"one")
            refused("NoSuchVersion", 404, self.get, "v", bucket=bucket, VersionId=two)
        with self.check("suspended, the null version is replaced"):
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
            self.put("v", b"null again", bucket=bucket)
            listed = s3.list_object_versions(Bucket=bucket, Prefix="v")["Versions"]
            # moto forgets all versions of a key when a bucket that is suspended has a new null version of it.
            equal([found["VersionId"] for found in listed], ["null"] if self.options.upstream == "moto" else ["null", one])
            equal(self.body("v", bucket=bucket), b"null again")
        for found in s3.list_object_versions(Bucket=bucket)["Versions"]:
            s3.delete_object(Bucket=bucket, Key=found["Key"], VersionId=found["VersionId"])
        with self.check("a bucket without versions is deleted"):
            s3.delete_bucket(Bucket=bucket)

    def presigned(self):
        def fetch(url, method="GET", data=None):
            request = urllib.request.Request(url, data=data, method=method)
            if data is not None:
                request.add_header("Content-Type", "")
            with urllib.request.urlopen(request) as answer:
                return answer.read()

        # Left to itself, the library signs URLs with version 2, which is refused.
        s3 = self.client(signature_version="s3v4")
        target = {"Bucket": self.bucket, "Key": "pre signed/ü"}
        with self.check("presigned URLs put and get"):
            fetch(s3.generate_presigned_url("put_object", Params=target), "PUT", b"by url")
            equal(fetch(s3.generate_presigned_url("get_object", Params=target)), b"by url")
        for name, change in [
            ("changed", lambda url: url.replace("X-Amz-Expires=60", "X-Amz-Expires=61")),
            ("of another key", lambda url: url.replace("signed", "other")),
            ("for another method", lambda url: url),
        ]:
            with self.check(f"a presigned URL that is {name} is refused"):
                url = change(s3.generate_presigned_url("get_object", Params=target, ExpiresIn=60))
                try:
                    fetch(url, "DELETE" if name == "for another method" else "GET")
                except urllib.error.HTTPError as error:
                    equal(error.code, 403)
                else:
                    raise AssertionError("it was taken")
        with self.check("a presigned URL ends, and lasts a week at most"):
            url = s3.generate_presigned_url("get_object", Params=target, ExpiresIn=1)
            time.sleep(2.1)
            for url, code in [(url, 403), (s3.generate_presigned_url("get_object", Params=target, ExpiresIn=604801), 400)]:
                try:
                    fetch(url)
                except urllib.error.HTTPError as error:
                    equal(error.code, code)
                else:
                    raise AssertionError("it was taken")

    def concurrency(self):
        with self.check("whoever reads while others write reads one of what they wrote"):
            bodies = [content(400_000 + at, 20 + at) for at in range(4)]
            digests = {hashlib.md5(body).hexdigest() for body in bodies}
            self.put("contended", bodies[0])
            stop = time.monotonic() + 5

            def write(body):
                client = self.client()
                while time.monotonic() < stop:
                    client.put_object(Bucket=self.bucket, Key="contended", Body=body)

            def read():
                client = self.client()
                count = 0
                while time.monotonic() < stop:
                    got = client.get_object(Bucket=self.bucket, Key="contended")
                    digest = hashlib.md5(got["Body"].read()).hexdigest()
                    true(digest in digests and got["ETag"] == f'"{digest}"', "a whole object")
                    count += 1
                return count

            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                writers = [pool.submit(write, body) for body in bodies]
                readers = [pool.submit(read) for _ in range(4)]
                true(sum(reader.result() for reader in readers) > 10, "readings")
                for writer in writers:
                    writer.result()
        with self.check("of writers that must be first, one is"):
            def attempt(at):
                try:
                    self.client().put_object(Bucket=self.bucket, Key="first", Body=str(at).encode(), IfNoneMatch="*")
                except ClientError as error:
                    equal(error.response["Error"]["Code"], "PreconditionFailed")
                    return None
                return str(at).encode()

            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                won = [body for body in pool.map(attempt, range(8)) if body is not None]
            equal(len(won), 1)
            equal(self.body("first"), won[0])

    def refusals(self):
        with self.check("who may not sign is refused"):
            wrong = self.client(secret_key="not the secret")
            refused("SignatureDoesNotMatch", 403, wrong.list_buckets)
            refused("SignatureDoesNotMatch", 403, wrong.put_object, Bucket=self.bucket, Key="intruder", Body=b"x")
            unknown = self.client(access_key="UNKNOWNKEY")
            refused("InvalidAccessKeyId", 403, unknown.list_buckets)
            old = self.client(signature_version="s3")
            refused("InvalidRequest", 400, old.list_buckets)
            refused("NoSuchKey", 404, self.get, "intruder")
        with self.check("what is not implemented says so"):
            refused("NotImplemented", 501, self.s3.get_bucket_website, Bucket=self.bucket)
        with self.check("a key can be too long"):
            refused("KeyTooLongError", 400, self.put, "x" * 1025, b"")

    def cleaned(self):
        with self.check("all is deleted"):
            pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
            for page in pages:
                names = [{"Key": found["Key"]} for found in page.get("Contents", [])]
                done = self.s3.delete_objects(Bucket=self.bucket, Delete={"Objects": names})
                true("Errors" not in done, "errors")
            self.s3.delete_bucket(Bucket=self.bucket)
            equal(self.s3.list_buckets()["Buckets"], [])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True, help="http://HOST:PORT of the gateway")
    parser.add_argument("--access-key", required=True)
    parser.add_argument("--secret-key", required=True)
    parser.add_argument("--scratch", required=True, help="directory for files of the test")
    parser.add_argument("--size", type=int, default=64 * MIB, help="the largest object, in bytes")
    parser.add_argument("--upstream", choices=["moto"], help="what the gateway stands before, if it is no directory")
    parser.add_argument("--all", action="store_true", help="go on after a failed check")
    options = parser.parse_args()
    checks = Checks(options.all)
    Run(checks, options).all()
    checks.finish()


if __name__ == "__main__":
    main()
