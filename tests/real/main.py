"""A release there and a release back with real parts. Usage: main.py FOLDER-OF-PROGRAMS MOTO_SERVER; scripts/suites/real-parts calls it."""

import os
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "judge"))

import traps  # noqa: E402
from release import Operator  # noqa: E402
from verdicts import Verdicts  # noqa: E402
from walk import Walk  # noqa: E402
from world import World  # noqa: E402


def out(check, users, world, operator):
    """v4.3.4 to Sydney, a trap in each phase that has one."""
    walk = Walk(world, operator, "v4.3.4", "sydney")
    check("out: a strange host key", walk.strange_key)
    check("out: a dead hop", walk.dead_hop)
    check("out: preflight", walk.retry)
    check("out: a dead hop before a change", walk.dead_hop_before_a_change)
    check("out: deploy waits for a running job", walk.waits_for_a_running_job)
    users("out: users come", walk.users_come)
    check("out: embargo", walk.next)
    users("out: writes are refused", walk.embargoed)
    check("out: jobs off", walk.next)
    check("out: crontabs while off", walk.jobs_are_off)
    check("out: backup", walk.next)
    check("out: the dump is missing", walk.missing_dump)
    check("out: the wrong target", walk.wrong_target)
    check("out: the connection is cut in the middle of the load", walk.cut_reset)
    check("out: schema", lambda: walk.migrated("funder"))
    check("out: swap", walk.to_the_swap)
    users("out: stubborn users", walk.stubborn_come)
    check("out: sanity, soak, accept", walk.to_soak)
    users("out: users go", walk.users_go)
    check("out: renew and sync on", walk.to_the_end)
    users("out: nothing is lost", walk.nothing_lost)
    check("out: both databases", walk.equal)
    check("out: crontabs", lambda: walk.crontabs("sydney"))
    check("out: journal", walk.verified)


def back(check, users, world, operator):
    """v4.3.5 to Hong Kong: the second project is production, the crons are on the other host."""
    walk = Walk(world, operator, "v4.3.5", "hk")
    check("back: preflight", walk.start)
    users("back: users come", walk.users_come)
    for phase in ("deploy", "embargo", "jobs off", "backup"):
        check(f"back: {phase}", walk.next)
    users("back: writes are refused", walk.embargoed)
    check("back: the answer of the start is lost", walk.lost_start)
    check("back: swap", walk.to_the_swap)
    users("back: stubborn users", walk.stubborn_come)
    check("back: sanity, soak, accept", walk.to_soak)
    users("back: users go", walk.users_go)
    check("back: renew and sync on", walk.to_the_end)
    users("back: nothing is lost", walk.nothing_lost)
    check("back: both databases", walk.equal)
    check("back: crontabs", lambda: walk.crontabs("hk"))
    check("back: journal", walk.verified)


def walked(verdicts, world):
    """Everything in its order; a step of a release that fails ends it."""

    def check(name, action):
        began = time.monotonic()
        verdicts.check(name, lambda: f"{str(action()).strip().splitlines()[0]} ({time.monotonic() - began:.1f} s)")
        if verdicts.failed:
            raise Stopped(name)

    check("a read-only role", lambda: traps.read_only_role(world))
    check("the role's setting stays at home", lambda: traps.not_in_the_dump(world))
    check("a load under an embargo", lambda: traps.loaded_while_read_only(world))
    operator = Operator(world, "operator")
    users = check if operator.enforces else lambda *_: None
    if not operator.enforces:
        verdicts.skipped += 1
        print("SKIPPED real-parts: users who write all the time: the workflow does not enforce its embargo")
    check("init", lambda: operator.run("init gigadb --yes"))
    out(check, users, world, operator)
    check("the nightly load with the other project as production", lambda: traps.nightly(world, "sydney", "hk"))
    back(check, users, world, operator)
    check("cron ran", lambda: traps.cron_ran(world))
    check("a dump that is missing, cut, or no date, by hand", lambda: traps.missing_dump_by_hand(world, "sydney"))
    check("the wrong target, by hand", lambda: traps.wrong_target_by_hand(world, "sydney", "hk"))
    check("no practice part was used", lambda: traps.practice_parts_unused(world))


class Stopped(Exception):
    """A check failed that the next one relies on."""


def main(programs, moto):
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
    # Told to stop, it leaves by the same way as after a failure.
    for told in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(told, lambda *_: sys.exit(1))
    verdicts = Verdicts()
    with tempfile.TemporaryDirectory(prefix="changeover-real.", ignore_cleanup_errors=True) as folder:
        try:
            with World(folder, programs, moto) as world:
                walked(verdicts, world)
        except Stopped:
            pass
        except Exception as error:
            verdicts.failed += 1
            print(f"FAILED the suite: {error}")
            traceback.print_exc()
        verdicts.check("nothing is left", lambda: traps.nothing_left(folder, {"centos", "jump"}))
    print(f"real-parts: {verdicts.passed} passed, {verdicts.failed} failed, {verdicts.skipped} skipped")
    return 1 if verdicts.failed or not verdicts.passed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
