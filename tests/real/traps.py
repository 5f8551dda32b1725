"""What real sshd, PostgreSQL and the scripts do when something is wrong; with controls that show the trap is one."""

from pathlib import Path

from walk import HK_KEY, state
from world import BUCKET

RESET, UPSTREAM = "/usr/local/bin/databaseReset", "/usr/local/bin/databaseReset.upstream"
READ_ONLY = "alter role gigadb set default_transaction_read_only = on"
FREE = "alter role gigadb reset default_transaction_read_only"
NOWHERE = "202001010000"


def read_only_role(world):
    """A role made read-only refuses every writer of PostgreSQL, the site's own too; reads go on."""
    hk = world.databases["hk"]
    hk.ask("-c", READ_ONLY)
    try:
        why = hk.refused("insert into dataset (identifier, title) values ('x', 'x')")
        assert why and "read-only transaction" in why, why
        status, text = world.get("hk", "gigadb.org", "/write?key=refused", "-X", "POST")
        assert status == 503 and "read-only transaction" in text, text
        assert world.get("hk", "gigadb.org")[0] == 200
    finally:
        hk.owner(FREE)
    return why.splitlines()[0]


def not_in_the_dump(world):
    """A dump by s3backup does not carry the role's setting to the standby; a setting of the database would go with it."""
    hk, sydney = world.databases["hk"], world.databases["sydney"]
    hk.ask("-c", READ_ONLY)
    try:
        stamp = "202611010101"
        world.hosts["hk"].do("/usr/local/bin/s3backup", stamp)
        dump = world.bucket("cat", f"{BUCKET}/{HK_KEY.format(stamp)}")
        assert "read_only" not in dump and "GRANT" not in dump, "the dump holds settings or rights"
        world.hosts["sydney"].do(RESET, stamp)
    finally:
        hk.owner(FREE)
    assert sydney.ask("-c", "show default_transaction_read_only") == "off"
    assert sydney.dump() == hk.dump()
    hk.owner("alter role gigadb in database gigadb set default_transaction_read_only = on")
    try:
        world.hosts["hk"].do("/usr/local/bin/s3backup", stamp)
        carried = world.bucket("cat", f"{BUCKET}/{HK_KEY.format(stamp)}")
    finally:
        hk.owner("alter role gigadb in database gigadb reset default_transaction_read_only")
        world.bucket("deletefile", f"{BUCKET}/{HK_KEY.format(stamp)}")
    assert "IN DATABASE gigadb SET default_transaction_read_only" in carried, "the control carries nothing"
    return "loaded, and writes are free there; the control, a setting of the database, is in the dump"


def loaded_while_read_only(world):
    """Ours loads a site whose role only reads, and it stays so; upstream's cannot."""
    sydney, host = world.databases["sydney"], world.hosts["sydney"]
    sydney.ask("-c", READ_ONLY)
    try:
        before, drops = state(sydney)
        status, said = host.do(UPSTREAM, "latest", ok=False)
        assert status and "cannot execute DROP DATABASE in a read-only transaction" in said and sydney.dump() == before, said
        host.do(RESET)
        assert sydney.drops() > drops and sydney.dump() == world.databases["hk"].dump()
        why = sydney.refused("insert into dataset (identifier, title) values ('x', 'x')")
        assert why and "read-only transaction" in why, "the role may write after the load"
    finally:
        sydney.owner(FREE)
    return "loaded, and still read only; control: upstream's load is refused"


def missing_dump_by_hand(world, site):
    """Ours looks before it drops; upstream's drops and then finds that there is nothing to load."""
    host, database = world.hosts[site], world.databases[site]
    before = state(database)
    status, said = host.do(RESET, NOWHERE, ok=False)
    assert status and "nothing was changed" in said and state(database) == before, said
    cut = f"{BUCKET}/{HK_KEY.format('202001020000')}"
    whole = world.bucket("cat", f"{BUCKET}/{newest(world)}")
    world.hosts["hk"].do("rclone", "rcat", cut, input=whole[: len(whole) // 2])
    status, said = host.do(RESET, "202001020000", ok=False)
    assert status and "is cut" in said and state(database) == before, said
    for word in ("tomorrow", "2026-11-21", "20261121; drop"):
        status, said = host.do(RESET, word, ok=False)
        assert status == 2 and state(database) == before, said
    status, said = host.do(UPSTREAM, NOWHERE, ok=False)
    assert status, "upstream's script says that it went well"
    tables = database.tells("select count(*) from information_schema.tables where table_schema = 'public'")
    assert tables == "0" and state(database) != before, "the control has not dropped anything: the trap is none"
    return f"ours refused and dropped nothing; control: upstream's left {site} with {tables} tables"


def wrong_target_by_hand(world, site, production):
    """Control: with production's name in .env the script empties production, from the standby's host."""
    database = world.databases[production]
    assert database.tells("select count(*) from dataset") != "0"
    world.dotenv(site, world.endpoint(production))
    status, said = world.hosts[site].do(UPSTREAM, NOWHERE, ok=False)
    assert status and database.tells("select count(*) from information_schema.tables where table_schema = 'public'") == "0", said
    return f"control: run on {world.hosts[site].name} it emptied {production}"


def newest(world):
    lines = [line.split() for line in world.bucket("lsl", BUCKET).splitlines()]
    return max(lines, key=lambda it: it[1:3])[3]


def nightly(world, production, standby):
    """The nightly dump of whoever is production is what the nightly load of the standby reads (G1)."""
    today = world.hosts[production].do("date", "-u", "+%Y%m%d").strip()
    mark = f"nightly-{production}"
    world.databases[production].ask("-c", f"insert into dataset (identifier, title) values ('{mark}', 'of the day')")
    world.hosts[production].do("/usr/local/bin/s3backup")
    world.hosts[standby].do(RESET, today)
    assert world.databases[standby].tells(f"select count(*) from dataset where identifier = '{mark}'") == "1"
    return f"{standby} has the day's data of {production}"


def cron_ran(world):
    """The hosts' cron daemons have run the line that stands in both crontabs."""
    counts = {site: len(world.hosts[site].file("home/centos/cron-was-here").read_text().split()) for site in world.databases}
    return f"minutes: {counts}"


def practice_parts_unused(world):
    """Neither the practice hosts nor the practice sites were asked for anything."""
    counts = world.cloud.control("counts")
    assert not counts.get("host") and not counts.get("site"), counts
    return f"asked: {', '.join(sorted(counts))}"


def nothing_left(folder, users):
    """No process and no mount of ours, no user, is left on the machine."""
    living = [line for line in map(command_line, Path("/proc").glob("[0-9]*")) if folder in line]
    assert not living, living
    assert folder not in Path("/proc/mounts").read_text(), "a mount is left"
    assert not users & names_of_users() - USERS_BEFORE, users & names_of_users()
    return "no process, mount or user"


def command_line(process):
    try:
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""  # ended meanwhile


def names_of_users():
    return {line.split(":")[0] for line in Path("/etc/passwd").read_text().splitlines()}


USERS_BEFORE = names_of_users()
