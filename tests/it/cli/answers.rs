//! Answers: exit statuses, documents, hints on the other stream, findings, proofs, the watch.

use changeover::fault::{self, Exit};
use serde_json::Value;

use crate::cli::desk::{Fake, Typing};
use crate::walk::{Walk, well};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn the_exit_status_is_the_replys() {
    let all = [
        (Exit::Done, 0),
        (Exit::Failed, 1),
        (Exit::Refused, 3),
        (Exit::NotAllowed, 4),
        (Exit::Conflict, 5),
        (Exit::Unknown, 6),
        (Exit::Waiting, 7),
    ];
    for (exit, status) in all {
        let mut desk = Fake::of(&Walk::started());
        desk.reply.exit = exit;
        assert_eq!(Typing::at(&desk).run("run retry --yes").status, status);
        let document = json(&Typing::at(&desk).run("run retry --yes --json").out);
        assert_eq!(document["exit"], status);
    }
}

#[test]
fn the_answer_and_the_hint_go_different_ways() {
    let mut desk = Fake::of(&Walk::started());
    desk.reply.exit = Exit::Refused;
    desk.reply.code = Some("E2002".to_owned());
    let ran = Typing::at(&desk).run("release next --yes");
    assert_eq!(ran.out, "✖ [E2002] deploy is done\n");
    let told: Vec<_> = ran.err.lines().collect();
    assert_eq!(told[0], "deploy: puts the release onto the standby");
    assert_eq!(told[1], "✔ deploy/vars               0.4s  4 variables");
    assert!(told[2].starts_with("next: `embargo`"), "{}", ran.err);
    let live = Typing { live: true, ..Typing::at(&desk) }.run("release next --yes");
    assert_eq!((live.status, live.out), (3, ran.out));
    let quiet = Typing::at(&desk).run("release next --yes --quiet");
    assert_eq!(quiet.err, "");
}

#[test]
fn a_fault_is_a_problem_document_for_programs() {
    let desk = Fake::of(&Walk::steady());
    let ran = Typing::at(&desk).run("status elsewhere --json");
    assert_eq!((ran.status, ran.out.as_str()), (2, ""));
    let problem = json(&ran.err);
    assert_eq!(problem["schema"], "changeover.problem/v1");
    assert_eq!(problem["code"], "E2012");
    assert_eq!(problem["hint"], "there are: gigadb");
    assert_eq!(problem["exit"], 2);
}

#[test]
fn every_code_is_explained() {
    let desk = Fake::of(&Walk::new());
    for code in fault::all() {
        let ran = Typing::at(&desk).run(&format!("explain {}", code.id.to_lowercase()));
        assert_eq!(ran.status, 0);
        assert!(ran.out.starts_with(&format!("# {}: {}", code.id, code.title)), "{}", ran.out);
    }
    let list = Typing::at(&desk).run("explain");
    assert_eq!(list.out.lines().count(), fault::all().count());
}

#[test]
fn the_pages_of_runs_are_real() {
    for code in fault::RUN {
        let lines = code.page.lines().count();
        assert!((10..=25).contains(&lines), "{} has {lines} lines", code.id);
        for part in ["## What it means", "## Likely causes", "## What to do"] {
            assert!(code.page.contains(part), "{} lacks `{part}`", code.id);
        }
        let status = format!("Exit status {}.", code.exit.status());
        assert!(code.page.contains(&status), "{} lacks `{status}`", code.id);
    }
}

#[test]
fn an_unknown_code_suggests_the_nearest() {
    let desk = Fake::of(&Walk::new());
    for (typed, meant) in [("E2O01", "E2001"), ("2001x", "E2001"), ("E40001", "E4001")] {
        let ran = Typing::at(&desk).run(&format!("explain {typed}"));
        assert_eq!(ran.status, 2);
        assert!(ran.err.contains(&format!("did you mean {meant}")), "{}", ran.err);
    }
}

