"""The databases' plugins."""

import concurrent.futures
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time

from measuring.servers import BINARY, CONNECTIONS, ROOT, SCRATCH, Server, note


class MariaDb:
    """Debian's MariaDB with everything encrypted, and the keys where a plugin has them."""

    def __init__(self, name, plugin, library, settings):
        self.name, self.directory = name, os.path.join(SCRATCH, name)
        self.plugin, self.library, self.settings = plugin, library, settings
        self.socket = os.path.join(self.directory, "socket")

    def start(self):
        plugins, data = (os.path.join(self.directory, part) for part in ("plugins", "data"))
        os.makedirs(plugins)
        shutil.copy(self.library, os.path.join(plugins, f"{self.plugin}.so"))
        user = ["--user=root"] if os.geteuid() == 0 else []
        subprocess.run(["mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal",
                        "--skip-test-db", f"--datadir={data}", *user], check=True, capture_output=True)
        option = self.plugin.replace("_", "-")
        with open(os.path.join(self.directory, "error.log"), "ab") as log:
            self.process = subprocess.Popen(
                ["/usr/sbin/mariadbd", "--no-defaults", "--skip-networking", f"--datadir={data}", *user,
                 f"--socket={self.socket}", f"--pid-file={self.directory}/pid", f"--plugin-dir={plugins}",
                 f"--plugin-load-add={self.plugin}", f"--{option}=FORCE",
                 *(f"--{option}-{name}={value}" for name, value in self.settings.items()),
                 "--innodb-encrypt-tables=FORCE", "--innodb-encrypt-log=ON", "--aria-encrypt-tables=ON",
                 "--encrypt-tmp-files=ON", "--log-bin=binlog", "--encrypt-binlog=ON", "--server-id=1",
                 "--innodb-encryption-threads=2", "--innodb-buffer-pool-size=64M",
                 # The plugin is measured, not the disk.
                 "--innodb-flush-log-at-trx-commit=2", "--sync-binlog=0"], stdout=log, stderr=log)
        for _ in range(600):
            if self.process.poll() is not None:
                sys.exit(f"{self.name}: mariadbd ended: see {self.directory}/error.log")
            if os.path.exists(self.socket):
                break
            time.sleep(0.1)
        self.ask("""CREATE DATABASE load_; USE load_;
                    CREATE TABLE rows_ (id INT AUTO_INCREMENT PRIMARY KEY, a VARCHAR(200), KEY (a));
                    DELIMITER //
                    CREATE PROCEDURE insert_for(seconds DOUBLE) BEGIN
                      DECLARE until_ DOUBLE DEFAULT UNIX_TIMESTAMP(SYSDATE(6)) + seconds;
                      DECLARE done INT DEFAULT 0;
                      WHILE UNIX_TIMESTAMP(SYSDATE(6)) < until_ DO
                        INSERT INTO rows_ (a) VALUES (CONCAT(MD5(done), REPEAT('x', 100)));
                        SET done = done + 1;
                      END WHILE;
                      SELECT done / seconds;
                    END //""")
        return self

    def ask(self, sql):
        answer = subprocess.run(["mariadb", "--no-defaults", "--batch", "--skip-column-names", "--user=root",
                                 f"--socket={self.socket}"], input=sql, capture_output=True, text=True)
        if answer.returncode != 0:
            sys.exit(f"{self.name}: {answer.stderr}")
        return answer.stdout

    def insert(self, seconds):
        """Rows a second that one client inserts, each a transaction of its own."""
        return float(self.ask(f"USE load_; TRUNCATE rows_; CALL insert_for({seconds});"))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


