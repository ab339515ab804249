"""Speed and scale of the server."""

import os
import statistics

from measuring.servers import SCRATCH, PyKmip, Server, bench, note
from measuring.tables import Rates


def warm_up(options):
    """Seconds in which every key is asked for."""
    return max(1, options.objects // 7_000)


def speed(table, options):
    """Ratios to what TLS and the runtime allow, and to PyKMIP."""
    ours = Server("speed-durable", True).start()
    quiet = Server("speed-memory", False).start()
    baseline = PyKmip().start()
    many = os.path.join(SCRATCH, "speed-memory", "many")
    note(f"making {options.objects} keys")
    # The first Get of a key reads it from the store and puts its holder on record; the rounds measure the cache.
    for seconds in (1, warm_up(options)):
        bench("get", quiet, seconds, objects=options.objects, objects_file=many)
    rates = Rates(options.runs)
    rates.add("limit", "limit")
    rates.add("Get, one of 100 keys, no audit", "get", quiet)
    rates.add(f"Get, one of {options.objects} keys, no audit", "get", quiet, objects=options.objects, objects_file=many)
    rates.add("Get, one of 100 keys, audit on", "get", ours)
    rates.add("Create, durable, audit on", "create", ours)
    rates.add("Locate by Name, audit on", "locate", ours)
    rates.add("limit, a connection each", "limit", new_connections=True)
    rates.add("connection and Get, no audit", "connect", quiet)
    rates.add("PyKMIP Get", "get", baseline, objects=16)
    rates.add("PyKMIP Create", "create", baseline)
    rates.measure(options.seconds)
    rates.print()
    get, audited = "Get, one of 100 keys, no audit", "Get, one of 100 keys, audit on"
    spread = f"Get, one of {options.objects} keys, no audit"
    table.target("Get / limit", rates.ratio(get, "limit"), least=0.7, detail="16 warm connections, no audit")
    table.target(f"Get of random keys of {options.objects} / limit", rates.ratio(spread, "limit"), least=0.7)
    table.target("Get / PyKMIP's", min(rates.ratio(name, "PyKMIP Get") for name in (get, spread)), least=50)
    table.target("Get with audit / without", rates.ratio(audited, get), least=0.6)
    table.target("durable Create / PyKMIP's", rates.ratio("Create, durable, audit on", "PyKMIP Create"), least=40)
    table.target("connection and Get / limit's", rates.ratio("connection and Get, no audit", "limit, a connection each"),
                 least=0.8)
    table.target("Locate by Name / Get", rates.ratio("Locate by Name, audit on", audited), least=0.5,
                 detail="both with audit")
    for server in (ours, quiet, baseline):
        server.stop()


def scale(table, options):
    """The same rates with few and with many objects; memory; start-up."""
    few = Server("scale-few", True).start()
    table.target("memory, idle", few.memory_mib(), most=20, unit=" MiB")
    many = Server("scale-many", True).start()
    files = {}
    for server, count in ((few, 1000), (many, options.objects)):
        note(f"making {count} keys")
        files[server] = os.path.join(server.directory, "keys")
        # The first Get of a key, and the first Locate, read the store; the first Get writes, too.
        for operation, seconds in (("get", 1), ("get", warm_up(options)), ("locate", warm_up(options))):
            bench(operation, server, seconds, objects=count, objects_file=files[server])
    table.target(f"memory, {options.objects} objects made and read", many.memory_mib(), most=120, unit=" MiB")
    rates = Rates(options.runs)
    for name, server, count in (("1000", few, 1000), (f"{options.objects}", many, options.objects)):
        keys = {"objects": count, "objects_file": files[server]}
        rates.add(f"Get at {name}", "get", server, **keys)
        rates.add(f"Locate at {name}", "locate", server, **keys)
        rates.add(f"Create at {name}", "create", server)
        rates.add(f"connection and Get at {name}", "connect", server, **keys)
    rates.measure(options.seconds)
    rates.print()
    for work in ("Get", "Locate", "Create", "connection and Get"):
        ratio = rates.ratio(f"{work} at {options.objects}", f"{work} at 1000")
        table.target(f"{work}: rate at {options.objects} / at 1000", ratio, least=0.67)
    few.stop()
    many.stop()
    starts = []
    for _ in range(options.runs):
        many.start()
        starts.append(many.start_ms)
        many.stop()
    table.target(f"start-up with {options.objects} objects", statistics.median(starts), most=300, unit=" ms")