#[test]
fn findings_look_like_a_compilers() {
    let desk = Fake::of(&Walk::new());
    let ran = Typing::at(&desk).run("lint wrong.yaml");
    assert_eq!(ran.status, 1);
    insta::assert_snapshot!("lint", ran.out);
    let ascii = Typing::at(&desk).run("lint wrong.yaml --ascii");
    assert!(ascii.out.is_ascii(), "{}", ascii.out);
}

#[test]
fn lint_ends_by_the_worst() {
    let desk = Fake::of(&Walk::new());
    let all = [
        ("lint clean.yaml", 0),
        ("lint warned.yaml", 0),
        ("lint warned.yaml --strict", 1),
        ("lint clean.yaml wrong.yaml", 1),
        ("lint unreadable.yaml", 2),
        ("lint absent.yaml", 2),
        ("lint", 1),
    ];
    for (line, status) in all {
        assert_eq!(Typing::at(&desk).run(line).status, status, "{line}");
    }
    let document = json(&Typing::at(&desk).run("lint warned.yaml --json").out);
    assert_eq!(document["findings"][0]["severity"], "warning");
    assert_eq!(document["findings"][0]["line"], 4);
}

#[test]
fn a_journal_is_proven_or_not() {
    let mut desk = Fake::of(&Walk::approved());
    let ran = Typing::at(&desk).run("audit verify");
    assert_eq!(ran.status, 0);
    assert!(ran.out.starts_with("journal verified: 34 lines, head "), "{}", ran.out);
    desk.damaged = true;
    let ran = Typing::at(&desk).run("audit verify");
    assert_eq!((ran.status, ran.out.as_str()), (9, ""));
    assert!(ran.err.contains("line 7 does not follow"), "{}", ran.err);
}

/// Production is down, and the journal is damaged.
#[test]
fn a_failover_that_cannot_be_written_down_names_what_people_can_do() {
    let mut desk = Fake::of(&Walk::steady());
    desk.damaged = true;
    let line = "failover --confirm sydney --accept-data-loss 1h --reason fire";
    for line in [line.to_owned(), format!("{line} --journal /elsewhere")] {
        let ran = Typing::at(&desk).run(&line);
        assert_eq!(ran.status, 9, "{}", ran.err);
        let said = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("bring it back from a copy; meanwhile"), "{said}");
        assert!(said.contains("runbook.md"), "{said}");
    }
    let ran = Typing::at(&desk).run("release start v4.3.5 --yes");
    assert_eq!(ran.status, 9);
    assert!(!ran.err.contains("runbook.md"), "{}", ran.err);
}

#[test]
fn an_entry_that_is_not_there_is_named() {
    let desk = Fake::of(&Walk::steady());
    let ran = Typing::at(&desk).run("audit show 99");
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("entries 1 to 1"), "{}", ran.err);
    let entry = json(&Typing::at(&desk).run("audit show 1 --json").out);
    assert_eq!(entry["facts"][0]["fact"], "initialised");
}

#[test]
fn logs_of_a_run_and_of_one_step() {
    let desk = Fake::of(&Walk::soaking());
    let all = Typing::at(&desk).run("run logs 1");
    assert!(all.out.contains("deploy/build done"), "{}", all.out);
    let one = Typing::at(&desk).run("run logs --step build");
    assert!(one.out.contains("intent deploy/build") && !one.out.contains("vars"), "{}", one.out);
    assert_eq!(Typing::at(&desk).run("run logs 7").status, 2);
    assert_eq!(Typing::at(&desk).run("run show 7").status, 2);
}

#[test]
fn a_watch_tells_what_is_new_and_why_it_ends() {
    let mut early = Walk::started();
    early.next();
    early.holder = Some("pid 1 on desk".to_owned());
    let mut late = Walk::started();
    late.next();
    late.work(well);
    let desk = Fake::of(&early).then(&late);
    let ran = Typing::at(&desk).run("watch");
    assert_eq!(ran.status, 7, "{}", ran.err);
    assert!(ran.out.contains("deploy/version done → deploy: ready"), "{}", ran.out);
    assert!(!ran.out.contains("preflight/identity"), "only what is new: {}", ran.out);
    assert!(ran.out.contains("deploy is done\nway back: free: users have not"), "{}", ran.out);
    assert!(ran.err.contains("next: embargo refuses writes"), "{}", ran.err);
}

