#!/usr/bin/env python3
"""How long an armed failover takes from the confirmed command to the last batch accepted, in the practice cloud with
20 ms on every provider call, beside one `curl` that sends the same two batches side by side and beside octoDNS making
the same change. By hand, after `cargo build --release --workspace`:

    benches/armed_failover.py [ROUNDS] [--octodns DIR] [--write FILE] [--binaries DIR]

DIR of octoDNS: the bin folder of a venv with octodns and octodns-cloudflare. Moto is CHANGEOVER_MOTO or
target/tools/moto's. A release is walked once; each round begins with the world and the state folder as they were after
it: arm, the lost site dies, the plan is shown. Then the clock runs: from just before the process is started to the
answer of the last batch, by the practice cloud's own record. For curl, with the very batches: until its process has
ended. Each round does all of them, one after the other. Ends with 1 if a target is missed, and says which.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
DELAY = 0.020
LOST, TO, REGION = "sydney", "hk", "ap-southeast-2"
LOST_HOST, TO_HOST = f"gigadb-{LOST}-bastion", f"gigadb-{TO}-bastion"
PRACTICE = "practice: true\nlimits: { settle: 60ms, poll: 20ms, call: 5s, counting: 50ms, action: 30s, late: 1s }\n"
START = "release start v4.3.4 --auto --yes --waive windows --waive drained --reason practice"
RELEASE = [
    ("engineer-a", "init gigadb --yes"), ("engineer-a", START), ("curator-a", "release approve --yes"),
    ("engineer-b", "release approve --yes"), ("engineer-a", "release next --confirm sydney"),
    ("engineer-a", "release next --yes"), ("engineer-a", "release next --yes"),
    ("engineer-a", "release accept --reason practice --yes"), ("engineer-a", "release next --yes"),
    ("engineer-a", "release next --yes"),
]


class Lab:
    def __init__(self, folder, binaries, moto):
        self.folder = folder
        words = "--job-seconds 0 --rds-seconds 0 --dns-delay 0 --host-seconds 0".split()
        log = open(folder / "lab.log", "w")
        self.child = subprocess.Popen(
            [binaries / "changeover-lab", "up", "--moto", moto, "--dir", folder, *words], stdout=log, stderr=log
        )
        for _ in range(600):
            if (folder / "ready").exists():
                break
            time.sleep(0.05)
        said = (folder / "env.sh").read_text()
        pairs = re.findall(r"^export ([A-Z_0-9]+)=(.*)$", said, re.M)
        self.env = {name: value.strip("'\"") for name, value in pairs}

    def control(self, path, body=None, method=None):
        data = None if body is None else json.dumps(body).encode()
        ask = urllib.request.Request(
            f"{self.env['CHANGEOVER_LAB_URL']}/_lab/{path}", data, {"content-type": "application/json"}, method=method
        )
        with urllib.request.urlopen(ask, timeout=30) as answer:
            return json.loads(answer.read() or b"null")

    def last(self):
        return max((it["n"] for it in self.control("calls")), default=0)

    def close(self, binaries):
        subprocess.run([binaries / "changeover-lab", "down", "--dir", self.folder], check=False)
        self.child.terminate()
        self.child.wait()


class Base:
    """The world after a release: production in Sydney, Hong Kong its standby."""

    def __init__(self, lab, binaries, folder):
        self.lab, self.binaries, self.folder = lab, binaries, folder
        (folder / "workflows").mkdir(parents=True)
        text = (ROOT / "workflows/gigadb.yaml").read_text()
        text = text.replace("\nsystem: gigadb\n", f"\nsystem: gigadb\n{PRACTICE}", 1).replace(" for: 5m ", " for: 60ms ", 1)
        (folder / "workflows/gigadb.yaml").write_text(text)
        lab.control("set", {"resolver_cache_s": 0, "cloudflare_limit": 1000000})
        state = ["--state", folder / "state", "--workflows", folder / "workflows"]
        for who, words in RELEASE:
            command = [binaries / "changeover", *state, "--as", who, "--no-input", *words.split()]
            done = subprocess.run(command, env=os.environ | lab.env, capture_output=True, text=True)
            assert done.returncode in (0, 7), f"{words}: {done.stdout}{done.stderr}"
        self.crontab = self.ssh("crontab -l")
        self.zones = {it["id"]: self.rows(it["id"]) for it in self.cloudflare("zones")["result"]}

    def ssh(self, command, given=None):
        words = [self.lab.env["CHANGEOVER_SSH"], TO_HOST, command]
        env = os.environ | self.lab.env
        return subprocess.run(words, env=env, input=given, check=True, capture_output=True, text=True).stdout

    def cloudflare(self, path, body=None):
        headers = {"authorization": f"Bearer {self.lab.env['CLOUDFLARE_API_TOKEN']}", "content-type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        ask = urllib.request.Request(f"{self.lab.env['CLOUDFLARE_BASE_URL']}/{path}", data, headers)
        with urllib.request.urlopen(ask, timeout=30) as answer:
            return json.loads(answer.read())

    def rows(self, zone):
        return {it["id"]: it for it in self.cloudflare(f"zones/{zone}/dns_records?per_page=500")["result"]}

    def restore(self, jobs):
        self.lab.control("faults", method="DELETE")
        self.lab.control("set", {"sites": {LOST: {"dead": False}}, "hosts": {LOST_HOST: {"down": False}},
                                 "regions_down": [], "provider_delay_s": 0})
        keys = ("id", "type", "name", "content", "ttl", "proxied", "comment")
        for zone, before in self.zones.items():
            now = self.rows(zone)
            new = [{"id": it} for it in now if it not in before]
            moved = [
                {key: before[it][key] for key in keys}
                for it in before if before[it]["content"] != now[it]["content"]
            ]
            if new or moved:
                self.cloudflare(f"zones/{zone}/dns_records/batch", {"deletes": new, "patches": moved})
        self.ssh("crontab -", self.crontab if jobs else "")


class Round:
    """The world after the release, armed; then the lost site is gone."""

    def __init__(self, base, jobs_off, black_hole):
        lab = base.lab
        self.lab, self.binaries, self.folder, self.workflows = lab, base.binaries, base.folder / "round", base.folder / "workflows"
        base.restore(not jobs_off)
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(base.folder / "state", self.folder / "state")
        self.run("arm")
        lab.control("set", {"sites": {LOST: {"dead": True}}, "provider_delay_s": DELAY})
        if black_hole:
            hang = {"action": "timeout_before", "times": 1000000, "hold_s": 60}
            lab.control("faults", hang | {"service": "aws"})
            lab.control("faults", hang | {"service": "host", "place": LOST_HOST})
        else:
            lab.control("set", {"hosts": {LOST_HOST: {"down": True}}, "regions_down": [REGION]})

    def words(self, *words):
        state = ["--state", self.folder / "state", "--workflows", self.workflows]
        return [self.binaries / "changeover", "-s", "gigadb", *state, "--as", "engineer-a", "--no-input", *words]

    def run(self, *words):
        done = subprocess.run(self.words(*words), env=os.environ | self.lab.env, capture_output=True, text=True)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def shown(self):
        reply = json.loads(self.run("failover", "--dry-run", "--json"))
        return reply["plan"]["digest"]

    def armed(self):
        text = (self.folder / "state/gigadb/armed.json").read_text()
        return json.loads(text.split("\n", 1)[1])


def batches(armed):
    """The two batches of the armed plan, as a client sends them that knows everything."""
    for zone in armed["zones"]:
        rows = {f"cloudflare/{zone['name']}/{row['id']}/{row['name']}": row for row in zone["rows"]}
        patches = [
            {"id": rows[it["key"]]["id"], "type": rows[it["key"]]["kind"], "name": rows[it["key"]]["name"],
             "content": it["new"], "ttl": rows[it["key"]]["ttl"], "proxied": rows[it["key"]]["proxied"],
             "comment": "changeover gigadb by hand"}
            for it in armed["moves"] if it["key"] in rows
        ]
        mark = {"type": "TXT", "name": f"_changeover-gigadb.{zone['name']}", "content": f"e={zone['mark'] + 1}",
                "ttl": 60, "comment": "changeover gigadb by hand"}
        yield zone["id"], {"patches": patches, "posts": [mark]}


def what(call, armed):
    """A request by service, method and path, its ids left out."""
    path = call["path"]
    for zone in armed["zones"]:
        path = path.replace(zone["id"], f"({zone['name']})")
    return f"{call['service']} {call['method']} {re.sub('[0-9a-f]{32}', '(id)', path)}"


def accepted(round_, since, began):
    """Milliseconds from then to the answer of the last batch, and what was asked up to it."""
    calls = sorted(round_.lab.control(f"calls?since={since}"), key=lambda it: it["n"])
    last = max(at for at, it in enumerate(calls) if it["service"] == "cloudflare" and it["applied"])
    ended = max(it["ended_at"] for it in calls[: last + 1] if it["service"] == "cloudflare" and it["applied"])
    ended = datetime.datetime.fromisoformat(ended.replace("Z", "+00:00")).timestamp()
    armed, counts = round_.armed(), {}
    for it in calls[: last + 1]:
        name = what(it, armed)
        counts[name] = counts.get(name, 0) + 1
    return (ended - began) * 1000, counts, stages(calls[: last + 1], began)


def stages(calls, began):
    """How long until the standby's machine is asked, until it has answered, until the batches are there and answered."""
    def at(name, call):
        return datetime.datetime.fromisoformat(call[name].replace("Z", "+00:00")).timestamp()

    looks = [it for it in calls if it["method"] == "SSH" and it["ended_at"]]
    batch = [it for it in calls if it["service"] == "cloudflare" and it["applied"]]
    if not looks or not batch:
        return None
    points = [
        began, at("at", looks[0]), max(at("ended_at", it) for it in looks),
        min(at("at", it) for it in batch), max(at("ended_at", it) for it in batch),
    ]
    return [(after - before) * 1000 for before, after in zip(points, points[1:])]


