//! A second process while one works, and a state folder that is not what it was.

use std::path::Path;
use std::process::{Child, Command as Process, Output, Stdio};
use std::time::{Duration, Instant};

use changeover::conductor::Command;
use changeover::machine::State;
use changeover::model::Phase;
use serde_json::json;

use super::{lines, until};
use crate::practice::{Lab, Operator, go_on, last_call, stop};

/// The program itself, as this operator runs it.
pub(super) fn program(operator: &Operator, words: &[&str]) -> Process {
    let mut process = operator.program();
    if !words.contains(&"--as") {
        process.args(["--as", "engineer-a"]);
    }
    process.args(["--no-input", "-s", "gigadb"]).args(words);
    process.stdout(Stdio::piped()).stderr(Stdio::piped());
    process
}

pub(super) fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Nobody waits so long for one that hangs, even where everything is slow.
const AT_ONCE: Duration = Duration::from_secs(30);

/// Starts the next phase and waits until its long command runs on the host.
fn holder(lab: &Lab, operator: &Operator) -> Child {
    let child = program(operator, &["release", "next", "--yes"]).spawn().unwrap();
    for _ in 0..3_000 {
        let running = lab.world()["running"].as_array().unwrap().clone();
        if running.iter().any(|it| it["program"] == "s3backup") {
            return child;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("the long command was not started");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_command_is_handed_over_or_refused_with_the_holders_name() {
    let lab = Lab::start();
    let operator = Operator::new(&lab, "handed");
    until(&operator, Phase::SyncOff).await;
    lab.post("/_lab/set", &json!({ "host_seconds": 4.0 }));

    // It works: the order goes through the socket and takes effect.
    let child = holder(&lab, &operator);
    let pause = program(&operator, &["run", "pause", "--reason", "lunch"]).output().unwrap();
    assert_eq!(pause.status.code(), Some(0), "{}", said(&pause));
    assert!(said(&pause).contains(&format!("handed to pid {}", child.id())), "{}", said(&pause));
    assert!(operator.life().record.paused, "it is in the journal while the other one still works");
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(3), "{}", said(&ended));
    assert!(
        said(&ended).contains("E2013") && said(&ended).contains("run resume"),
        "{}",
        said(&ended)
    );
    assert!(matches!(operator.life().state, State::Doing { at, .. } if at.phase == Phase::Backup));
    operator.order("engineer-a", Command::Resume).await.unwrap();
    assert!(matches!(operator.life().state, State::Ready { at } if at.phase == Phase::Backup));

    // It hangs: the second one is told who it is, and readers do not mind.
    let operator = Operator::new(&lab, "hangs");
    lab.reset();
    until(&operator, Phase::SyncOff).await;
    lab.post("/_lab/set", &json!({ "host_seconds": 2.0 }));
    let child = holder(&lab, &operator);
    stop(&child);
    let before = lines(&operator).len();
    let began = Instant::now();
    let refused = program(&operator, &["run", "pause"]).output().unwrap();
    let waited = began.elapsed();
    let text = said(&refused);
    assert_eq!(refused.status.code(), Some(5), "{text}");
    assert!(waited < AT_ONCE, "{waited:?}");
    let host = nix_host();
    for part in ["E4002", &format!("pid {}", child.id()), &host, "since ", "release next"] {
        assert!(text.contains(part), "{part:?} is missing: {text}");
    }
    for words in [
        &["status"][..],
        &["status", "--json"],
        &["audit", "log"],
        &["run", "list"],
        &["audit", "verify"],
    ] {
        let began = Instant::now();
        let read = program(&operator, words).output().unwrap();
        assert_eq!(read.status.code(), Some(0), "{words:?}: {}", said(&read));
        assert!(began.elapsed() < AT_ONCE, "{words:?}");
    }
    assert_eq!(lines(&operator).len(), before, "nothing was written");
    go_on(&child);
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", said(&ended));
    assert!(matches!(operator.life().state, State::Ready { at } if at.phase == Phase::Backup));
}

fn nix_host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap().trim().to_owned()
}

fn copy(from: &Path, to: &Path) {
    let done = Process::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(done.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_or_shortened_journal_stops_every_command() {
    let lab = Lab::start();
    let whole = Operator::new(&lab, "whole");
    until(&whole, Phase::Deploy).await;
    let many = lines(&whole).len();
    let base = whole.state.parent().unwrap().to_owned();
    let segment = |state: &Path| state.join("gigadb/journal/00000001.jsonl");
    let text = std::fs::read_to_string(segment(&whole.state)).unwrap();
    let rows: Vec<&str> = text.lines().collect();
    assert_eq!(rows.len(), many);
    let calls = last_call(&lab);

    let middle = rows.len() / 2;
    let mut flipped = text.clone().into_bytes();
    let at = rows[..middle].iter().map(|row| row.len() + 1).sum::<usize>() + rows[middle].len() / 2;
    flipped[at] ^= 1;
    let shorter = rows[..rows.len() - 1].join("\n") + "\n";
    let cases = [("flipped", flipped, middle + 1), ("shortened", shorter.into_bytes(), rows.len())];
    for (name, bytes, line) in cases {
        let state = base.join(name);
        copy(&whole.state, &state);
        std::fs::write(segment(&state), &bytes).unwrap();
        let operator = Operator {
            state,
            workflows: whole.workflows.clone(),
            env: whole.env.clone(),
            system: "gigadb".into(),
        };
        let orders: [&[&str]; 4] = [
            &["release", "next", "--yes"],
            &["run", "pause"],
            &["release", "abort", "--yes", "--reason", "x"],
            &["audit", "verify"],
        ];
        // Readers never open the store, which alone knows that lines are gone from the end.
        let told = if name == "flipped" { 4 } else { 3 };
        for words in &orders[..told] {
            let ran = program(&operator, words).output().unwrap();
            let text = said(&ran);
            assert_eq!(ran.status.code(), Some(9), "{name} {words:?}: {text}");
            // A line that no longer reads is named by file and line; one that still reads well is found
            // by the next one, which says that it is one of the two.
            let named = text.contains(&format!("line {line} "))
                || text.contains(&format!("00000001.jsonl:{line}:"))
                || text.contains(&format!(
                    "line {} does not follow from the line before it",
                    line + 1
                ));
            assert!(named, "{name} {words:?} does not name line {line}: {text}");
        }
        assert_eq!(
            std::fs::read(segment(&operator.state)).unwrap(),
            bytes,
            "{name}: nothing is mended by itself"
        );
        assert!(
            lab.get(&format!("/_lab/calls?since={calls}"))
                .as_array()
                .unwrap()
                .iter()
                .all(|it| it["service"] == "control")
        );
    }
}
