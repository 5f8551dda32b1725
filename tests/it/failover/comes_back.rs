//! The lost site comes back when nobody expects it, or the operator's process is gone.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use changeover::app;
use changeover::conductor::{Command, MayLose};
use changeover::machine::{FenceEnd, State};
use changeover::model::{Phase, Roles};
use serde_json::{Value, json};

use super::{asked, failover, kill, landed, raise, until, users_are_on};
use crate::drift::in_two_looks;
use crate::practice::{Lab, Operator, last_call};

const LOSS: MayLose = MayLose::Seconds(3_600);
const WORDS: [&str; 5] = ["failover", "--confirm", "hk", "--accept-data-loss", "1h"];

fn soaks(operator: &Operator) -> bool {
    matches!(operator.life().state, State::Ready { at } if at.phase == Phase::Soak)
}

async fn differences(operator: &Operator) -> Vec<&'static str> {
    let seen = app::drift(&operator.settings("reader"), &operator.system, None).await.unwrap();
    seen.report.differences.iter().map(|it| it.name.slug()).collect()
}

/// The command that the screen names.
fn named(operator: &Operator) -> Vec<String> {
    let out = operator.program().args(["status", "--json"]).output().unwrap();
    let screen: Value = serde_json::from_slice(&out.stdout).unwrap();
    let command = screen["next"]["command"].as_str().unwrap_or_default().to_owned();
    assert!(command.starts_with("changeover "), "{screen:#}");
    command.split(' ').skip(1).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_writers_are_named_within_ten_seconds_with_what_is_not_fenced() {
    let lab = Lab::start();
    let operator = Operator::new(&lab, "writers");
    operator.release("v4.3.4", "sydney").await;
    kill(&lab, "sydney", "ap-southeast-2");
    operator.order("engineer-a", failover("hk", LOSS)).await.unwrap();
    let incident = operator.life().record.incident.unwrap();
    assert!(incident.fence.values().all(|it| it.how == FenceEnd::NotReachable), "{incident:?}");

    let mut watch =
        operator.program().args(["drift", "--watch"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines().map(Result::unwrap);
    let first = lines.next().unwrap();
    assert!(!first.contains("two writers"), "{first}");
    raise(&lab, "sydney");
    let since = last_call(&lab);
    let told = lines.by_ref().find(|it| it.contains("two writers")).unwrap();
    in_two_looks(&operator, &lab, since);
    for part in ["f-embargo (not reachable)", "f-backup (not reachable)", "f-stop (not reachable)"]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
    // What it names settles it.
    assert!(told.contains("run: changeover run retry"), "{told}");
    let retried = operator.program().args(["run", "retry", "--yes"]).output().unwrap();
    assert!(retried.status.success(), "{}", String::from_utf8_lossy(&retried.stderr));
    watch.kill().unwrap();
    watch.wait().unwrap();
    assert!(operator.life().record.unfenced().is_empty());
    assert!(!differences(&operator).await.contains(&"two-writers"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn back_while_users_are_moved_it_is_left_all_the_same() {
    let lab = Lab::start();
    let operator = Operator::new(&lab, "mid");
    operator.release("v4.3.4", "sydney").await;
    kill(&lab, "sydney", "ap-southeast-2");
    let since = last_call(&lab);
    let hold = json!({ "service": "cloudflare", "method": "POST", "path": "/batch",
        "action": "timeout_after", "times": 2, "hold_s": 600 });
    lab.post("/_lab/faults", &hold);
    let child =
        operator.program().args(WORDS).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.unwrap();
    until("users are being moved", || !asked(&lab, since, "/batch").is_empty());
    raise(&lab, "sydney");
    lab.post("/_lab/go", &json!({}));
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert!(soaks(&operator), "{}", operator.last_lines());
    users_are_on(&operator, &lab, "hk");
    assert_eq!(landed(&lab, since), 2, "one batch a zone");
    let record = operator.life().record;
    assert_eq!(record.quarantined, Some("sydney".into()));
    // What was tried too early is owed, and named until it is done.
    let owed = !record.unfenced().is_empty();
    assert_eq!(differences(&operator).await.contains(&"two-writers"), owed, "{:?}", record.owed);
    if owed {
        operator.order("engineer-a", Command::Retry).await.unwrap();
    }
    assert!(operator.life().record.unfenced().is_empty());
    assert!(!differences(&operator).await.contains(&"two-writers"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_after_the_first_batch_the_screen_names_a_way_that_works() {
    let lab = Lab::start();
    // The second zone's batch never lands, or lands when another process has taken over.
    for (armed, action) in [(false, "timeout_before"), (true, "timeout_before"), (true, "late")] {
        let what = format!("armed {armed} {action}");
        lab.reset();
        let operator = Operator::new(&lab, &format!("killed {armed} {action}"));
        operator.release("v4.3.4", "sydney").await;
        let mut words = WORDS.to_vec();
        let mut plan = String::new();
        if armed {
            operator.order("engineer-a", Command::Arm).await.unwrap();
        }
        kill(&lab, "sydney", "ap-southeast-2");
        if armed {
            let shown = operator.dry("engineer-a", failover("hk", LOSS)).await.unwrap();
            plan.push_str(&shown.plan.as_ref().unwrap().digest.short());
            words.extend(["--armed", "--plan", &plan]);
        }
        let since = last_call(&lab);
        let rule = json!({ "service": "cloudflare", "method": "POST", "path": "/batch", "action": action,
            "times": 1, "hold_s": 600, "late_s": 600, "body_contains": "_changeover-gigadb.gigadb.host" });
        lab.post("/_lab/faults", &rule);
        let child =
            operator.program().args(words).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut child = child.unwrap();
        let both = || asked(&lab, since, "/batch").len() == 2;
        until("the first batch lands, the second is on its way", || {
            landed(&lab, since) > 0 && both()
        });
        // SIGKILL.
        child.kill().unwrap();
        child.wait().unwrap();
        let record = operator.life().record;
        assert!(matches!(record.roles, Some(Roles::Moving { .. })), "{what}: {:?}", record.roles);
        for _ in 0..5 {
            if soaks(&operator) {
                break;
            }
            let command = named(&operator);
            let words = command.iter().map(String::as_str).chain(["--yes"]);
            let words: Vec<&str> = words.collect();
            let out = operator.program().args(words).output().unwrap();
            let roles = operator.life().record.roles.unwrap();
            let (Roles::Moving { to, .. } | Roles::Settled { production: to }) = roles;
            assert_eq!(to.as_str(), "hk", "{what}: {}", String::from_utf8_lossy(&out.stderr));
        }
        assert!(soaks(&operator), "{what}: {:?}\n{}", named(&operator), operator.last_lines());
        users_are_on(&operator, &lab, "hk");
        // What the process that died has sent comes now, and finds its number taken.
        lab.post("/_lab/go", &json!({}));
        let met = || asked(&lab, since, "/batch").into_iter().find(|it| it["fault"] == action);
        until("it comes", || met().is_some_and(|it| it["ended"] == true));
        users_are_on(&operator, &lab, "hk");
        assert_eq!(landed(&lab, since), 2, "{what}: one batch a zone, each once");
        assert!(!differences(&operator).await.contains(&"half-a-swap"), "{what}");
    }
}