def proof(base):
    """The look at the standby's jobs by itself, as a person would make it with ssh: milliseconds of its process."""
    script = (ROOT / "src/actuator/host/jobs.sh").read_text()
    words = [base.lab.env["CHANGEOVER_SSH"], TO_HOST, "sh -s -- between"]
    began = time.time()
    subprocess.run(words, env=os.environ | base.lab.env, input=script, check=True, capture_output=True, text=True)
    return (time.time() - began) * 1000


def ours(round_):
    plan = round_.shown()
    since = round_.lab.last()
    words = round_.words(
        "failover", "--armed", "--confirm", TO, "--accept-data-loss", "12h", "--plan", plan, "--reason", "bench"
    )
    log = open(round_.folder / "failover.log", "w")
    began = time.time()
    child = subprocess.Popen(words, env=os.environ | round_.lab.env, stdout=log, stderr=log)
    until = time.time() + 30
    # The practice cloud has nothing else to answer meanwhile.
    time.sleep(1)
    while time.time() < until:
        done = [it for it in round_.lab.control(f"calls?since={since}&service=cloudflare") if it["applied"]]
        if len(done) >= 2:
            break
        time.sleep(0.25)
    child.kill()
    child.wait()
    assert len(done) >= 2, (round_.folder / "failover.log").read_text()
    return accepted(round_, since, began)