class Host:
    """A program that loads the MySQL component and does what it is told, a line for a line."""

    def __init__(self, program, library, directory, options):
        self.directory = directory
        os.makedirs(directory, exist_ok=True)
        with open(os.path.join(directory, "component_claviger_kmip.cnf"), "w") as out:
            json.dump(options, out)
        self.process = subprocess.Popen([program, library], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ask("init", "ok")

    def ask(self, command, expected=None):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if not answer or expected not in (None, answer):
            sys.exit(f"host: {command}: {answer}")
        return answer

    def load(self):
        self.ask(f"load {self.directory} {self.directory}", "ok")

    def stop(self):
        self.process.stdin.close()
        self.process.wait(30)


def start_ms(count):
    """How long a cold start with so many keys may take; with few of them it is the first connection that takes time."""
    return max(3000 * count / 10_000, 300)


def library(name):
    """A database's library."""
    # Cargo leaves it in `deps` when tests are built.
    places = [os.path.join(os.path.dirname(BINARY), place, f"lib{name}.so") for place in ("", "deps")]
    found = [place for place in places if os.path.exists(place)]
    return max(found, key=os.path.getmtime) if found else sys.exit(f"{places[0]} is not there")


def mariadb(table, options):
    """What the MariaDB plugin costs its database. The host is a program that does nothing but load it."""
    server, plugin = Server("mariadb", True).start(), library("kmip_key_management")
    given = {"servers": server.address, **{name: os.path.join(server.client, f"{file}.pem") for name, file in
                                           (("ca", "ca"), ("certificate", "cert"), ("key", "key"))}}
    program = os.path.join(SCRATCH, "host")
    source = os.path.join(ROOT, "tests", "it", "mariadb", "host.c")
    subprocess.run(["cc", "-O2", "-o", program, source, "-ldl", "-lpthread"], check=True)
    count = options.objects // 10

    def read_keys(**more):
        said = subprocess.run([program, plugin, "keys", str(count), *(f"{name}={value}" for name, value in
                               {**given, **more}.items())], capture_output=True, text=True)
        if said.returncode != 0:
            sys.exit(f"host: {said.stdout[-2000:]}")
        lines = (line.split() for line in said.stdout.splitlines())
        return {line[0]: float(line[1]) for line in lines if len(line) == 2}

    note(f"making {count} keys")
    read_keys(create_missing="ON")
    found = [read_keys() for _ in range(options.runs)]
    for name, what in (("latest_ns", "get_latest_key_version"), ("key_ns", "get_key, of a key in memory")):
        table.target(what, min(run[name] for run in found), most=200, unit=" ns", detail=f"{count} keys in turn")
    table.target(f"cold start with {count} keys", statistics.median(run["cold_ms"] for run in found),
                 most=start_ms(count), unit=" ms")

    key_file = os.path.join(SCRATCH, "keys.txt")
    with open(key_file, "w") as keys:
        keys.write(f"1;{os.urandom(32).hex()}\n")
    system = "/usr/lib/mysql/plugin/file_key_management.so"
    pair = (MariaDb("mariadb-file", "file_key_management", system, {"filename": key_file}).start(),
            MariaDb("mariadb-kmip", "kmip_key_management", plugin, given).start())
    ratios = []
    for run in range(1 if options.runs == 1 else max(options.runs, 5)):
        base, rate = (database.insert(options.seconds) for database in pair)
        note(f"run {run + 1}: {base:.0f} rows/s with a key file, {rate:.0f} with the plugin")
        ratios.append(rate / base)
    table.target("INSERT: rate with kmip_key_management / with file_key_management", statistics.median(ratios), least=0.9,
                 detail=f"{rate:.0f} rows/s, median of {len(ratios)} alternated runs")
    for running in (*pair, server):
        running.stop()


def mysql(table, options):
    """What the MySQL component costs its database, without one."""
    server = Server("mysql", True).start()
    component = library("component_claviger_kmip")
    program = os.path.join(SCRATCH, "mysql-host")
    source = os.path.join(ROOT, "tests", "it", "mysql", "host.c")
    subprocess.run(["cc", "-O2", "-o", program, source, "-ldl", "-lpthread"], check=True)
    files = {option: os.path.join(server.client, f"{name}.pem")
             for option, name in (("client_ca", "cert"), ("client_key", "key"), ("server_ca", "ca"))}
    given = {"server_addr": server.address, "object_group": "measure", "kmip_timeout_ms": 60_000, **files}
    directory = os.path.join(SCRATCH, "mysql-host-files")
    count = options.objects // 10
    note(f"making {count} keys")

    def make(lane):
        host = Host(program, component, f"{directory}-{lane}", given)
        host.load()
        for number in range(lane, count, CONNECTIONS):
            host.ask(f"generate k{number} - AES 32", "ok")
        host.stop()

    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(make, range(CONNECTIONS)))
    table.target("keys made", count / (time.monotonic() - began), unit="/s", detail=f"{CONNECTIONS} processes")
    loads, reads = [], []
    for _ in range(max(options.runs, 3)):
        host = Host(program, component, directory, given)
        began = time.monotonic()
        host.load()
        loads.append((time.monotonic() - began) * 1000)
        reads.append(float(host.ask(f"measure k{count // 2} -")))
        host.stop()
    table.target(f"cold start with {count} keys", statistics.median(loads), most=start_ms(count), unit=" ms")
    table.target("a key that is in memory, found and read", min(reads), most=200, unit=" ns", detail=f"one of {count}")
    server.stop()
