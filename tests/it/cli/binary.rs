//! The binary itself: what needs no system at all, wrong usage, a reader that goes away.

use std::process::{Command, Output, Stdio};

fn changeover(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_changeover"));
    command.args(words).stdin(Stdio::null()).env_remove("CHANGEOVER_SYSTEM");
    command.output().unwrap()
}

fn status(words: &[&str]) -> Option<i32> {
    changeover(words).status.code()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn wrong_usage_is_two() {
    let wrong: &[&[&str]] = &[
        &[],
        &["relase"],
        &["release", "start"],
        &["release", "rollback", "--confirm", "hk"],
        &["release", "start", "v1", "--confirm", "hk"],
        &["release", "next", "--waive", "ttl"],
        &["run", "resolve", "switch", "--reason", "seen"],
        &["run", "resolve", "switch", "--done", "--not-done", "--reason", "seen"],
        &["status", "--yes"],
        &["watch", "--for", "soon"],
        &["audit", "show", "one"],
        &["rel", "list"],
        &["explain", "E9999"],
    ];
    for words in wrong {
        let ran = changeover(words);
        assert_eq!(ran.status.code(), Some(2), "{words:?}: {}", text(&ran.stderr));
        assert!(ran.stdout.is_empty(), "{words:?} writes to standard output");
    }
}

#[test]
fn a_failover_on_another_disk_is_that_of_the_system_that_is_named() {
    let dir = tempfile::TempDir::new().unwrap();
    let file = std::fs::read_to_string("workflows/gigadb.yaml").unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    std::fs::create_dir(path("workflows")).unwrap();
    for name in ["gigadb", "other"] {
        let text = file.replacen("system: gigadb", &format!("system: {name}"), 1);
        std::fs::write(path(&format!("workflows/{name}.yaml")), text).unwrap();
    }
    let (workflows, state, journal) = (path("workflows"), path("state"), path("elsewhere"));
    let words = ["--workflows", &workflows, "--state", &state];
    let rest = ["failover", "gigadb", "--journal", &journal];
    for asks in [&[][..], &["why-not"]] {
        let ran = changeover(&[&words[..], asks, &rest].concat());
        let said = text(&ran.stderr);
        // There is no journal to go on with, which is looked for where this system has it.
        assert!(said.contains("E4012") && !said.contains("other"), "{said}");
        assert!(said.contains("runbook.md"), "{said}");
        assert!(!dir.path().join("elsewhere").exists());
    }
}

#[test]
fn wrong_usage_is_a_problem_document_for_programs() {
    let ran = changeover(&["relase", "--json"]);
    let problem: serde_json::Value = serde_json::from_slice(&ran.stderr).unwrap();
    assert_eq!((ran.status.code(), &problem["code"]), (Some(2), &"E2015".into()));
}

#[test]
fn help_has_examples_and_every_exit_status() {
    let ran = changeover(&["--help"]);
    assert_eq!(ran.status.code(), Some(0));
    let help = text(&ran.stdout);
    assert!(help.contains("Examples:\n  changeover init"), "{help}");
    for number in 0..=9 {
        let found = help.lines().any(|line| {
            let mut words = line.split("  ").map(str::trim);
            words.any(|word| word == number.to_string())
        });
        assert!(found, "exit status {number} is not in the help");
    }
    for verb in ["init", "release", "run", "audit", "status", "watch", "lint"] {
        assert_eq!(status(&[verb, "--help"]), Some(0));
    }
}

#[test]
fn what_needs_no_system_needs_none() {
    assert!(text(&changeover(&["version"]).stdout).starts_with("changeover "));
    let version = changeover(&["version", "--json"]);
    let document: serde_json::Value = serde_json::from_slice(&version.stdout).unwrap();
    assert_eq!(document["schema"], "changeover.version/v1");
    for shell in ["bash", "zsh", "fish"] {
        let ran = changeover(&["completions", shell]);
        assert_eq!(ran.status.code(), Some(0));
        assert!(text(&ran.stdout).contains("changeover"));
    }
    assert_eq!(status(&["chart", "--mermaid"]), Some(0));
    assert_eq!(status(&["schema"]), Some(0));
    assert!(text(&changeover(&["explain", "E2001"]).stdout).starts_with("# E2001"));
}

#[test]
fn colour_is_for_terminals_and_for_those_who_ask() {
    assert!(!text(&changeover(&["--help"]).stdout).contains('\u{1b}'));
    assert!(!text(&changeover(&["explain", "E9999"]).stderr).contains('\u{1b}'));
}

#[test]
fn a_reader_that_goes_away_is_success() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_changeover"))
        .args(["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ran = child.wait_with_output().unwrap();
    assert_eq!((ran.status.code(), text(&ran.stderr)), (Some(0), String::new()));
}

#[test]
fn a_full_disk_is_no_success() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ran = Command::new(env!("CARGO_BIN_EXE_changeover"))
        .args(["completions", "bash"])
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(1));
    assert!(text(&ran.stderr).contains("error[E2020]"));
}
