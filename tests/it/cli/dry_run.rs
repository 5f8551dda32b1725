//! `--dry-run` of every changing command, by the real conductor on a practice cloud: a plan worth reading, and
//! nothing changed by it, neither in the journal nor outside.

use std::process::Output;

use changeover::conductor::Command;
use changeover::machine::State;
use changeover::model::Phase;

use crate::practice::{Lab, Operator};

struct Bench<'a> {
    lab: &'a Lab,
    operator: &'a Operator,
}

impl Bench<'_> {
    /// Types a command as a process of its own.
    fn typed(&self, line: &str) -> Output {
        let mut process = self.operator.program();
        process.args(line.split(' ')).args(["--as", "engineer-a", "--no-input"]).output().unwrap()
    }

    /// The journal's bytes and every request that changed something.
    fn everything(&self) -> (Vec<u8>, String) {
        let journal = self.operator.state.join("gigadb/journal/00000001.jsonl");
        let calls = self.lab.get("/_lab/calls?changes=true");
        (std::fs::read(journal).unwrap_or_default(), calls.to_string())
    }

    /// Dry-runs a command, which must change nothing; gives what it printed.
    fn dry(&self, line: &str, status: i32) -> String {
        let before = self.everything();
        let ran = self.typed(&format!("{line} --dry-run"));
        let (out, err) =
            (String::from_utf8(ran.stdout).unwrap(), String::from_utf8(ran.stderr).unwrap());
        assert_eq!(ran.status.code(), Some(status), "{line}: {out}{err}");
        assert!(before == self.everything(), "{line} --dry-run changed something");
        assert!(out.starts_with("PLAN ") && out.contains("WAY BACK"), "{line}: {out}{err}");
        let wide = out.lines().filter(|line| line.split(' ').all(|word| word.len() < 60));
        let widest = wide.map(|line| line.chars().count()).max();
        assert!(widest <= Some(80), "{line}: {out}");
        out
    }
}

/// Takes the release on until the machine stands here.
async fn until(operator: &Operator, there: impl Fn(&State) -> bool) {
    for _ in 0..40 {
        if there(&operator.life().state) {
            return;
        }
        let (who, command) = operator.turn("v4.3.4", "sydney").unwrap();
        operator.order(who, command).await.unwrap();
    }
    panic!("it never stood there: {:?}", operator.life().state);
}

fn ready(phase: Phase) -> impl Fn(&State) -> bool {
    move |state| matches!(state, State::Ready { at } if at.phase == phase)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_shows_the_plan_and_changes_nothing() {
    let lab = Lab::start();
    let operator = Operator::new(&lab, "dry");
    let bench = Bench { lab: &lab, operator: &operator };

    bench.dry("init", 0);
    operator.order("engineer-a", Command::Init).await.unwrap();

    // Whether the hour is closed depends on the hour: waived, it says so and refuses nothing.
    let start = bench.dry("release start v4.3.4 --waive windows --reason practice", 0);
    assert!(start.contains("preflight") && start.contains("read 0s ago"), "{start}");
    assert!(start.contains("hk is production by each of 8 records"), "{start}");
    assert!(
        start.contains("swap") && start.contains("off-swap, tls-swap, switch, confirm"),
        "{start}"
    );

    until(&operator, ready(Phase::Preflight)).await;
    let deploy = bench.dry("release next", 0);
    assert!(deploy.contains("reset-hold") && deploy.contains("HOME_URL"), "{deploy}");
    bench.dry("release abort", 0);
    bench.dry("run pause", 0);

    until(&operator, |state| matches!(state, State::Asking { .. })).await;
    bench.dry("release approve", 0);
    bench.dry("release reject", 0);

    until(&operator, ready(Phase::Validate)).await;
    let swap = bench.dry("release next", 0);
    let target = lab.world();
    assert!(swap.contains("~ gigadb.org: ") && swap.contains(" → "), "{swap}\n{target}");
    assert!(swap.contains("e=2") && swap.contains("confirm        switch.confirm later"), "{swap}");

    until(&operator, ready(Phase::Swap)).await;
    let back = bench.dry("release rollback", 0);
    assert!(back.contains("gigadb.org leads to hk"), "{back}");
    assert!(back.contains("WAY BACK now:        free"), "{back}");

    until(&operator, ready(Phase::Soak)).await;
    let lift = bench.dry("release accept", 0);
    assert!(lift.contains("backup-on"), "{lift}");
    assert!(lift.contains("WAY BACK afterwards: costs every write"), "{lift}");
    for line in ["run retry", "run resume", "run adopt", "run close", "run skip home"] {
        bench.dry(line, 0);
    }
}
