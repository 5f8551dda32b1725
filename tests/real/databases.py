"""One PostgreSQL cluster of its own for each site, and what was done to it as its own log tells."""

import re
import shutil
import signal
import subprocess
from pathlib import Path

from hosts import BOUND, HERE, run, until

PASSWORD = "practice-only"
AS_POSTGRES = [*BOUND, "--reuid", "postgres", "--regid", "postgres", "--clear-groups", "--"]
# Newer releases of pg_dump put a random word at either end.
RANDOM = re.compile(r"^\\(un)?restrict .*\n", re.M)


def programs():
    """The folder of the newest server that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda it: int(it.parts[4]))
    return found[-1].parent if found else None


class Cluster:
    """A cluster of the endpoint `name`; role `gigadb` may do what a master user of RDS may."""

    def __init__(self, folder, name, address, port, datasets):
        self.name, self.address, self.port = name, address, port
        self.folder, self.data, self.log = folder, folder / "data", folder / "log"
        self.folder.mkdir()
        shutil.chown(self.folder, "postgres", "postgres")
        run(*AS_POSTGRES, programs() / "initdb", "-D", self.data, "-A", "scram-sha-256", "--auth-local=trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        settings = {
            "listen_addresses": f"'{address}'", "port": port, "unix_socket_directories": f"'{folder}'", "fsync": "off",
            "log_statement": "'ddl'", "log_line_prefix": "'%t %u@%d '", "max_connections": 50, "shared_buffers": "'32MB'",
        }
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.writelines(f"{name} = {value}\n" for name, value in settings.items())
        command = [*AS_POSTGRES, programs() / "postgres", "-D", self.data]
        self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log.open("w"), stderr=subprocess.STDOUT)
        ready = [programs() / "pg_isready", "-q", "-h", folder, "-p", str(port)]
        until(f"{name} is up", lambda: subprocess.run(ready).returncode == 0)
        self.owner(f"create role gigadb login createdb createrole password '{PASSWORD}'")
        self.owner("grant pg_signal_backend to gigadb", "create database gigadb owner gigadb")
        self.ask("-q", "-v", f"datasets={datasets}", "-f", HERE / "schema.sql")

    def env(self):
        """What a client needs to be `gigadb` here."""
        return {"PGHOST": self.address, "PGPORT": str(self.port), "PGUSER": "gigadb", "PGPASSWORD": PASSWORD, "PGDATABASE": "gigadb"}

    def owner(self, *statements, database="postgres"):
        """As the owner of the cluster, whom nobody on a host can be."""
        options = [it for statement in statements for it in ("-c", statement)]
        return run("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-p", self.port, "-U", "postgres", database, *options).strip()

    def ask(self, *words):
        """psql as `gigadb`."""
        return run("psql", "-XAt", "-v", "ON_ERROR_STOP=1", *words, env={"PATH": "/usr/bin:/bin"} | self.env()).strip()

    def tells(self, query):
        """An answer, read by the cluster's owner, whatever the role may do."""
        return self.owner(query, database="gigadb")

    def refused(self, statement):
        """Why a statement of `gigadb` is refused; nothing if it is not."""
        done = subprocess.run(["psql", "-XAtc", statement], env={"PATH": "/usr/bin:/bin"} | self.env(), capture_output=True, text=True, timeout=20)
        return done.stderr.strip() if done.returncode else None

    def dump(self):
        """Everything in the database, as pg_dump writes it."""
        return RANDOM.sub("", run("pg_dump", "-h", self.folder, "-p", self.port, "-U", "postgres", "gigadb"))

    def drops(self):
        """How often somebody dropped the database, by the server's own log."""
        return len(re.findall(r"statement: drop database", self.log.read_text(), re.I))

    def stop(self):
        self.child.send_signal(signal.SIGINT)
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.child.kill()