def curl(round_):
    config = ["parallel", "parallel-immediate"]
    base, token = round_.lab.env["CLOUDFLARE_BASE_URL"], round_.lab.env["CLOUDFLARE_API_TOKEN"]
    for at, (zone, body) in enumerate(batches(round_.armed())):
        file = round_.folder / f"{zone}.json"
        file.write_text(json.dumps(body))
        config += ["next"] * (at > 0) + [
            f'url = "{base}/zones/{zone}/dns_records/batch"', f'header = "authorization: Bearer {token}"',
            'header = "content-type: application/json"', f'data = "@{file}"', f'output = "{file}.answer"', "silent",
        ]
    path = round_.folder / "curl.conf"
    path.write_text("\n".join(config) + "\n")
    since = round_.lab.last()
    began = time.time()
    subprocess.run(["curl", "--no-progress-meter", "--config", path], check=True, stderr=subprocess.DEVNULL)
    wall = (time.time() - began) * 1000
    last, counts, _ = accepted(round_, since, began)
    assert sum(counts.values()) == 2, counts
    return wall, last, counts


def octodns(round_, binaries):
    armed = round_.armed()
    folder = round_.folder / "octodns"
    folder.mkdir()
    base = round_.lab.env["CLOUDFLARE_BASE_URL"]
    zones = [it["name"] for it in armed["zones"]]
    listed = "".join(f"  {zone}.:\n    sources: [here]\n    targets: [there]\n" for zone in zones)
    (folder / "config.yaml").write_text(
        f"providers:\n  here: {{class: octodns.provider.yaml.YamlProvider, directory: {folder}, default_ttl: 60}}\n"
        f"  there: {{class: octodns_cloudflare.CloudflareProvider, token: env/CLOUDFLARE_API_TOKEN, api_url: '{base}',"
        f" pagerules: false, min_ttl: 60}}\nmanager: {{max_workers: 2}}\nzones:\n{listed}"
    )
    env = os.environ | {"CLOUDFLARE_API_TOKEN": round_.lab.env["CLOUDFLARE_API_TOKEN"]}
    words = ["--config-file", folder / "config.yaml"]
    for zone in zones:
        subprocess.run(
            [binaries / "octodns-dump", *words, "--output-dir", folder, f"{zone}.", "there"],
            env=env, check=True, capture_output=True,
        )
        file = folder / f"{zone}.yaml"
        text = file.read_text()
        for old, new in {(it["old"], it["new"]) for it in armed["moves"] if it["old"]}:
            text = text.replace(f"value: {old}\n", f"value: #{new}\n")
        file.write_text(text.replace("value: #", "value: "))
    since = round_.lab.last()
    began = time.time()
    # It asks for the force where more than 30 % of a zone's records change: here about half do.
    words += ["--doit", "--force"]
    done = subprocess.run([binaries / "octodns-sync", *words], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return accepted(round_, since, began)


CURL, LAST, PROOF, ARMED, HOLE, JOBS, OCTO = (
    "one curl, its whole process", "the same, to its last batch",
    "the standby's jobs looked at by a bare ssh", "armed",
    "armed, AWS and the lost site's host black-holed", "armed, two sync jobs to switch off first",
    "octoDNS, the same records",
)
PARTS = (
    "until the ssh call to the standby's machine has begun", "that call, as the practice cloud sees it",
    "until the first batch has come", "until the last batch is answered",
)
OURS = {ARMED: (True, False), HOLE: (True, True), JOBS: (False, False)}
TARGETS = [
    ("at most 1.5 times curl", ARMED, CURL, 1.5), ("under a sixth of octoDNS", ARMED, OCTO, 1 / 6),
    ("black-holed within 1.2 times of armed", HOLE, ARMED, 1.2),
]


def measure(given, lab, base):
    """All times in milliseconds by name, and what was asked the last time."""
    names = [CURL, LAST, PROOF, *OURS] + [OCTO] * bool(given.octodns)
    times, counts, spent = {name: [] for name in names}, {}, []
    for at in range(given.rounds):
        made = Round(base, True, False)
        wall, last, counts[CURL] = curl(made)
        times[CURL].append(wall)
        times[LAST].append(last)
        times[PROOF].append(proof(base))
        for name, (off, hole) in OURS.items():
            took, counts[name], parts = ours(Round(base, off, hole))
            times[name].append(took)
            if name == ARMED and parts:
                spent.append(parts)
        if given.octodns:
            took, counts[OCTO], _ = octodns(Round(base, True, False), given.octodns)
            times[OCTO].append(took)
        told = ", ".join(f"{name} {times[name][-1]:.0f}" for name in names)
        print(f"round {at + 1}: {told}; load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)
    return times, counts, spent


def page(given, times, counts, spent):
    """The figures as Markdown, and the targets that were missed."""
    middle = {name: statistics.median(all) for name, all in times.items()}
    told = [
        "# An armed failover beside curl and octoDNS", "",
        "Written by `benches/armed_failover.py --write`; what it does is said there.", "",
        f"{datetime.date.today()}, {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end;"
        f" binaries of `{given.binaries.name}`; median of {given.rounds} rounds,"
        f" {DELAY * 1000:.0f} ms on every provider call.", "",
        "| | median | from | to | to curl | round by round to curl |", "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, all in times.items():
        each = statistics.median(one / of for one, of in zip(all, times[CURL]))
        told.append(
            f"| {name} | {middle[name]:.1f} ms | {min(all):.1f} | {max(all):.1f}"
            f" | {middle[name] / middle[CURL]:.2f} | {each:.2f} |"
        )
    told += ["", "## Targets", ""]
    missed = []
    for says, name, base, most in TARGETS:
        if base not in middle:
            told.append(f"* {says}: not measured")
            continue
        ratio = middle[name] / middle[base]
        held = ratio <= most
        missed += [] if held else [says]
        told.append(f"* {says}: {'held' if held else '**missed**'}, {ratio:.3f} of at most {most:.3f}")
    told += ["", "## Where an armed failover spends it", ""]
    for at, part in enumerate(PARTS):
        told.append(f"* {part}: {statistics.median(it[at] for it in spent):.1f} ms" if spent else f"* {part}: not seen")
    told += ["", "## Asked, up to the last batch", ""]
    for name, asked in counts.items():
        told += [f"* {name}: {sum(asked.values())}"] + [f"  * {count} × {it}" for it, count in sorted(asked.items())]
    return "\n".join(told) + "\n", missed


def main():
    args = argparse.ArgumentParser()
    args.add_argument("rounds", nargs="?", type=int, default=20)
    args.add_argument("--octodns", type=pathlib.Path)
    args.add_argument("--write", type=pathlib.Path)
    args.add_argument("--binaries", type=pathlib.Path, default=ROOT / "target/release")
    given = args.parse_args()
    moto = os.environ.get("CHANGEOVER_MOTO") or ROOT / "target/tools/moto/bin/moto_server"
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        lab = Lab(folder, given.binaries, moto)
        try:
            times, counts, spent = measure(given, lab, Base(lab, given.binaries, folder / "base"))
        finally:
            lab.close(given.binaries)
    text, missed = page(given, times, counts, spent)
    print(text)
    if given.write:
        given.write.write_text(text)
    for says in missed:
        print(f"missed: {says}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
