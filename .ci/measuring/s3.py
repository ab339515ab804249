"""The S3 gateway."""

import concurrent.futures
import json
import os
import signal
import statistics
import subprocess
import sys

from measuring.servers import BINARY, PYTHON, SCRATCH, Server, note


class Gateway:
    """The S3 gateway on a store of its own; with a KMIP server it encrypts, without it does not."""

    def __init__(self, name, server=None):
        directory = os.path.join(SCRATCH, name)
        command = [os.path.join(os.path.dirname(BINARY), "claviger-s3"), "--listen", "127.0.0.1:0", "--store", directory,
                   "--access-key", "MEASURE", "--secret-key", "measure-secret", "--log-level", "warn"]
        if server is not None:
            command += ["--kmip-server", server.address, "--client", server.client]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
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


def transfer(*arguments):
    """One run of the measurements' client."""
    command = [os.path.join(os.path.dirname(BINARY), "examples", "transfer"), *map(str, arguments)]
    answer = subprocess.run(command, capture_output=True, text=True)
    if answer.returncode != 0:
        sys.exit(f"{' '.join(command)}: {answer.stderr}")
    return json.loads(answer.stdout)


def s3(table, options):
    """The S3 gateway: what encryption costs, beside hash and cipher alone; one transfer at a time but for memory."""
    mib = 1 << 20
    large = 64 if options.smoke else 1024
    server = Server("s3-kmip", False).start()
    sealed, plain = Gateway("s3-sealed", server), Gateway("s3-plain")
    # Of a whole 64 MiB a GET takes 30 ms: many of them, that the processors' moods are evened out.
    puts, gets = 3, 10 if options.smoke else 40
    taken = {name: [] for name in ("put", "put plain", "get", "get plain", "md5", "gcm")}
    for run in range(options.runs):
        for name, work in [
            ("put", ("put", sealed.put["64"], 64 * mib, puts)), ("put plain", ("put", plain.put["64"], 64 * mib, puts)),
            ("md5", ("md5", 64 * mib, puts)), ("get", ("get", sealed.get["64"], gets)),
            ("get plain", ("get", plain.get["64"], gets)), ("gcm", ("gcm", 64 * mib, puts)),
        ]:
            rate = transfer(*work)["bytes_per_second"]
            taken[name].append(rate)
            note(f"run {run + 1}: {name}: {rate / mib:.0f} MiB/s")

    def ratio(name, other):
        return statistics.median(rate / base for rate, base in zip(taken[name], taken[other]))

    print("| workload | MiB/s, median |\n|---|---|")
    for name, rates in taken.items():
        print(f"| {name} | {statistics.median(rates) / mib:.0f} |")
    print()
    table.target("PUT of 64 MiB, to one without encryption", ratio("put", "put plain"), least=0.8)
    table.target("GET of 64 MiB, to one without encryption", ratio("get", "get plain"), least=0.8)
    table.target("PUT of 64 MiB, to MD5 alone", ratio("put", "md5"), least=0.5)
    table.target("GET of 64 MiB, to AES-256-GCM alone", ratio("get", "gcm"), least=0.15)
    transfer("put", sealed.put["1"], mib, 1)
    transfer("put", sealed.put["1024"], large * mib, 1)
    end = large * mib - 1000
    firsts = [(transfer("first", sealed.get["1024"], f"{end}-", 50)["first_byte_us"],
               transfer("first", sealed.get["1"], f"{mib - 1000}-", 50)["first_byte_us"]) for _ in range(options.runs)]
    table.target(f"first byte of a range at the end of {large} MiB, to one of 1 MiB",
                 statistics.median(late / early for late, early in firsts), most=2,
                 detail=" · ".join(f"{late} µs, {early} µs" for late, early in firsts))
    transfers = 16
    with concurrent.futures.ThreadPoolExecutor(transfers) as pool:
        for done in [pool.submit(transfer, "get", sealed.get["64"], 2) for _ in range(transfers)]:
            done.result()
    table.target(f"memory with {transfers} transfers at once", sealed.memory_mib(), most=64 + transfers, unit=" MiB")
    for process in (sealed, plain, server):
        process.stop()
