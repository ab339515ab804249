"""The processes of the S3 tests: a KMIP server and a gateway, started, killed and started again."""

import argparse
import ctypes
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import boto3
from botocore.config import Config

from checks import Checks, equal, free_port, true

ACCESS_KEY = "TESTACCESSKEY"
SECRET_KEY = "test secret key"
TOKEN = "integration-root-token"
# Bytes of a stored segment: 64 KiB of content and a tag.
SEGMENT = 65536 + 16
READY_WITHIN = 60
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


class Process:
    """A program that says `ready …` when it is."""

    def __init__(self, command, log, environment=None):
        self.log = open(log, "ab")
        # A failed check ends the script at once: whatever it started ends with it.
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self.log, stdin=subprocess.PIPE, env=environment,
            preexec_fn=lambda: LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))
        watchdog = threading.Timer(READY_WITHIN, self.process.kill)
        watchdog.start()
        self.ready = None
        for line in self.process.stdout:
            if line.startswith(b"ready "):
                self.ready = line.decode().strip()
                break
        watchdog.cancel()
        if self.ready is None:
            raise AssertionError(f"{command[0]} did not get ready; see {log}")

    def alive(self):
        return self.process.poll() is None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def memory(self):
        """The most memory it has had, in bytes."""
        with open(f"/proc/{self.process.pid}/status") as status:
            line = next(line for line in status if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024


class Kmip:
    """`claviger server --dev` on a data directory, at one address whenever it runs."""

    def __init__(self, binary, directory):
        self.binary = binary
        self.directory = directory
        self.port, self.api = free_port(), free_port()
        self.process = None

    def start(self):
        self.process = Process([
            self.binary, "server", "--dev", "--data-dir", self.path("data"), "--kmip-addr", f"127.0.0.1:{self.port}",
            "--api-addr", f"127.0.0.1:{self.api}", "--root-token", TOKEN, "--export-client", self.path("client"),
        ], self.path("kmip.log"))
        return self

    def path(self, name):
        return os.path.join(self.directory, name)

    def audit(self):
        body = json.dumps({"type": "file", "options": {"file_path": self.path("counted.log")}}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.api}/v1/sys/audit/counted", data=body, method="PUT",
            headers={"X-Vault-Token": TOKEN, "Content-Type": "application/json"})
        urllib.request.urlopen(request).read()

    def operations(self):
        """How often each operation was asked for since the audit began."""
        counts = {}
        with open(self.path("counted.log")) as log:
            for line in log:
                entry = json.loads(line)
                if entry["type"] == "kmip" and entry["phase"] == "request":
                    operation = entry["operation"]
                    counts[operation] = counts.get(operation, 0) + 1
        return counts


class Moto:
    """Another S3 store. It keeps everything in memory, and looks at no signature."""

    def __init__(self, directory):
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "s3_moto.py")
        self.process = Process([sys.executable, "-B", script], os.path.join(directory, "moto.log"))
        self.endpoint = self.process.ready.removeprefix("ready store=")

    def client(self):
        return boto3.client(
            "s3", endpoint_url=self.endpoint, region_name="us-east-1", aws_access_key_id="STORE",
            aws_secret_access_key="secret of the store", config=Config(s3={"addressing_style": "path"}))


class Gateway:
    """A gateway on a store, at one address whenever it runs. The store is a directory of its own, or has an address."""

    def __init__(self, binary, directory, kmip=None, arguments=(), store=None):
        self.binary = binary
        self.directory = directory
        self.kmip = kmip
        self.port = free_port()
        self.arguments = list(arguments)
        self.process = None
        self.store = store or os.path.join(directory, "store")
        if store:
            credentials = os.path.join(directory, "store.toml")
            with open(credentials, "w") as file:
                file.write('access_key = "STORE"\nsecret_key = "secret of the store"\n')
            self.arguments += ["--store-credentials", credentials]

    def start(self, *more):
        command = [
            self.binary, "--listen", f"127.0.0.1:{self.port}", "--store", self.store, "--access-key", ACCESS_KEY,
            "--secret-key", SECRET_KEY, *self.arguments, *more,
        ]
        if self.kmip is not None:
            command += ["--kmip-server", f"127.0.0.1:{self.kmip.port}", "--client", self.kmip.path("client")]
        self.process = Process(command, os.path.join(self.directory, "gateway.log"))
        return self

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def client(self, **config):
        config.setdefault("retries", {"max_attempts": 0})
        return boto3.client(
            "s3", endpoint_url=self.endpoint, region_name="us-east-1", aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY, config=Config(s3={"addressing_style": "path"}, **config))

    def refuses(self, bucket, key, body):
        """A reading ends with an error, and what came before it is right."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        url = self.client(signature_version="s3v4").generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key})
        connection.request("GET", url.removeprefix(self.endpoint))
        answer = connection.getresponse()
        if answer.status == 200:
            try:
                found = answer.read()
            except http.client.IncompleteRead as error:
                found = error.partial
            true(len(found) < len(body), "all of it came")
            true(body.startswith(found), "a wrong byte came")
        else:
            equal(answer.status, 500)
        connection.close()

    def blobs(self):
        """The files with the objects' bytes."""
        top = os.path.join(self.store, "blobs")
        return [os.path.join(shelf, name) for shelf, _, names in os.walk(top) for name in names]


def damaged(stored, count):
    """Stored bytes of more than three segments with everything that may happen to them, each with its name; `count` times a
    byte anywhere is changed."""
    chance = random.Random(9)
    for at in [0, SEGMENT - 1, SEGMENT, len(stored) - 1] + [chance.randrange(len(stored)) for _ in range(count)]:
        yield f"byte {at} is changed", stored[:at] + bytes([stored[at] ^ (1 << chance.randrange(8))]) + stored[at + 1:]
    segments = [stored[at:at + SEGMENT] for at in range(0, len(stored), SEGMENT)]
    yield "the last segment is missing", b"".join(segments[:-1])
    yield "the last byte is missing", stored[:-1]
    yield "a byte more is there", stored + b"x"
    yield "nothing is there", b""
    yield "a segment is missing", b"".join(segments[:2] + segments[3:])
    yield "two segments are swapped", b"".join([segments[1], segments[0]] + segments[2:])
    yield "a segment is there twice", b"".join(segments[:2] + [segments[1]] + segments[3:])


def run_by_chance(description, run):
    """The program of a script whose checks take their moments by chance: `run(checks, options, directory)` makes what has all
    of them in `all()`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--gateway", required=True, help="the binary claviger-s3")
    parser.add_argument("--claviger", required=True, help="the binary claviger")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--all", action="store_true", help="go on after a failed check")
    options = parser.parse_args()
    checks = Checks(options.all)
    print(f"seed {options.seed}")
    with tempfile.TemporaryDirectory() as directory:
        run(checks, options, directory).all()
    checks.finish()


def wait_until(condition, what, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)
