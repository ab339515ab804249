"""What every client script shares: its arguments, its list of checks, and how a check fails.

Each script drives one real client library against a running server and prints one line for each check. It ends with
exit code 1 at the first that does not hold; with --all it goes on and lists them all.
"""

import argparse
import contextlib
import itertools
import os
import socket
import sys
import traceback
import warnings

# PyKMIP uses parts of `cryptography` that are about to move; that says nothing of the server.
warnings.filterwarnings("ignore")


class Checks:
    """The list of checks of one run."""

    def __init__(self, go_on):
        self.go_on = go_on
        self.passed = 0
        self.failed = []

    @contextlib.contextmanager
    def check(self, name):
        """Runs its block as one check; an exception in it is a failure of the check."""
        try:
            yield
        except Exception as error:  # whatever the library raises, the check has not held
            self.failed.append(name)
            print(f"FAILED  {name}: {type(error).__name__}: {error}", flush=True)
            traceback.print_exc()
            if not self.go_on:
                self.finish()
        else:
            self.passed += 1
            print(f"ok      {name}", flush=True)

    def finish(self):
        """Ends the program with the result of the whole list."""
        print(f"{self.passed} checks passed, {len(self.failed)} failed", flush=True)
        for name in self.failed:
            print(f"        {name}")
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1 if self.failed or not self.passed else 0)


def equal(found, expected, what="value"):
    if found != expected:
        raise AssertionError(f"{what}: found {found!r}, expected {expected!r}")


def true(condition, what):
    if not condition:
        raise AssertionError(what)


def arguments(description, kmip=True, api=False):
    """The command line that the harness gives."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--kmip", required=kmip, help="HOST:PORT of the KMIP server")
    parser.add_argument("--client", required=kmip, help="directory with ca.pem, cert.pem, key.pem")
    parser.add_argument("--api", required=api, help="http://HOST:PORT of the admin API")
    parser.add_argument("--token", required=api, help="root token")
    parser.add_argument("--all", action="store_true", help="go on after a failed check")
    parser.add_argument("--only", help="only this KMIP version, for example 1.2")
    return parser.parse_args()


# Below the ports that Linux gives to whoever asks for any, connections among them: there, another connection would take
# the port now and then before the server is back.
PORTS = range(10_240, 32_240)
next_ports = itertools.count(os.getpid() * 7919)


def free_port():
    """A port of 127.0.0.1 that nobody listens on, and that this process gives out once."""
    for number in next_ports:
        port = PORTS[number % len(PORTS)]
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def kmip_address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)
