"""Servers that are measured, and the client that asks them."""

import json
import os
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RELEASE = os.path.join(ROOT, "target", "release", "claviger")
BINARY = os.environ.get("CLAVIGER_BIN", RELEASE)
SCRATCH = os.path.join(ROOT, "target", "measure")
PYTHON = os.environ.get("CLAVIGER_PYTHON", os.path.join(ROOT, "target", "venv", "bin", "python"))
CONNECTIONS = 16
TOKEN = "measure"


def note(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def ready(process, what):
    """The addresses in the line that both servers print when they accept, by door."""
    for line in process.stdout:
        if line.startswith("ready kmip="):
            return dict(word.split("=", 1) for word in line.split()[1:])
    sys.exit(f"{what} did not start")


class Server:
    """A release build of ours. With data it is durable and audits; without, it does neither."""

    def __init__(self, name, durable):
        self.directory = os.path.join(SCRATCH, name)
        self.client = os.path.join(self.directory, "client")
        self.durable = durable
        self.process = None

    def start(self, **environment):
        os.makedirs(self.directory, exist_ok=True)
        command = [BINARY, "server", "--dev", "--kmip-addr", "127.0.0.1:0", "--api-addr", "127.0.0.1:0",
                   "--root-token", TOKEN, "--export-client", self.client, "--log-level", "warn"]
        if self.durable:
            command += ["--data-dir", os.path.join(self.directory, "data")]
        with open(os.path.join(self.directory, "stderr.txt"), "ab") as stderr:
            began = time.monotonic()
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True,
                                            env={**os.environ, **environment})
        doors = ready(self.process, "claviger server")
        self.address, self.api = doors["kmip"], doors["api"].removeprefix("http://")
        self.start_ms = (time.monotonic() - began) * 1000
        return self

    def memory_mib(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) / 1024
        raise RuntimeError("no VmRSS")

    def cpu_seconds(self):
        """What it has used so far, in user and in kernel mode (proc(5), fields 14 and 15)."""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


class PyKmip:
    """A stock PyKMIP server: the baseline."""

    def __init__(self):
        self.client = os.path.join(SCRATCH, "pykmip")

    def start(self):
        script = os.path.join(ROOT, "tests", "clients", "pykmip_server.py")
        self.process = subprocess.Popen([PYTHON, "-W", "ignore", script, self.client], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.address = ready(self.process, "PyKMIP's server")["kmip"]
        return self

    def stop(self):
        self.process.stdin.close()
        self.process.wait(30)


def bench(operation, server=None, seconds=5.0, **options):
    """One run of `claviger bench`: operations a second."""
    command = [BINARY, "bench", operation, "--json", "--seconds", str(seconds)]
    options.setdefault("connections", CONNECTIONS)
    if server is not None:
        command += ["--server", server.address, "--client", server.client]
    for name, value in options.items():
        flag = "--" + name.replace("_", "-")
        command += [flag] if value is True else [flag, str(value)]
    answer = subprocess.run(command, capture_output=True, text=True)
    if answer.returncode != 0:
        sys.exit(f"{' '.join(command)}: {answer.stderr}")
    result = json.loads(answer.stdout)
    if result["errors"]:
        sys.exit(f"{' '.join(command)}: {result['errors']} errors: {answer.stderr}")
    return result