#[test]
fn a_watch_for_programs_is_a_document_a_line() {
    let mut early = Walk::started();
    early.next();
    let mut late = Walk::started();
    late.next();
    late.work(well);
    let desk = Fake::of(&early).then(&late);
    let ran = Typing::at(&desk).run("watch --json");
    let documents: Vec<_> = ran.out.lines().map(json).collect();
    assert_eq!(documents[0]["schema"], "changeover.event/v1");
    assert_eq!(documents.last().unwrap()["mode"], "ready");
}

#[test]
fn a_watch_ends_when_its_time_is_over() {
    let mut walk = Walk::started();
    walk.next();
    let ran = Typing::at(&Fake::of(&walk)).run("watch --for 50ms");
    assert_eq!(ran.status, 7);
}

#[test]
fn a_watch_of_a_steady_system_ends_at_once() {
    let ran = Typing::at(&Fake::of(&Walk::steady())).run("watch");
    assert_eq!(ran.status, 0);
    assert!(ran.out.starts_with("steady: no run is open"), "{}", ran.out);
}

#[test]
fn a_torn_end_is_cut_for_a_reason_only() {
    let desk = Fake::of(&Walk::steady());
    let cut = "run adopt --cut-tail --reason seen";
    assert_eq!(Typing::at(&desk).run(cut).status, 2, "nobody was asked");
    assert_eq!(Typing::at(&desk).answering(&["n"]).run(cut).status, 2);
    let ran = Typing::at(&desk).run(&format!("{cut} --yes"));
    assert_eq!(
        (ran.status, ran.out.as_str()),
        (0, "9 torn bytes after line 3 were cut off (seen)\n")
    );
    assert_eq!(desk.told().len(), 0, "no order goes to the conductor");
}

#[test]
fn the_log_can_be_cut_to_its_end() {
    let walk = Walk::approved();
    let desk = Fake::of(&walk);
    let all = Typing::at(&desk).run("audit log").out;
    let last = Typing::at(&desk).run("audit log --last 3").out;
    assert!(all.ends_with(&last) && last.len() < all.len(), "{last}");
    assert_eq!(Typing::at(&desk).run("audit log --since 2020-01-01").out, all);
    assert_eq!(Typing::at(&desk).run("audit log --since 2100-01-01T00:00:00Z").out, "");
    let document = Typing::at(&desk).run("audit log --last 2 --json").out;
    assert_eq!(document.lines().count(), 2);
}

#[test]
fn verifying_says_who_is_what() {
    let desk = Fake::of(&Walk::soaking());
    let out = Typing::at(&desk).run("audit verify").out;
    assert!(out.contains("by this journal: production sydney v4.4.0, standby hk v4.3.0"), "{out}");
}

#[test]
fn the_linters_document_is_findings_and_nothing_else() {
    let desk = Fake::of(&Walk::new());
    let document = json(&Typing::at(&desk).run("lint wrong.yaml --json").out);
    let keys = |it: &Value| -> Vec<String> { it.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(keys(&document), ["findings"]);
    let wanted = ["rule", "severity", "file", "line", "column", "message", "help"];
    assert_eq!(keys(&document["findings"][0]), wanted);
}

#[test]
fn a_rule_is_explained_by_its_page() {
    let desk = Fake::of(&Walk::new());
    for named in ["EIP-NAME", "eip-name"] {
        let ran = Typing::at(&desk).run(&format!("explain {named}"));
        assert!(ran.status == 0 && ran.out.starts_with("# EIP-NAME\n"), "{}", ran.out);
    }
    let ran = Typing::at(&desk).run("explain EPI-NAME");
    assert!(ran.status == 2 && ran.err.contains("did you mean EIP-NAME"), "{}", ran.err);
}
