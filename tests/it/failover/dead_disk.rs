//! The journal's disk takes nothing more, at each moment of a failover. The errors are the system's own: no file of
//! the process may grow beyond a length (`EFBIG`), so that lines fail whole or are written in part.

use std::path::PathBuf;
use std::process::{Child, Command as Process, Output, Stdio};

use changeover::app;
use changeover::conductor::{Command, MayLose};
use changeover::fault::Exit;
use changeover::machine::State;
use changeover::model::{Phase, Roles};
use serde_json::json;

use super::{asked, failover, kill, landed, to_the_end, until, users_are_on, written};
use crate::practice::{Lab, Operator, go_on, last_call, stop};

const LOSS: MayLose = MayLose::Seconds(3_600);

/// Production is lost; the words of the failover, and for an armed one those of the plan that was shown.
async fn lost(lab: &Lab, name: &str, armed: bool) -> (Operator, Vec<String>) {
    lab.reset();
    let operator = Operator::new(lab, name);
    operator.release("v4.3.4", "sydney").await;
    if armed {
        operator.order("engineer-a", Command::Arm).await.unwrap();
    }
    kill(lab, "sydney", "ap-southeast-2");
    let mut words = vec!["failover", "--confirm", "hk", "--accept-data-loss", "1h"];
    let shown = operator.dry("engineer-a", failover("hk", LOSS)).await.unwrap();
    let plan = shown.plan.as_ref().unwrap().digest.short();
    if armed {
        words.extend(["--armed", "--plan", &plan]);
    }
    (operator, words.into_iter().map(str::to_owned).collect())
}

/// The program; from its start on no file of its may grow beyond this length, if one is given.
fn limited(operator: &Operator, most: Option<u64>, words: &[String]) -> Process {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut plain = operator.program();
    plain.args(words);
    let mut it = Process::new("sh");
    // A signal that is ignored stays so in the program: it sees the error instead.
    let script = match most {
        Some(most) => format!("trap '' XFSZ; exec prlimit --fsize={most} -- \"$0\" \"$@\""),
        None => "trap '' XFSZ; exec \"$0\" \"$@\"".to_owned(),
    };
    it.args(["-c", &script]).arg(plain.get_program()).args(plain.get_args());
    it.current_dir(plain.get_current_dir().unwrap());
    it.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    it.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    it
}

/// From now on, for a program that stands still meanwhile: no line is written between the look and the limit.
fn forbid(child: &Child, most: impl FnOnce() -> u64) {
    stop(child);
    let limit = ["--pid".to_owned(), child.id().to_string(), format!("--fsize={}", most())];
    assert!(Process::new("prlimit").args(limit).status().unwrap().success());
    go_on(child);
}

fn said(out: &Output) -> String {
    let both = [out.stdout.clone(), out.stderr.clone()].concat();
    String::from_utf8_lossy(&both).into_owned()
}

/// It ended because a line could not be written, and says what to do now.
fn names_the_way_on(out: &Output, way: &str) {
    let said = said(out);
    assert_eq!(out.status.code(), Some(1), "{said}");
    // Of lines written side by side any may be told of; the cause is the first one's.
    assert!(said.contains("E4001") || said.contains("E4007"), "{said}");
    let why = ["File too large", "a part of the line was written"];
    assert!(why.iter().any(|it| said.contains(it)), "{said}");
    assert!(said.contains("if this disk is dead"), "{said}");
    assert!(said.contains(way), "{said}");
}

/// The bytes of the newest segment.
fn newest(operator: &Operator) -> (PathBuf, u64) {
    let entries = std::fs::read_dir(operator.state.join("gigadb/journal")).unwrap();
    let path = entries.map(|it| it.unwrap().path()).max().unwrap();
    let length = std::fs::metadata(&path).unwrap().len();
    (path, length)
}

/// The same failover with its journal in another folder; the dead one is not touched. Whoever works there.
fn goes_on(lab: &Lab, operator: &Operator, name: &str, words: &[String]) -> Operator {
    let other = lab.dir.path().join(format!("{name} elsewhere"));
    let before = written(&operator.state);
    let mut words = words.to_vec();
    words.extend(["--journal".to_owned(), other.display().to_string()]);
    let out = limited(operator, None, &words).output().unwrap();
    let told = said(&out);
    assert_eq!(out.status.code(), Some(0), "{told}");
    assert!(told.contains("--state") && told.contains("run adopt --journal"), "{told}");
    assert_eq!(written(&operator.state), before);
    let there = Operator { state: other, ..Operator::new(lab, &format!("{name} there")) };
    let there = Operator { workflows: operator.workflows.clone(), ..there };
    let state = there.life().state;
    assert!(matches!(state, State::Ready { at } if at.phase == Phase::Soak), "{state:?}\n{told}");
    users_are_on(&there, lab, "hk");
    there
}

