"""Many credentials."""

import argparse
import concurrent.futures
import http.client
import json
import os
import random
import statistics
import sys
import time

from measuring.servers import CONNECTIONS, TOKEN, Server, note
from measuring.tables import Rates


class Admin:
    """The API of a server, on one connection that is kept."""

    def __init__(self, server):
        self.connection = http.client.HTTPConnection(server.api, timeout=60)

    def call(self, method, path, body=None):
        """`data` of the answer; {} of an empty one."""
        self.connection.request(method, f"/v1/kmip/{path}", json.dumps(body) if body is not None else None,
                                {"X-Vault-Token": TOKEN})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status not in (200, 204):
            sys.exit(f"{method} {path}: {answer.status} {text}")
        return json.loads(text)["data"] if text else {}


class Population:
    """Credentials of a server: scopes of 10 roles of 10 each, made over the API as any operator makes them. What is
    made is real; that it survives a power cut is not waited for."""

    PER_ROLE, ROLES = 10, 10

    def __init__(self, name):
        self.server = Server(name, True)
        self.scopes = self.roles = 0
        self.count = 0

    def fill(self, count):
        """Makes as many that there are `count`, on as many connections as share the audit's syncs."""
        per_scope = min(count, self.PER_ROLE * self.ROLES)
        self.roles, before, self.scopes = per_scope // self.PER_ROLE, self.scopes, count // per_scope
        self.server.start(CLAVIGER_TEST_SYNCHRONOUS_OFF="1")
        note(f"making {count} credentials in {self.scopes} scopes of {self.roles} roles")
        began = time.monotonic()
        lanes = [range(before + lane, self.scopes, CONNECTIONS) for lane in range(CONNECTIONS)]
        with concurrent.futures.ThreadPoolExecutor(len(lanes)) as pool:
            list(pool.map(self.fill_scopes, lanes))
        self.rate = (count - self.count) / (time.monotonic() - began)
        self.count = count
        note(f"{self.rate:.0f} a second")
        self.server.stop()

    def fill_scopes(self, numbers):
        admin = Admin(self.server)
        for scope in numbers:
            admin.call("PUT", f"scope/s{scope}", {})
            for role in range(self.roles):
                base = f"scope/s{scope}/role/r{role}"
                admin.call("PUT", base, {"operation_all": True})
                for _ in range(self.PER_ROLE):
                    admin.call("PUT", f"{base}/credential/generate", {"format": "pem"})

    def a_role(self):
        return f"scope/s{random.randrange(self.scopes)}/role/r{random.randrange(self.roles)}/credential"

    def a_client(self):
        """The server as a new credential of some role sees it, for `bench`."""
        made = Admin(self.server).call("PUT", f"{self.a_role()}/generate", {"format": "pem"})
        directory = os.path.join(self.server.directory, "one")
        os.makedirs(directory, exist_ok=True)
        for name, text in (("cert", made["certificate"]), ("key", made["private_key"]),
                           ("ca", "\n".join(made["ca_chain"]))):
            with open(os.path.join(directory, f"{name}.pem"), "w") as out:
                out.write(text.strip() + "\n")
        return argparse.Namespace(address=self.server.address, client=directory)

    def ask(self, work, seconds):
        """Calls a second of one kind, one after the other, each of another role."""
        admin, calls, began = Admin(self.server), 0, time.monotonic()
        while (elapsed := time.monotonic() - began) < seconds:
            role = self.a_role()
            if work == "list":
                admin.call("GET", f"{role}?list=true")
                calls += 1
            elif work == "generate":
                admin.call("PUT", f"{role}/generate", {})
                calls += 1
            else:
                # What is listed is not part of what is measured.
                listed = time.monotonic()
                serials = admin.call("GET", f"{role}?list=true")["keys"]
                began += time.monotonic() - listed
                for serial in serials:
                    admin.call("GET", f"{role}/lookup?serial_number={serial}")
                calls += len(serials)
        return calls / elapsed


def credentials(table, options):
    """What many credentials cost: the same rates with ten and with many of them; memory; start-up."""
    few, many = Population("credentials-few"), Population("credentials-many")
    few.fill(Population.PER_ROLE)
    for count in (options.credentials, options.more):
        if count:
            many.fill(count)
            compare_credentials(table, options, few, many, bounded=count == options.credentials)


def compare_credentials(table, options, few, many, bounded):
    def target(what, found, **how):
        bounds = how if bounded else {name: value for name, value in how.items() if name not in ("least", "most")}
        table.target(what, found, **bounds)

    name = f"{many.count} credentials"
    target(f"making {name}", many.rate, unit="/s", detail=f"{CONNECTIONS} connections; the store without syncs")
    starts = []
    for _ in range(options.runs):
        many.server.start()
        starts.append(many.server.start_ms)
        resting = many.server.memory_mib()
        many.server.stop()
    target(f"start-up with {name}", statistics.median(starts), most=2000, unit=" ms")
    target(f"memory with {name}, after the start", resting, most=300, unit=" MiB")
    few.server.start()
    many.server.start()
    rates = Rates(options.runs)
    sides = {"10": few, str(many.count): many}
    clients = {side: population.a_client() for side, population in sides.items()}
    for side, client in clients.items():
        rates.add(f"Get, with {side}", "get", client)
        rates.add(f"connection and Get, with {side}", "connect", client)
    rates.measure(options.seconds)
    rates.print()
    for work in ("Get", "connection and Get"):
        target(f"{work}: rate with {name} / with 10", rates.ratio(f"{work}, with {many.count}", f"{work}, with 10"),
               least=0.67)
    for work in ("list", "lookup", "generate"):
        ratios = []
        for run in range(options.runs):
            base, rate = (side.ask(work, options.seconds / 2) for side in (few, many))
            note(f"run {run + 1}: {work}: {base:.0f}/s with 10, {rate:.0f}/s with {many.count}")
            ratios.append(rate / base)
        detail = f"{rate:.0f}/s, one after the other"
        target(f"credential {work}: rate with {name} / with 10", statistics.median(ratios), least=0.67, detail=detail)
    target(f"memory with {name}, after that", many.server.memory_mib(), most=300, unit=" MiB")
    few.server.stop()
    many.server.stop()
