"""The practice cloud as a child process, and a whole release run on it by the program itself."""

import json
import os
import shlex
import subprocess
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
QUICK = ["--job-seconds", "0.02", "--rds-seconds", "0.05", "--dns-delay", "0.02", "--host-seconds", "0.02"]
# Small waits for a copy of the shipped workflow; everything else stays as shipped.
PRACTICE = "practice: true\nlimits: { settle: 60ms, poll: 20ms, call: 5s, action: 30s, late: 1s }\n"
# What scripts/demo does: v4.3.4 out; v4.3.5 out and back. Each with who says it and the exit status to expect.
RELEASE = [
    ("engineer-a", 0, "init gigadb --yes"),
    ("engineer-a", 7, "release start v4.3.4 --auto --yes --waive windows --waive drained --reason practice"),
    ("curator-a", 7, "release approve --yes"),
    ("engineer-b", 0, "release approve --yes"),
    ("engineer-a", 0, "release next --confirm sydney"),
    ("engineer-a", 0, "release next --yes"),
    ("engineer-a", 0, "release next --yes"),
    ("engineer-a", 0, "release accept --reason practice --yes"),
    ("engineer-a", 0, "release next --yes"),
    ("engineer-a", 0, "release next --yes"),
    ("engineer-a", 7, "release start v4.3.5 --auto --yes --waive windows --waive drained --reason practice"),
    ("curator-b", 7, "release approve --yes"),
    ("engineer-b", 0, "release approve --yes"),
    ("engineer-a", 0, "release next --confirm hk"),
    ("engineer-a", 0, "release rollback --confirm sydney --reason practice"),
    ("engineer-a", 0, "release next --yes"),
    ("engineer-a", 0, "release next --yes"),
    (None, 0, "audit verify"),
]


class Cloud:
    """A practice cloud in a folder; use it in a `with`."""

    def __init__(self, folder, programs, moto):
        self.folder, self.programs, self.moto = Path(folder), Path(programs).absolute(), moto
        self.env = {}

    def __enter__(self):
        log = (self.folder / "lab.log").open("w")
        # It does not outlive this process, however that ends.
        command = ["setpriv", "--pdeathsig", "TERM", self.programs / "changeover-lab", "up", "--dir", self.folder, "--moto", self.moto, *QUICK]
        self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until = time.monotonic() + 60
        while not (self.folder / "ready").exists():
            if self.child.poll() is not None or time.monotonic() > until:
                self.__exit__()
                raise RuntimeError("no practice cloud: " + (self.folder / "lab.log").read_text())
            time.sleep(0.05)
        for line in (self.folder / "env.sh").read_text().splitlines():
            if line.startswith("export "):
                name, _, value = line.removeprefix("export ").partition("=")
                self.env[name] = "".join(shlex.split(value))
        return self

    def __exit__(self, *_):
        self.child.terminate()
        try:
            self.child.wait(20)
        except subprocess.TimeoutExpired:
            self.child.kill()

    def control(self, path):
        with urllib.request.urlopen(f"{self.env['CHANGEOVER_LAB_URL']}/_lab/{path}", timeout=30) as answer:
            return json.load(answer)

    def calls(self, service, since=0):
        return self.control(f"calls?service={service}&since={since}")

    def counted(self, service):
        """How many requests the practice cloud counted: all, and those that changed state."""
        counts = self.control("counts").get(service, {}).values()
        return sum(it["requests"] for it in counts), sum(it["applied"] for it in counts)

    def release(self):
        """Runs the release; says what went wrong, or nothing."""
        workflows = self.folder / "workflows"
        workflows.mkdir()
        shipped = (ROOT / "workflows/gigadb.yaml").read_text()
        copy = shipped.replace("\nsystem: gigadb\n", "\nsystem: gigadb\n" + PRACTICE, 1)
        if copy == shipped:
            return "the shipped workflow does not name its system on a line of its own"
        (workflows / "gigadb.yaml").write_text(copy)
        env = os.environ | self.env
        env |= {"CHANGEOVER_STATE": str(self.folder / "state"), "CHANGEOVER_WORKFLOWS": str(workflows)}
        for who, wanted, words in RELEASE:
            command = [self.programs / "changeover", *words.split(), *(["--as", who] if who else [])]
            done = subprocess.run(command, env=env, cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
            if done.returncode != wanted:
                said = (done.stdout + done.stderr)[-3000:]
                return f"changeover {words}: exit status {done.returncode}, expected {wanted}\n{said}"
        return None
