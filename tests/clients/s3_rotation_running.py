"""The keys of a bucket are rotated, its data keys rewrapped and old keys destroyed while the gateway runs and clients write and read:
no write is lost or undone, no reading fails, and whatever is killed, it goes on when it is called again.
"""

import http.client
import os
import random
import signal
import subprocess
import threading

from checks import equal, true
from s3_gateway import Gateway, Kmip, run_by_chance, wait_until

BUCKET = "running"
OBJECTS = 150
WRITERS = 3
# So many writes by each writer come after each rotation at least.
WRITES = 5
ROTATIONS = 4


class Run:
    def __init__(self, checks, options, directory):
        self.check = checks.check
        self.options = options
        self.kmip = Kmip(options.claviger, directory).start()
        self.kmip.audit()
        # Nothing is remembered: whatever is read asks for its key.
        self.gateway = Gateway(options.gateway, directory, self.kmip, ["--data-key-cache-seconds", "0"])
        self.random = random.Random(options.seed)
        self.expected = {}

    def command(self, *words):
        """A command needs no more than the store: the gateway has the rest."""
        return [self.options.gateway, "--store", self.gateway.store, *words]

    def run(self, *words):
        return subprocess.run(self.command(*words), capture_output=True, text=True, timeout=300)

    def does(self, *words):
        done = self.run(*words)
        equal(done.returncode, 0, done.stderr)
        return done

    def start(self, *more):
        self.gateway.start(*more)
        self.s3 = self.gateway.client()

    def put(self, key, body):
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        self.expected[key] = body

    def all_readable(self):
        for key, body in self.expected.items():
            equal(self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read(), body, key)

    def slow_put(self, key, body):
        """A PUT that has begun, and what ends it."""
        url = self.gateway.client(signature_version="s3v4").generate_presigned_url(
            "put_object", Params={"Bucket": BUCKET, "Key": key})
        connection = http.client.HTTPConnection("127.0.0.1", self.gateway.port, timeout=60)
        connection.putrequest("PUT", url.removeprefix(self.gateway.endpoint))
        connection.putheader("Content-Length", str(len(body)))
        before = len(self.gateway.blobs())
        connection.endheaders()
        connection.send(body[:1])
        wait_until(lambda: len(self.gateway.blobs()) > before, "the write has begun")

        def end():
            connection.send(body[1:])
            answer = connection.getresponse()
            equal(answer.status, 200, answer.read())
            self.expected[key] = body

        return end

    def destroyed(self):
        return self.kmip.operations().get("Destroy", 0)

    def all(self):
        self.start()
        self.s3.create_bucket(Bucket=BUCKET)
        for number in range(OBJECTS):
            self.put(f"{number}", self.random.randbytes(number))
        self.writes_in_between()
        self.uploads()
        self.meanwhile()
        self.killed()
        self.scheme1()

    def writes_in_between(self):
        end = self.slow_put("slow", self.random.randbytes(300_000))
        with self.check("a command reaches the gateway that runs, and says how far it is"):
            key = self.does("rotate", BUCKET).stdout.strip()
            done = self.does("rewrap", "--destroy", BUCKET)
            true(f"{OBJECTS} versions seen, {OBJECTS} rewrapped" in done.stderr, done.stderr)
            true(f"{OBJECTS} of {OBJECTS} versions rewrapped" in done.stdout, done.stdout)
            equal(self.destroyed(), 1, "Destroy")
        with self.check("a write that began under a key that is destroyed ends under the new one"):
            end()
            answer = self.s3.put_object(Bucket=BUCKET, Key="probe", Body=b"", ServerSideEncryption="aws:kms")
            equal(answer["SSEKMSKeyId"], key, "the key of new objects")
            self.all_readable()
            true(self.does("rewrap", BUCKET).stdout.startswith("0 of "), "no old key is left")
        with self.check("what is no bucket is refused"):
            for words in (["rotate", "nowhere"], ["rewrap", "nowhere"]):
                done = self.run(*words)
                equal(done.returncode, 1, "exit code")
                true("no such bucket" in done.stderr, done.stderr)

    def uploads(self):
        upload = self.s3.create_multipart_upload(Bucket=BUCKET, Key="upload")["UploadId"]
        destroyed = self.destroyed()
        with self.check("an upload keeps its key"):
            self.does("rotate", BUCKET)
            done = self.does("rewrap", "--destroy", BUCKET)
            true("1 uploads are under an old key" in done.stdout, done.stdout)
            equal(self.destroyed(), destroyed, "Destroy")
            part = self.s3.upload_part(Bucket=BUCKET, Key="upload", UploadId=upload, PartNumber=1, Body=b"part")
            parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
            self.s3.complete_multipart_upload(Bucket=BUCKET, Key="upload", UploadId=upload, MultipartUpload=parts)
            self.expected["upload"] = b"part"
            self.does("rewrap", "--destroy", BUCKET)
            equal(self.destroyed(), destroyed + 1, "Destroy")
            self.all_readable()

    def meanwhile(self):
        """Writers overwrite and readers read while keys come and go."""
        ended = threading.Event()
        failures, written = [], [0] * WRITERS

        def worker(work, number):
            s3 = self.gateway.client()
            chance = random.Random(f"{self.options.seed} {work} {number}")
            try:
                while not ended.is_set():
                    if work == "write":
                        key, body = f"{chance.randrange(OBJECTS // WRITERS) * WRITERS + number}", chance.randbytes(50)
                        s3.put_object(Bucket=BUCKET, Key=key, Body=body)
                        self.expected[key] = body
                        written[number] += 1
                    else:
                        s3.get_object(Bucket=BUCKET, Key=f"{chance.randrange(OBJECTS)}")["Body"].read()
            except Exception as error:  # whatever it is, the client has seen it
                failures.append(f"{work}: {error}")

        workers = [threading.Thread(target=worker, args=("write", number)) for number in range(WRITERS)]
        workers += [threading.Thread(target=worker, args=("read", number)) for number in range(2)]
        for thread in workers:
            thread.start()
        with self.check("keys come and go, and clients notice nothing"):
            try:
                destroyed = self.destroyed()
                for _ in range(ROTATIONS):
                    before = list(written)
                    self.does("rotate", BUCKET)
                    self.does("rewrap", "--destroy", BUCKET)
                    wait_until(lambda: failures or all(now >= then + WRITES for now, then in zip(written, before)), "clients write")
                equal(self.destroyed(), destroyed + ROTATIONS, "Destroy")
            finally:
                ended.set()
                for thread in workers:
                    thread.join()
            equal(failures, [], "failures")
        with self.check("every object is what was written last"):
            self.all_readable()

    def interrupt(self, kill):
        """Begins a rewrapping, and kills when it is under way."""
        self.does("rotate", BUCKET)
        decrypts = lambda: self.kmip.operations().get("Decrypt", 0)
        before = decrypts()
        process = subprocess.Popen(
            self.command("rewrap", "--destroy", BUCKET), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_until(lambda: decrypts() > before + self.random.randrange(20) or process.poll() is not None, "the rewrapping is under way")
        kill(process)
        return process.communicate(timeout=60)[1], process.returncode

    def killed(self):
        with self.check("the gateway is killed while it rewraps"):
            for _ in range(3):
                said, code = self.interrupt(lambda _: self.gateway.process.kill())
                true(code == 0 or (code == 1 and ("call again" in said or "cannot be asked" in said)), said)
                self.start()
                self.all_readable()
                self.does("rewrap", "--destroy", BUCKET)
                true(self.does("rewrap", BUCKET).stdout.startswith("0 of 0"), "no old key is left")
                self.all_readable()
        with self.check("whoever asked is killed"):
            for number in [signal.SIGKILL, signal.SIGINT]:
                self.interrupt(lambda process: process.send_signal(number))
                self.all_readable()
                self.does("rewrap", "--destroy", BUCKET)
                true(self.does("rewrap", BUCKET).stdout.startswith("0 of 0"), "no old key is left")
                self.all_readable()
        with self.check("without a gateway the command needs its settings, and does it itself"):
            self.gateway.process.kill()
            done = self.run("rotate", BUCKET)
            equal(done.returncode, 1, "exit code")
            true("none is named" in done.stderr, done.stderr)
            settings = ["--kmip-server", f"127.0.0.1:{self.kmip.port}", "--client", self.kmip.path("client")]
            self.does(*settings, "rotate", BUCKET)
            self.does(*settings, "rewrap", "--destroy", BUCKET)
            self.start()
            self.all_readable()
        with self.check("the socket is nobody else's, and goes with the gateway"):
            socket = os.path.join(self.gateway.store, "control.sock")
            equal(os.stat(socket).st_mode & 0o022, 0, "who may write to it")
            equal(self.gateway.process.end(), 0, "exit code")
            true(not os.path.exists(socket), "it is gone")

    def scheme1(self):
        self.start("--format", "scheme1")
        with self.check("the same in Zenko's form"):
            self.put("zenko", b"zenko")
            end = self.slow_put("slow zenko", self.random.randbytes(300_000))
            upload = self.s3.create_multipart_upload(Bucket=BUCKET, Key="upload zenko")["UploadId"]
            destroyed = self.destroyed()
            self.does("rotate", BUCKET)
            done = self.does("rewrap", "--destroy", BUCKET)
            true("1 uploads are under an old key" in done.stdout, done.stdout)
            end()
            part = self.s3.upload_part(Bucket=BUCKET, Key="upload zenko", UploadId=upload, PartNumber=1, Body=b"part")
            parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
            self.s3.complete_multipart_upload(Bucket=BUCKET, Key="upload zenko", UploadId=upload, MultipartUpload=parts)
            self.expected["upload zenko"] = b"part"
            self.does("rewrap", "--destroy", BUCKET)
            equal(self.destroyed(), destroyed + 1, "Destroy")
            self.all_readable()


if __name__ == "__main__":
    run_by_chance(__doc__, Run)