/// The disk is back: everything is in the journal again, and the work goes on there.
async fn joined(operator: &Operator, there: &Operator) {
    there.order("engineer-a", Command::Accept).await.unwrap();
    to_the_end(there, "hk").await;
    let from = there.state.display().to_string();
    let words = ["run", "adopt", "--journal", &from, "--yes", "--reason", "a new disk"];
    let out = operator.program().args(words).output().unwrap();
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    app::verify(&operator.settings("reader"), &operator.system).unwrap();
    let (here, gone) = (operator.life(), there.life());
    assert_eq!(here.state, State::Steady);
    assert_eq!((&here.record.roles, &here.record.owed), (&gone.record.roles, &gone.record.owed));
    let early = operator.order("engineer-a", Command::Arm).await.unwrap_err();
    assert_eq!(early.code.id, "E2065", "the other site is not rebuilt: {early}");
    let again =
        app::join(&operator.settings("engineer-a"), &operator.system, &there.state, "again".into());
    let again = again.unwrap_err();
    assert_eq!((again.code.id, again.exit()), ("E4012", Exit::Conflict), "{again}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_before_it_began() {
    let lab = Lab::start();
    for (name, armed) in [("slower", false), ("armed", true)] {
        let (operator, words) = lost(&lab, name, armed).await;
        let (applied, before) = (lab.applied(), written(&operator.state));
        let out = limited(&operator, Some(0), &words).output().unwrap();
        names_the_way_on(&out, "the same command with --journal DIR");
        assert_eq!((lab.applied(), written(&operator.state)), (applied, before), "{name}");
        let there = goes_on(&lab, &operator, name, &words);
        joined(&operator, &there).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dying_before_the_first_intent_nothing_is_sent() {
    let lab = Lab::start();
    for (name, armed) in [("slower", false), ("armed", true)] {
        let (operator, words) = lost(&lab, name, armed).await;
        let (applied, since) = (lab.applied(), last_call(&lab));
        // The standby's own jobs are looked at: what they need is written down next.
        lab.post("/_lab/set", &json!({ "hosts": { "gigadb-hk-bastion": { "slow_s": 3.0 } } }));
        let begun = newest(&operator);
        let child = limited(&operator, None, &words).spawn().unwrap();
        // An armed one asks the machine already before its consent is written.
        until("its machine is asked, and the consent written", || {
            !asked(&lab, since, "gigadb-hk-bastion").is_empty() && newest(&operator) != begun
        });
        // A part of the next line is written, and no more.
        forbid(&child, || newest(&operator).1 + 10);
        let out = child.wait_with_output().unwrap();
        names_the_way_on(&out, "failover --journal DIR goes on from where it stands");
        assert_eq!(lab.applied(), applied, "{name}: nothing was sent\n{}", said(&out));
        let (path, _) = newest(&operator);
        assert!(!std::fs::read(path).unwrap().ends_with(b"\n"), "{name}: the line is torn");
        lab.post("/_lab/set", &json!({ "hosts": { "gigadb-hk-bastion": { "slow_s": 0 } } }));
        let there = goes_on(&lab, &operator, name, &["failover".to_owned()]);
        joined(&operator, &there).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dying_between_the_intent_and_its_outcome_users_are_moved_once() {
    let lab = Lab::start();
    for (name, armed) in [("slower", false), ("armed", true)] {
        let (operator, words) = lost(&lab, name, armed).await;
        let since = last_call(&lab);
        lab.post(
            "/_lab/faults",
            &json!({ "service": "cloudflare", "method": "POST", "path": "/batch",
                "action": "timeout_after", "times": 2, "hold_s": 600 }),
        );
        let child = limited(&operator, None, &words).spawn().unwrap();
        until("users are being moved", || !asked(&lab, since, "/batch").is_empty());
        forbid(&child, || 0);
        lab.post("/_lab/go", &json!({}));
        let out = child.wait_with_output().unwrap();
        names_the_way_on(&out, "failover --journal DIR goes on from where it stands");
        let record = operator.life().record;
        let open = record.intents.values().any(|it| it.intent.action == "switch");
        assert!(open && matches!(record.roles, Some(Roles::Moving { .. })), "{name}");
        let there = goes_on(&lab, &operator, name, &["failover".to_owned()]);
        assert_eq!(landed(&lab, since), 2, "{name}: one batch a zone, each once");
        joined(&operator, &there).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asking_reads_the_folder_that_is_named_and_writes_nothing() {
    let lab = Lab::start();
    let (operator, words) = lost(&lab, "asked", false).await;
    let other = lab.dir.path().join("asked elsewhere");
    let at = other.display().to_string();
    let ask = || {
        let out = operator.program().args(["why-not", "failover", "--journal", &at]).output();
        let out = out.unwrap();
        (out.status.code(), said(&out))
    };
    // Not begun there yet: what can be read here is what would be gone on with.
    let before = written(&operator.state);
    let (code, told) = ask();
    assert_eq!(code, Some(0), "{told}");
    assert!(told.starts_with("nothing: changeover -s gigadb failover"), "{told}");
    assert!(!other.exists() && written(&operator.state) == before, "asking wrote something");
    // There it is under way, here nobody knows of it.
    let there = goes_on(&lab, &operator, "asked", &words);
    let gone_on = written(&there.state);
    let (_, told) = ask();
    assert!(told.contains("run resume") && !told.contains("run adopt"), "{told}");
    assert_eq!((written(&operator.state), written(&there.state)), (before, gone_on));
    // A folder with another journal is refused as the failover would refuse it.
    let strange = lab.dir.path().join("asked strange");
    std::fs::create_dir_all(strange.join("gigadb/journal")).unwrap();
    let (first, bytes) = &written(&there.state)[0];
    let lines = bytes.split_inclusive(|it| *it == b'\n').take(2).flatten().copied();
    let name = first.file_name().unwrap();
    std::fs::write(strange.join("gigadb/journal").join(name), lines.collect::<Vec<_>>()).unwrap();
    let strange = strange.display().to_string();
    let out = operator.program().args(["why-not", "failover", "--journal", &strange]).output();
    let out = out.unwrap();
    assert_eq!(out.status.code(), Some(5), "{}", said(&out));
    assert!(said(&out).contains("E4012"), "{}", said(&out));
}
