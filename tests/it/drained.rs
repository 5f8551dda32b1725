//! After the swap it is counted who still comes to the old side; `lift` waits for them, or for a person.

use std::process::{Command as Process, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use changeover::conductor::{Command, Reply};
use changeover::machine::{Body, Fact, State};
use changeover::model::{Phase, SiteName};
use changeover::{app, view};
use serde_json::json;

use crate::practice::{Lab, Operator};

const HOST: &str = "gigadb.org";

/// A client that goes on dialling one address under production's name, until it is dropped.
struct Client {
    stop: Arc<AtomicBool>,
    work: Option<std::thread::JoinHandle<u32>>,
}

impl Client {
    fn of(operator: &Operator, site: &str) -> Self {
        let address = operator.life().record.addresses[&SiteName::from(site)]["web"].clone();
        let port = operator.env["CHANGEOVER_CONNECT_TO"].rsplit(':').next().unwrap().to_owned();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let work = std::thread::spawn(move || {
            let mut made = 0;
            while !stopped.load(Ordering::Relaxed) {
                let to = format!("{HOST}:{port}:{address}");
                let url = format!("https://{HOST}:{port}/");
                let args = ["-sk", "-o", "/dev/null", "--resolve", &to, &url];
                let done = Process::new("curl").args(args).stderr(Stdio::null()).status();
                made += u32::from(done.unwrap().success());
                std::thread::sleep(Duration::from_millis(5));
            }
            made
        });
        Self { stop, work: Some(work) }
    }

    fn stop(mut self) -> u32 {
        self.stop.store(true, Ordering::Relaxed);
        self.work.take().unwrap().join().unwrap()
    }
}

/// With a short patience of `lift`, and this counter.
fn hasty(lab: &Lab, name: &str, counter: Option<&str>) -> Operator {
    let operator = Operator::new(lab, name);
    let path = operator.workflows.join("gigadb.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut new = text.replace("wait: 2h", "wait: 4s").replace(" for: 60ms ", " for: 1s ");
    assert_ne!(text, new);
    let own = "counter: { command: { host: bastion, argv: [/usr/local/bin/site_requests] } }";
    assert!(new.contains(own));
    if let Some(counter) = counter {
        new = new.replace(own, counter);
    }
    std::fs::write(path, new).unwrap();
    operator
}

async fn to_the_soak(operator: &Operator) {
    for _ in 0..40 {
        if matches!(operator.life().state, State::Ready { at } if at.phase == Phase::Soak) {
            return;
        }
        let (who, command) = operator.turn("v4.3.4", "sydney").unwrap();
        let reply = operator.order(who, command).await.unwrap();
        assert!(
            !matches!(reply.state, State::Halted { .. }),
            "{reply:?}\n{}",
            operator.last_lines()
        );
    }
    panic!("no soak: {:?}", operator.life().state);
}

async fn order(operator: &Operator, command: Command) -> Reply {
    operator
        .order("engineer-a", command)
        .await
        .unwrap_or_else(|fault| panic!("{fault}\n{}", operator.last_lines()))
}

fn waits_in_lift(reply: &Reply, operator: &Operator) {
    let there = matches!(reply.state, State::Halted { at, .. } if at.phase == Phase::Lift);
    assert!(there && reply.sentence.contains("drained"), "{reply:?}\n{}", operator.last_lines());
    let record = operator.life().record;
    assert!(!record.writes_since_swap, "no write was allowed");
    assert!(record.embargoes.contains_key(&SiteName::from("sydney")), "{:?}", record.embargoes);
}

fn status(operator: &Operator) -> view::StatusView {
    let glance = app::glance(&operator.settings("reader"), &operator.system).unwrap();
    view::status(&glance.look())
}

/// The line of the acceptance: what it told.
fn told_at_accept(operator: &Operator) -> String {
    let glance = app::glance(&operator.settings("reader"), &operator.system).unwrap();
    let line = glance.lines.iter().rev().find_map(|line| match &line.body {
        Body::Decided { input: changeover::machine::Input::Accept, evidence, .. } => {
            Some(evidence.clone())
        }
        _ => None,
    });
    line.unwrap().into_iter().map(|it| it.says + "; ").collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lift_waits_for_users_on_the_old_side_or_for_a_person() {
    let lab = Lab::start();
    let operator = hasty(&lab, "drained", None);
    to_the_soak(&operator).await;
    let came = || lab.world()["sites"]["hk"]["users"].as_u64().unwrap();
    let before = came();
    let client = Client::of(&operator, "hk");
    while came() == before {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let reply = order(&operator, Command::Accept).await;
    waits_in_lift(&reply, &operator);
    let told = told_at_accept(&operator);
    assert!(
        told.contains("hk gets ")
            && told.contains("requests/min")
            && told.contains("resolvers answer"),
        "{told}"
    );
    assert!(!told.contains("hk gets 0 "), "somebody is there: {told}");
    // Every screen says so, and what going back costs.
    let seen = status(&operator);
    let users = seen.users.unwrap();
    assert!(users.contains("hk still gets ") && users.contains("% of all"), "{users}");
    let back = seen.way_back.unwrap();
    assert!(
        back.possible && back.loses == view::Loses::Nothing && back.seconds.is_some(),
        "{back:?}"
    );
    // It goes on waiting while they come.
    let reply = order(&operator, Command::Retry).await;
    waits_in_lift(&reply, &operator);
    let made = client.stop();
    let counted = came() - before;
    // Each halt reads both sites for the table, as users would.
    let own = counted - u64::from(made);
    assert!(own <= 4, "the site counts each request of its users: {counted} of {made}");
    // They are gone: nobody needs to be overridden.
    let reply = order(&operator, Command::Retry).await;
    assert!(
        matches!(reply.state, State::Ready { at } if at.phase == Phase::Lift),
        "{reply:?}\n{}",
        operator.last_lines()
    );
    assert!(operator.life().record.writes_since_swap);
    let back = status(&operator).way_back.unwrap();
    assert!(matches!(back.loses, view::Loses::Writes { since: Some(_), .. }), "{back:?}");

    // Writes are counted when going back is asked for.
    let refused = operator
        .order(
            "engineer-a",
            Command::Rollback { confirm: Some("hk".into()), accept_data_loss: false },
        )
        .await;
    let refused = refused.unwrap_err();
    assert!(refused.message.contains("at least 0 rows"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_overrides_by_name_and_an_unreadable_count_is_unknown() {
    let lab = Lab::start();
    let page = r#"counter: { page: { url: "https://gigadb.org/requests", at: web } }"#;
    let operator = hasty(&lab, "override", Some(page));
    to_the_soak(&operator).await;
    lab.post(
        "/_lab/faults",
        &json!({ "service": "site", "path": "/requests", "action": "status:500", "times": 1000 }),
    );
    let reply = order(&operator, Command::Accept).await;
    waits_in_lift(&reply, &operator);
    assert!(told_at_accept(&operator).contains("answered 500"), "{}", told_at_accept(&operator));
    let verdict = operator.life().record.verdicts.get(&"drained".into()).copied();
    assert_eq!(verdict, Some(changeover::model::Verdict::Unknown));
    let reply = order(&operator, Command::Skip { step: "drained".into() }).await;
    assert!(
        matches!(reply.state, State::Ready { at } if at.phase == Phase::Lift),
        "{reply:?}\n{}",
        operator.last_lines()
    );
    let glance = app::glance(&operator.settings("reader"), &operator.system).unwrap();
    let overrides: Vec<_> = glance
        .lines
        .iter()
        .filter_map(|line| match &line.body {
            Body::Decided { reason, facts, .. } if waives(facts) => {
                Some((line.by.name.as_str(), reason.as_deref().unwrap()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(overrides, [("engineer-a", "practice")], "person, check and reason are one entry");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_counter_it_is_said_plainly() {
    let lab = Lab::start();
    let operator = hasty(&lab, "none", Some(""));
    let path = operator.workflows.join("gigadb.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let kept =
        text.lines().filter(|it| !it.contains("check: traffic") && !it.contains("check: drained"));
    let kept = kept.map(|it| format!("{}\n", it.replace(", drained]", "]")));
    std::fs::write(&path, kept.collect::<String>()).unwrap();
    to_the_soak(&operator).await;
    let users = status(&operator).users.unwrap();
    assert!(
        users.contains("no counter is declared: nobody can tell how many are still on hk"),
        "{users}"
    );
    let reply = order(&operator, Command::Accept).await;
    assert!(matches!(reply.state, State::Ready { at } if at.phase == Phase::Lift), "{reply:?}");
    assert!(
        told_at_accept(&operator).contains("no counter is declared"),
        "{}",
        told_at_accept(&operator)
    );
}

fn waives(facts: &[Fact]) -> bool {
    facts.iter().any(|it| matches!(it, Fact::Waived { check, .. } if check.as_str() == "drained"))
}
