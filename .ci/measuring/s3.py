"""The S3 gateway."""

import concurrent.futures
import filecmp
import hashlib
import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from urllib.parse import urlsplit

from measuring.servers import BINARY, PYTHON, ROOT, SCRATCH, Server, note

MIB = 1 << 20


class Gateway:
    """The S3 gateway on a store of its own, or before the one at an address; with a KMIP server it encrypts, without it does
    not."""

    def __init__(self, name, server=None, store=None):
        directory = os.path.join(SCRATCH, name)
        command = [os.path.join(os.path.dirname(BINARY), "claviger-s3"), "--listen", "127.0.0.1:0",
                   "--store", store or directory, "--access-key", "MEASURE", "--secret-key", "measure-secret",
                   "--log-level", "warn"]
        if server is not None:
            command += ["--kmip-server", server.address, "--client", server.client]
        environment = {**os.environ, "AWS_ACCESS_KEY_ID": "MEASURE", "AWS_SECRET_ACCESS_KEY": "measure-secret"}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        self.endpoint = next(line for line in self.process.stdout if line.startswith("ready s3=")).strip()[len("ready s3="):]
        # boto3 signs: urls of one object, and the bucket.
        script = """if True:
            import boto3, sys
            from botocore.config import Config
            client = boto3.client("s3", endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id="MEASURE",
                aws_secret_access_key="measure-secret", config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))
            client.create_bucket(Bucket="measure")
            for name in sys.argv[2:]:
                for call in ["get_object", "put_object"]:
                    print(client.generate_presigned_url(call, Params={"Bucket": "measure", "Key": name}, ExpiresIn=86400))"""
        self.names = ["64", "1", "1024"]
        answer = subprocess.run([PYTHON, "-c", script, self.endpoint, *self.names], capture_output=True, text=True, check=True)
        urls = answer.stdout.split()
        self.get = dict(zip(self.names, urls[::2]))
        self.put = dict(zip(self.names, urls[1::2]))

    def memory_mib(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            line = next(line for line in status if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


class Moto:
    """moto as the store. It keeps everything in memory."""

    def __init__(self):
        script = os.path.join(ROOT, "tests", "clients", "s3_moto.py")
        self.process = subprocess.Popen([PYTHON, "-B", "-W", "ignore", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.endpoint = next(line for line in self.process.stdout if line.startswith("ready ")).strip()[len("ready store="):]

    def stop(self):
        self.process.stdin.close()
        self.process.wait(30)


def pieces(size):
    """The content of an object, a MiB at a time; no two are the same."""
    block = os.urandom(MIB - 8)
    for number in range(size // MIB):
        yield number.to_bytes(8, "big") + block


def ask(method, url, body=None, **headers):
    """An answer of the gateway to a presigned URL."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.netloc, timeout=600)
    connection.request(method, f"{place.path}?{place.query}", body, headers)
    answer = connection.getresponse()
    if answer.status not in (200, 206):
        sys.exit(f"{method} {place.path}: {answer.status} {answer.read()}")
    return answer


def by_clients(gateway, size):
    """A large object there and back by what people use: boto3 and the `aws` command, in parts of which ten go at once."""
    there, back = os.path.join(SCRATCH, "large"), os.path.join(SCRATCH, "back")
    with open(there, "wb") as file:
        file.writelines(pieces(size))
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": "MEASURE", "AWS_SECRET_ACCESS_KEY": "measure-secret",
                   "AWS_DEFAULT_REGION": "us-east-1", "AWS_CONFIG_FILE": os.devnull}
    script = """if True:
        import boto3, sys
        client = boto3.client("s3", endpoint_url=sys.argv[1])
        client.upload_file(sys.argv[2], "measure", "boto3")
        client.download_file("measure", "boto3", sys.argv[3])"""
    aws = [PYTHON, os.path.join(os.path.dirname(PYTHON), "aws"), "--endpoint-url", gateway.endpoint, "s3", "cp", "--quiet"]
    for commands in [[[PYTHON, "-c", script, gateway.endpoint, there, back]],
                     [[*aws, there, "s3://measure/aws"], [*aws, "s3://measure/aws", back]]]:
        for command in commands:
            subprocess.run(command, env=environment, check=True)
        if not filecmp.cmp(there, back, shallow=False):
            sys.exit(f"{' '.join(commands[0])}: what came back is not what was put")
        os.remove(back)
    os.remove(there)


def large_object(table, name, gateway, size):
    """A large object through a gateway before a store, and back."""
    digest, tail = hashlib.sha256(), b""

    def sent():
        nonlocal tail
        for piece in pieces(size):
            digest.update(piece)
            tail = piece[-1000:]
            yield piece

    began = time.monotonic()
    ask("PUT", gateway.put["1024"], sent(), **{"Content-Length": str(size)}).read()
    put = time.monotonic()
    answer, found = ask("GET", gateway.get["1024"]), hashlib.sha256()
    while piece := answer.read(MIB):
        found.update(piece)
    got = time.monotonic()
    end = ask("GET", gateway.get["1024"], Range=f"bytes={size - 1000}-{size - 1}").read()
    if found.digest() != digest.digest() or end != tail:
        sys.exit(f"before {name}: what came back is not what was put")
    by_clients(gateway, size)
    rates = [size / MIB / seconds for seconds in (put - began, got - put)]
    table.target(f"memory with {size // MIB} MiB before {name}", gateway.memory_mib(), most=64 + 10, unit=" MiB",
                 detail="PUT {:.0f}, GET {:.0f} MiB/s, hashed on the way".format(*rates))


def transfer(*arguments):
    """One run of the measurements' client."""
    command = [os.path.join(os.path.dirname(BINARY), "examples", "transfer"), *map(str, arguments)]
    answer = subprocess.run(command, capture_output=True, text=True)
    if answer.returncode != 0:
        sys.exit(f"{' '.join(command)}: {answer.stderr}")
    return json.loads(answer.stdout)


def s3(table, options):
    """The S3 gateway: what encryption costs, beside hash and cipher alone; one transfer at a time but for memory."""
    large = 64 if options.smoke else 1024
    server = Server("s3-kmip", False).start()
    sealed, plain = Gateway("s3-sealed", server), Gateway("s3-plain")
    # A GET of 64 MiB takes 30 ms: many of them, in turns, that the processors' moods are evened out.
    puts, gets, turns = (3, 10, 1) if options.smoke else (3, 40, 5)
    taken = {name: [] for name in ("put", "put plain", "get", "get plain", "md5", "gcm")}
    for run in range(options.runs):
        for name, work in [
            ("put", ("put", sealed.put["64"], 64 * MIB, puts)), ("put plain", ("put", plain.put["64"], 64 * MIB, puts)),
            ("md5", ("md5", 64 * MIB, puts)),
            *[("get", ("get", sealed.get["64"], gets)), ("get plain", ("get", plain.get["64"], gets)),
              ("gcm", ("gcm", 64 * MIB, puts))] * turns,
        ]:
            rate = transfer(*work)["bytes_per_second"]
            taken[name].append(rate)
            note(f"run {run + 1}: {name}: {rate / MIB:.0f} MiB/s")

    def ratio(name, other):
        return statistics.median(rate / base for rate, base in zip(taken[name], taken[other], strict=True))

    print("| workload | MiB/s, median |\n|---|---|")
    for name, rates in taken.items():
        print(f"| {name} | {statistics.median(rates) / MIB:.0f} |")
    print()
    table.target("PUT of 64 MiB, to one without encryption", ratio("put", "put plain"), least=0.8)
    table.target("GET of 64 MiB, to one without encryption", ratio("get", "get plain"), least=0.8)
    table.target("PUT of 64 MiB, to MD5 alone", ratio("put", "md5"), least=0.5)
    table.target("GET of 64 MiB, to AES-256-GCM alone", ratio("get", "gcm"), least=0.15)
    transfer("put", sealed.put["1"], MIB, 1)
    transfer("put", sealed.put["1024"], large * MIB, 1)
    end = large * MIB - 1000
    firsts = [(transfer("first", sealed.get["1024"], f"{end}-", 50)["first_byte_us"],
               transfer("first", sealed.get["1"], f"{MIB - 1000}-", 50)["first_byte_us"]) for _ in range(options.runs)]
    table.target(f"first byte of a range at the end of {large} MiB, to one of 1 MiB",
                 statistics.median(late / early for late, early in firsts), most=2,
                 detail=" · ".join(f"{late} µs, {early} µs" for late, early in firsts))
    transfers = 16
    with concurrent.futures.ThreadPoolExecutor(transfers) as pool:
        for done in [pool.submit(transfer, "get", sealed.get["64"], 2) for _ in range(transfers)]:
            done.result()
    table.target(f"memory with {transfers} transfers at once", sealed.memory_mib(), most=64 + transfers, unit=" MiB")
    moto, other = Moto(), Gateway("s3-other")
    stores = {"moto": moto, "another gateway": other}
    before = {name: Gateway(f"s3-before-{at}", server, store.endpoint) for at, (name, store) in enumerate(stores.items())}
    for name, gateway in {"a directory": sealed, **before}.items():
        large_object(table, name, gateway, large * MIB)
    for process in (*before.values(), moto, other, sealed, plain, server):
        process.stop()
