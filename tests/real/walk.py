"""The release there, and a second one back, with what can go wrong on the way."""

import json
import os
import signal
import threading
import time

from hosts import until
from users import Writer
from world import AFTER, BACKUP, BEFORE, BUCKET, NAMES, RESET, SITES, SYNC

OTHER = {"hk": "sydney", "sydney": "hk"}
HK_KEY = "gigadb_gigascience-upstream-gigadb-website_live_{}.backup"


class Walk:
    """Takes `version` to the site `to`."""

    def __init__(self, world, operator, version, to):
        self.world, self.operator, self.version, self.to = world, operator, version, to
        self.old = OTHER[to]
        self.since = len(operator.lines())
        self.user = self.stubborn = None

    def standby(self):
        return self.world.hosts[self.to], self.world.databases[self.to]

    def stamp(self):
        """The stamp of the run's backup, as the bucket has it."""
        names = [line.split()[1] for line in self.world.bucket("ls", BUCKET).splitlines()]
        return max(name.rsplit("_", 1)[1].removesuffix(".backup") for name in names if len(name.rsplit("_", 1)[1]) == 19)

    def start(self, *wanted):
        return self.operator.run(f"release start {self.version} --yes --waive windows --waive drained --reason practice", *wanted)

    def strange_key(self):
        """Another host key than the pinned one is refused before anything is changed; the message names the host."""
        keys = {name: host.key for name, host in self.world.hosts.items()}
        self.world.pin(keys | {self.to: keys[self.old]})
        try:
            said = self.start(3, 6)
        finally:
            self.world.pin(keys)
        name = self.standby()[0].name
        told = [line for line in self.operator.lines()[self.since :] if "Host key verification failed" in str(line)]
        assert told and all(name in str(line) for line in told) and "Host key verification failed" in said, said
        assert not any(it["applied"] for it in self.world.cloud.calls("gitlab")), "something was changed"
        return f"{name}: Host key verification failed"

    def dead_hop(self):
        """Without the hop nothing is known of the hosts: unknown, which refuses, and is not the same as failed."""
        since, hop = len(self.operator.lines()), self.world.hosts["hop"]
        hop.deaf()
        try:
            said = self.operator.run("run retry --yes", 3, 6)
        finally:
            hop.hear()
        facts = [fact for line in self.operator.lines()[since:] for fact in line["body"].get("facts", [])]
        found = {it["check"]: it["verdict"] for it in facts if it["fact"] == "looked"}
        assert found and set(found.values()) == {"unknown"}, f"{found}\n{said}"
        return f"unknown: {', '.join(sorted(found))}"

    def dead_hop_before_a_change(self):
        """The same before an action has sent anything: it stops, no intent is written, the crontab is as it was."""
        since, hop, before = len(self.operator.lines()), self.world.hosts["hop"], self.standby()[0].crontab()
        hop.deaf()
        try:
            self.operator.run("release next --yes", 1)
        finally:
            hop.hear()
        kinds = [line["body"]["kind"] for line in self.operator.lines()[since:]]
        assert "intent" not in kinds and self.standby()[0].crontab() == before, kinds
        return "halted, nothing was sent"

    def retry(self):
        return self.operator.run("run retry --yes")

    def next(self, *wanted):
        return self.operator.run("release next --yes", *wanted)

    def waits_for_a_running_job(self):
        """Deploy switches `sync_dropbox` off while an instance of it runs."""
        host, _ = self.standby()
        since = len(self.operator.lines())
        frozen = freeze(host, "/usr/local/bin/sync_dropbox --apply")
        seen = {}

        def let_go():
            until("the entry is taken out", lambda: "sync_dropbox" not in host.crontab(), 60)
            time.sleep(2)
            seen["early"] = "sync_dropbox has neither" in str(self.operator.lines()[since:])
            os.kill(frozen, signal.SIGCONT)

        beside(let_go, self.retry)
        assert "sync_dropbox has neither" in str(self.operator.lines()[since:]), "the step has not told of it"
        assert not seen["early"], "the step had ended while the instance was still running"
        assert not any("sync_dropbox" in line for _, line in host.processes()), "an instance still runs"
        return f"{host.name}: not off before the instance had ended"

    def crontabs(self, production):
        """Both crontabs, byte for byte; foreign lines are where they were."""
        for site, host in ((it, self.world.hosts[it]) for it in SITES):
            wanted = BEFORE + AFTER + (BACKUP if site == production else RESET + SYNC)
            assert host.crontab() == wanted, f"{site}:\n{host.crontab()}instead of\n{wanted}"
        return f"{len(wanted)} bytes each, foreign lines as they were"

    def jobs_are_off(self):
        for host in (self.world.hosts[it] for it in SITES):
            assert host.crontab() == BEFORE + AFTER, host.crontab()
        return "foreign lines alone are left on both hosts"

    def missing_dump(self):
        """The object that the restore would read is gone: refused, nothing dropped. Then it is put back."""
        _, database = self.standby()
        before, key, kept = state(database), HK_KEY.format(self.stamp()), f"{BUCKET}/kept-for-the-test"
        self.world.bucket("moveto", f"{BUCKET}/{key}", kept)
        said = self.operator.run("release next --yes", 1, 3)
        assert key in said and "is not the proven" in said, said
        assert state(database) == before, "the standby's database is not as it was"
        # rclone copies inside the bucket, so it is the very object again.
        self.world.bucket("moveto", kept, f"{BUCKET}/{key}")
        return f"refused, nothing dropped: {last(said, 'is not the proven')}"

    def wrong_target(self):
        """The file that the scripts trust names production: refused, nothing dropped anywhere."""
        databases = self.world.databases.values()
        before = [state(it) for it in databases]
        self.world.dotenv(self.to, self.world.endpoint(self.old))
        said = self.operator.run("run retry --yes", 1, 3)
        self.world.dotenv(self.to, self.world.endpoint(self.to))
        assert "that is production's database" in said, said
        assert [state(it) for it in databases] == before, "a database is not as it was"
        return f"refused, nothing dropped: {last(said, 'production')}"

    def cut_reset(self, first="run retry --yes"):
        """Every connection is cut in the middle of the load and nobody gets through for a while; it is found again."""
        host, database = self.standby()
        hop, dropped, seen = self.world.hosts["hop"], database.drops(), {}

        def cut():
            until("the database is dropped", lambda: database.drops() > dropped, 60)
            [(number, _)] = [it for it in host.processes() if "databaseReset.upstream" in it[1]]
            os.kill(number, signal.SIGSTOP)
            seen["cut"] = until("somebody is connected", host.cut)
            hop.deaf()
            time.sleep(2)
            os.kill(number, signal.SIGCONT)

        try:
            beside(cut, lambda: self.operator.run(first, 6))
        finally:
            hop.hear()
        ends = [it for it in map(ended, self.operator.lines()) if it]
        assert ends[-1] == "unknown", ends[-3:]
        said = self.retry()
        assert "reset is done" in said, said
        loads = host.do("sh", "-c", "cat /home/centos/.changeover/ops/*/output.* | grep -c '^databaseReset: loading'").strip()
        assert loads == "1", f"it was loaded {loads} times"
        return f"cut with {seen['cut']} connections open: unknown; found again by its op_id, loaded once"

    def lost_start(self):
        """The connection is cut as soon as the load was started, before its answer can be read."""
        host, _ = self.standby()
        known, seen = set(started(host)), {}

        def cut():
            deadline = time.monotonic() + 60
            while not set(started(host)) - known:
                assert time.monotonic() < deadline, "nothing was started"
            seen["cut"] = host.cut()

        said = beside(cut, lambda: self.operator.run("release next --yes", 0, 6))
        if "reset is done" not in said:
            said = self.retry()
        assert "reset is done" in said, said
        [new] = set(started(host)) - known
        assert (new.parent / "started").read_text() == "1\n", "it was started again"
        return f"{seen['cut']} connections cut while it was being started; started once"

    def migrated(self, table):
        """The standby has the release's schema, production has not."""
        query = f"select count(*) from information_schema.tables where table_name = '{table}'"
        assert self.world.databases[self.to].tells(query) == "1"
        assert self.world.databases[self.old].tells(query) == "0"
        return f"{table} is on {self.to} only"

    def users_come(self):
        """From now on somebody writes all the time, where DNS says."""
        self.user = Writer(self.world, f"{self.version}-user")
        until("a write is taken", lambda: self.user.taken)
        return f"{self.user.taken[0]} at {self.old}"

    def embargoed(self):
        """Writes are refused by PostgreSQL itself, uploads by nobody being there; pages are served."""
        why = self.world.databases[self.old].refused("insert into dataset (identifier, title) values ('x', 'x')")
        assert why and "read-only transaction" in why, "a write is taken"
        assert not self.world.ftp(self.old) and self.world.ftp(self.to)
        assert self.world.get(self.old, "gigadb.org")[0] == 200
        taken, refused = len(self.user.taken), self.user.refused
        until("users are refused", lambda: self.user.refused > refused + 2)
        assert len(self.user.taken) == taken, "a user's write is taken"
        return why.splitlines()[0]

    def stubborn_come(self):
        """Somebody whose DNS answer never ends goes on to the old site."""
        self.stubborn = Writer(self.world, f"{self.version}-stubborn", self.world.addresses[self.old]["web"])
        until("the old site is asked", lambda: self.stubborn.refused + len(self.stubborn.taken) > 2)
        return f"at {self.old}"

    def users_go(self):
        """Nothing was taken by the site that lost the role."""
        self.stubborn.stop()
        assert not self.stubborn.taken, f"{len(self.stubborn.taken)} writes were taken by {self.old}"
        self.user.stop()
        later = [key for key in self.user.taken if key in set(self.keys(self.to)) - set(self.keys(self.old))]
        assert later, "no write was taken by the new site"
        return f"{len(self.user.taken)} taken, {len(later)} of them by {self.to}, {self.user.refused} refused; the old site refused {self.stubborn.refused}"

    def keys(self, site):
        return self.world.databases[site].tells("select identifier from dataset").splitlines()

    def nothing_lost(self):
        """Every write that was acknowledged is in both databases."""
        for site in SITES:
            lost = set(self.user.taken) - set(self.keys(site))
            assert not lost, f"{site} lacks {sorted(lost)}"
        return f"{len(self.user.taken)} writes"

    def to_the_swap(self):
        self.next(7)
        self.operator.run("release approve --yes", 7, who="curator-a")
        self.operator.run("release approve --yes", who="engineer-b")
        self.operator.run(f"release next --confirm {self.to}")
        return self.served()

    def served(self):
        """Where users get to, and what they see there."""
        at, site = self.world.addresses[self.to], self.to
        for server in self.world.cloud.env["CHANGEOVER_AUTHORITY"].split(","):
            asked = {name: self.world.hosts["hk"].do("/usr/local/bin/ask", server, name).strip() for name in NAMES[:4]}
            assert list(asked.values()) == [at["web"], at["portainer"], at["files"], at["bastion"]], asked
        status, page = self.world.get(site, "gigadb.org", "/", "-i")
        assert status == 200 and f"Version: {self.version}" in page and f"x-practice-site: {site}" in page, page
        return f"gigadb.org is {site} with {self.version}, at every authoritative server"

    def to_soak(self):
        self.next()
        self.next()
        self.operator.run("release accept --reason practice --yes")
        return "users may write again"

    def to_the_end(self):
        self.next()
        self.next()
        said = self.operator.run("status")
        assert f"{self.to} is production with {self.version}" in said, said
        return "steady"

    def equal(self):
        """Both databases, by pg_dump: schema and every row."""
        dumps = {it.dump() for it in self.world.databases.values()}
        assert len(dumps) == 1, "the dumps differ"
        return f"{len(dumps.pop())} bytes of pg_dump each"

    def verified(self):
        return self.operator.run("audit verify").splitlines()[0]


def ended(line):
    """How a step ended, if this line of the journal says that."""
    return line["body"].get("input", {}).get("ended")


def started(host):
    """The commands that were started on a host, by what the wrapper keeps of them."""
    return host.file("home/centos/.changeover/ops").glob("*/started")


def state(database):
    """What must not change: every row, and how often somebody dropped it."""
    return database.dump(), database.drops()


def last(text, part):
    return [line.strip() for line in text.splitlines() if part in line][-1]


def freeze(host, command):
    """Starts a command on a host and stops it while it runs; its number here."""
    for _ in range(20):
        host.begin(*command.split())
        end = time.monotonic() + 1
        while time.monotonic() < end:
            for number, line in host.processes():
                if line.endswith(command):
                    os.kill(number, signal.SIGSTOP)
                    return number
    raise AssertionError(f"{command} was never seen running")


def beside(other, action):
    """Runs an action while another one goes on beside it; a failure of either is one of both."""
    trouble = []

    def guarded():
        try:
            other()
        except BaseException as error:
            trouble.append(error)

    thread = threading.Thread(target=guarded, daemon=True)
    thread.start()
    done = action()  # if this fails, that is what counts
    thread.join()
    if trouble:
        raise trouble[0]
    return done
