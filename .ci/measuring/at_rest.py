"""The client side: polling, the pool, keystores."""

import os
import statistics
import subprocess
import sys
import time

from measuring.servers import BINARY, Server, bench, note
from measuring.tables import Rates

POLLED, POLLING_CONNECTIONS = 500, 4


def at_rest(table, options):
    """Polling as 500 keystores do each second, the client library's pool, and a keystore of many databases."""
    server = Server("at-rest", True).start()
    cpu_of_polls(table, options, server)
    rates = Rates(options.runs)
    rates.add("Get, 8 under way", "get", server, pipeline=8)
    rates.add("Get, 8 under way, by the pool", "get", server, pipeline=8, pooled=True)
    rates.measure(options.seconds)
    rates.print()
    table.target("Get by the client's pool / bench's", least=0.8, detail="16 connections, 8 requests under way on each",
                 found=rates.ratio("Get, 8 under way, by the pool", "Get, 8 under way"))
    many_databases(table, options, server)
    server.stop()


def cpu_of_polls(table, options, server):
    """What the server's processor does for a poll, for one on a connection of its own, and for a handshake."""
    keys = {"objects": POLLED, "objects_file": os.path.join(server.directory, "polled")}
    bench("poll", server, 0.5, connections=POLLING_CONNECTIONS, **keys)

    def micros(operation, **how):
        before = server.cpu_seconds()
        done = bench(operation, server, options.seconds, **how, **keys)
        note(f"{operation}: {done['per_second']:.0f}/s")
        return (server.cpu_seconds() - before) / done["operations"] * 1e6

    polls = {"connections": POLLING_CONNECTIONS, "rate": POLLED}
    table.target("the server's time for a poll", micros("poll", **polls), most=100, unit=" µs",
                 detail=f"{POLLED} keys polled each second, connections kept")
    fresh = {"connections": POLLING_CONNECTIONS, "rate": 100}
    poll, shake = micros("poll", new_connections=True, **fresh), micros("handshake", **fresh)
    table.target("the server's time for a poll on a new connection", poll, unit=" µs",
                 detail=f"{shake:.0f} µs for a bare handshake with a client certificate")


class Keystore:
    """A directory that `claviger keystore` keeps."""

    def __init__(self, server, name):
        self.directory = os.path.join(server.directory, name)
        self.options = ["--kmipServerName", "127.0.0.1", "--kmipPort", server.address.rpartition(":")[2],
                        "--kmipServerCAFile", os.path.join(server.client, "ca.pem"),
                        "--kmipClientCertificateFile", os.path.join(server.client, "client.pem")]

    def do(self, *words):
        """How long a command takes, in ms, and the most memory that it has, in MiB."""
        command = [BINARY, "keystore", *words, "--dir", self.directory, *self.options, "--log-level", "error"]
        began, peak = time.monotonic(), 0.0
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        while process.poll() is None:
            peak = self.peak_mib(process.pid) or peak
            time.sleep(0.001)
        if process.returncode != 0:
            sys.exit(f"{' '.join(command[:3])}: {process.stderr.read()}")
        return (time.monotonic() - began) * 1000, peak

    @staticmethod
    def peak_mib(process):
        """The most that it had so far; 0 once it is gone."""
        try:
            with open(f"/proc/{process}/status") as status:
                return next((int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM:")), 0)
        except (FileNotFoundError, ProcessLookupError):
            return 0

    def fill(self, count):
        for first in range(0, count, 5000):
            self.do("add-database", *(f"database {number}" for number in range(first, min(first + 5000, count))))

    def size_mib(self):
        return os.path.getsize(os.path.join(self.directory, "keystore")) / 2**20


def many_databases(table, options, server):
    """How long a keystore of many databases takes, from the start of the process, and what memory."""
    empty, full = Keystore(server, "empty"), Keystore(server, "full")
    for keystore in (empty, full):
        keystore.do("open")
    note(f"making a keystore of {options.databases} databases")
    full.fill(options.databases)
    for work, most_ms in (("open", 1000), ("rotate", 5000)):
        runs = [(empty.do(work), full.do(work)) for _ in range(options.runs)]
        slowest = statistics.median(took for _, (took, _) in runs)
        more = statistics.median(full_mib - empty_mib for (_, empty_mib), (_, full_mib) in runs)
        name = f"a keystore of {options.databases} databases: {work}"
        table.target(name, slowest, most=most_ms, unit=" ms", detail="the whole command")
        table.target(f"{name}, memory more than of an empty one", more, most=full.size_mib() + 1, unit=" MiB",
                     detail="at most what the file has, and its buffers")
