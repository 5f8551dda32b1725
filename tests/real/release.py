"""The operator: commands of the program, and what its journal says."""

import json
import subprocess

from cloud import PRACTICE, ROOT

# Real sshd, real dumps: an answer takes longer than in the practice cloud alone.
LIMITS = PRACTICE.replace("call: 5s", "call: 30s").replace("poll: 20ms", "poll: 200ms")


class Operator:
    """One operator with a journal of their own."""

    def __init__(self, world, name):
        self.world, self.folder = world, world.folder / name
        workflows = self.folder / "workflows"
        workflows.mkdir(parents=True)
        shipped = (ROOT / "workflows/gigadb.yaml").read_text()
        copy = shipped.replace("\nsystem: gigadb\n", "\nsystem: gigadb\n" + LIMITS, 1)
        assert copy != shipped, "the shipped workflow does not name its system on a line of its own"
        (workflows / "gigadb.yaml").write_text(copy)
        # Whether an embargo is more than an entry of the journal.
        self.enforces = "\nembargo:" in shipped
        self.env = world.env | {"CHANGEOVER_STATE": str(self.folder / "state"), "CHANGEOVER_WORKFLOWS": str(workflows)}

    def command(self, words, who="engineer-a"):
        return [str(self.world.cloud.programs / "changeover"), *words.split(), "--as", who]

    def run(self, words, *wanted, who="engineer-a"):
        """Gives a command; its exit status must be one of those wanted. What it says."""
        done = subprocess.run(self.command(words, who), env=self.env, cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180)
        said = done.stdout + done.stderr
        assert done.returncode in (wanted or (0,)), f"changeover {words}: exit status {done.returncode}, expected {wanted or 0}\n{said[-6000:]}"
        return said

    def lines(self):
        """The journal, a line each."""
        found = []
        for segment in sorted((self.folder / "state/gigadb/journal").glob("*.jsonl")):
            # The last line may be half written.
            for line in segment.read_text().splitlines(keepends=True):
                found += [json.loads(line)] if line.endswith("\n") else []
        return found

    def about(self, step, since=0):
        """The lines that name a step."""
        return [line for line in self.lines()[since:] if f'"{step}"' in json.dumps(line)]
