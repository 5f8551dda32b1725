//! The switch through the whole program when it does not go as it should: half moves, late requests, lost
//! answers, two journals. Each time users are right or somebody is told, and there is a way on.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use changeover::conductor::{Command, Reply};
use changeover::fault::{Exit, Fault};
use changeover::machine::State;
use changeover::model::{Phase, SiteName, Way};
use changeover::view;
use serde_json::{Value, json};

use crate::practice::{Lab, Operator, last_call};

/// The names that users type; the bastion's lies in the second zone.
const USERS: [(&str, &str); 3] =
    [("gigadb.org", "web"), ("portainer.gigadb.org", "portainer"), ("files.gigadb.org", "files")];
const ORG: &str = "gigadb.org";
const HOST: &str = "gigadb.host";

fn next(confirm: Option<&str>) -> Command {
    Command::Next { auto: false, confirm: confirm.map(SiteName::from), waive: vec![] }
}

fn rollback() -> Command {
    Command::Rollback { confirm: Some("hk".into()), accept_data_loss: false }
}

/// A fault that meets the batches of one zone, or of both.
pub(crate) fn on_batch(lab: &Lab, zone: Option<&str>, action: &str, more: &Value) {
    let mut rule =
        json!({ "service": "cloudflare", "method": "POST", "path": "/batch", "action": action });
    if let Some(zone) = zone {
        // A batch's body names what it changes; only the mark of a zone is told by its name's end.
        rule["body_contains"] = format!("_changeover-gigadb.{zone}").into();
    }
    for (key, value) in more.as_object().into_iter().flatten() {
        rule[key] = value.clone();
    }
    lab.post("/_lab/faults", &rule);
}

/// What an authoritative server says now, asked over UDP.
fn authority(operator: &Operator, name: &str) -> Ipv4Addr {
    let server = operator.env["CHANGEOVER_AUTHORITY"].split(',').next().unwrap().to_owned();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let mut query = vec![7, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        query.push(u8::try_from(label.len()).unwrap());
        query.extend(label.as_bytes());
    }
    query.extend([0, 0, 1, 0, 1]);
    socket.send_to(&query, &server).unwrap();
    let mut answer = [0_u8; 512];
    let length = socket.recv(&mut answer).unwrap();
    assert_eq!(answer[3] & 15, 0, "{name}: the server refused");
    let answers = u16::from_be_bytes([answer[6], answer[7]]);
    assert_eq!(answers, 1, "{name}: one address");
    assert_eq!(answer[8..12], [0; 4], "{name}: nothing stands behind the address");
    let at = length - 4;
    Ipv4Addr::new(answer[at], answer[at + 1], answer[at + 2], answer[at + 3])
}

fn address_of(operator: &Operator, site: &str, record: &str) -> Ipv4Addr {
    operator.life().record.addresses[&SiteName::from(site)][record].parse().unwrap()
}

/// Asserts that users are led to this site by every name they type, within what an authority takes to follow.
fn users_are_on(operator: &Operator, site: &str) {
    for (name, record) in USERS {
        let own = address_of(operator, site, record);
        let follows = (0..1_000).any(|_| {
            let there = authority(operator, name) == own;
            if !there {
                std::thread::sleep(Duration::from_millis(10));
            }
            there
        });
        assert!(follows, "{name} does not lead to {own}");
    }
}

/// The request that was told to arrive late.
fn late(lab: &Lab, since: u64) -> Value {
    let calls = lab.get(&format!("/_lab/calls?service=cloudflare&since={since}"));
    calls.as_array().unwrap().iter().find(|it| it["fault"] == "late").cloned().unwrap()
}

/// The same when it is let go and has arrived.
async fn arrived(lab: &Lab, since: u64) -> Value {
    lab.post("/_lab/go", &json!({}));
    for _ in 0..600 {
        let late = late(lab, since);
        if late["ended"] == true {
            return late;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it never arrived: {}", late(lab, since))
}

/// Every address record: name and where it leads.
fn records(lab: &Lab) -> BTreeSet<(String, String)> {
    let world = lab.world();
    let zones = world["records"].as_object().unwrap().values();
    let rows = zones.flat_map(|rows| rows.as_array().unwrap().clone());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    rows.filter(|row| row["type"] == "A")
        .map(|row| (text(&row["name"]), text(&row["content"])))
        .collect()
}

/// Batches that took effect, by zone: each carries exactly one zone's mark.
fn applied_batches(lab: &Lab, zone: &str, since: u64) -> usize {
    let calls = lab.get(&format!("/_lab/calls?service=cloudflare&applied=true&since={since}"));
    let wanted = format!("_changeover-gigadb.{zone}");
    let is = |call: &&Value| {
        call["path"].as_str().unwrap().ends_with("/batch")
            && call["body"].as_str().unwrap().contains(&wanted)
    };
    calls.as_array().unwrap().iter().filter(is).count()
}

/// Takes a release up to the swap: approved and not begun.
pub(crate) async fn to_the_swap(operator: &Operator) {
    for _ in 0..40 {
        let life = operator.life();
        if view::target(&life, false).is_some() {
            return;
        }
        let (who, command) = operator.turn("v4.3.4", "sydney").unwrap();
        let shown = format!("{command:?}");
        let reply = operator.order(who, command).await;
        let well = reply.as_ref().is_ok_and(|it| !matches!(it.state, State::Halted { .. }));
        assert!(well, "{shown}: {reply:?}\n{}", operator.last_lines());
    }
    panic!("the release did not come to the swap: {:?}", operator.life().state);
}

async fn swap(operator: &Operator) -> Reply {
    operator.order("engineer-a", next(Some("sydney"))).await.unwrap()
}

async fn retry(operator: &Operator) -> Reply {
    operator.order("engineer-a", Command::Retry).await.unwrap()
}

fn is_half(reply: &Reply, operator: &Operator) {
    let lines = operator.last_lines();
    assert_eq!(
        (reply.exit, reply.code.as_deref()),
        (Exit::Failed, Some("E2017")),
        "{reply:?}\n{lines}"
    );
    assert!(reply.sentence.contains("swap") && reply.sentence.contains("switch"), "{reply:?}");
    assert!(reply.next.contains("run retry"), "{reply:?}");
}

fn is_swapped(reply: &Reply, operator: &Operator) {
    let there = matches!(reply.state, State::Ready { at } if at.phase == Phase::Swap && at.way == Way::Forth);
    assert!(there && reply.exit == Exit::Done, "{reply:?}\n{}", operator.last_lines());
}

/// The run waits, users are back, before the standby is overwritten.
fn is_back(reply: &Reply, operator: &Operator) {
    let there = matches!(reply.state, State::Ready { at } if at.way == Way::Back);
    assert!(there && reply.exit == Exit::Done, "{reply:?}\n{}", operator.last_lines());
    users_are_on(operator, "hk");
}

fn fresh(lab: &Lab, name: &str) -> Operator {
    lab.reset();
    let operator = Operator::new(lab, name);
    // Requests that hang are given up sooner.
    let file = operator.workflows.join("gigadb.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("call: 5s"));
    std::fs::write(&file, text.replace("call: 5s", "call: 1500ms")).unwrap();
    operator
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_swap_leaves_users_right_and_goes_on_or_back() {
    let lab = Lab::start();
    let ways: [(&str, Value); 3] =
        [("500", json!({})), ("status:400", json!({})), ("timeout_before", json!({ "hold_s": 2 }))];
    for (number, (action, more)) in ways.into_iter().enumerate() {
        let operator = fresh(&lab, &format!("half-{number}"));
        let before = records(&lab);
        to_the_swap(&operator).await;
        on_batch(&lab, Some(HOST), action, &more);
        let reply = swap(&operator).await;
        is_half(&reply, &operator);
        users_are_on(&operator, "sydney");
        assert_eq!(
            authority(&operator, "bastion.gigadb.host"),
            address_of(&operator, "hk", "bastion")
        );
        // What a reader is shown names the step and both ways out.
        let life = operator.life();
        assert!(view::sentence(&life).contains("switch"), "{}", view::sentence(&life));
        if number == 1 {
            let reply = operator.order("engineer-a", rollback()).await.unwrap();
            is_back(&reply, &operator);
            assert_eq!(records(&lab), before, "all eight as they were");
            continue;
        }
        let since = last_call(&lab);
        is_swapped(&retry(&operator).await, &operator);
        assert_eq!((applied_batches(&lab, ORG, since), applied_batches(&lab, HOST, since)), (0, 1));
        let swapped = records(&lab);
        assert_ne!(swapped, before);
        // From a whole swap back again.
        let reply = operator.order("engineer-a", rollback()).await.unwrap();
        is_back(&reply, &operator);
        assert_eq!(records(&lab), before, "all eight as they were");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_request_changes_nothing_after_a_rollback_and_is_seen_before_one() {
    let lab = Lab::start();
    // It arrives when the way back has been made: its number is taken.
    let operator = fresh(&lab, "late-after");
    let before = records(&lab);
    to_the_swap(&operator).await;
    on_batch(&lab, Some(ORG), "late", &json!({ "late_s": 600 }));
    let since = last_call(&lab);
    let reply = swap(&operator).await;
    assert_ne!(reply.exit, Exit::Done, "{reply:?}");
    let reply = operator.order("engineer-a", rollback()).await.unwrap();
    is_back(&reply, &operator);
    assert_eq!(records(&lab), before);
    assert_eq!(late(&lab, since)["ended"], false, "it has not arrived yet");
    assert_eq!(arrived(&lab, since).await["applied"], false);
    assert_eq!(records(&lab), before, "the late one changed nothing");
    users_are_on(&operator, "hk");

    // It arrives before: it is found to have landed, and users are brought back all the same.
    let operator = fresh(&lab, "late-before");
    to_the_swap(&operator).await;
    on_batch(&lab, Some(ORG), "late", &json!({ "late_s": 600 }));
    let since = last_call(&lab);
    let reply = swap(&operator).await;
    assert_ne!(reply.exit, Exit::Done, "{reply:?}");
    assert_eq!(records(&lab), before, "nothing has moved yet");
    assert_eq!(arrived(&lab, since).await["applied"], true);
    users_are_on(&operator, "sydney");
    let reply = operator.order("engineer-a", rollback()).await.unwrap();
    is_back(&reply, &operator);
    assert_eq!(records(&lab), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_answers_refusals_and_torn_batches_end_in_known_states() {
    let lab = Lab::start();
    // The effect happened and its answer did not come: read back, done, one batch a zone.
    for (number, (action, more)) in [
        ("timeout_after", json!({ "hold_s": 2, "times": 2 })),
        ("500_after", json!({ "times": 2 })),
    ]
    .into_iter()
    .enumerate()
    {
        let operator = fresh(&lab, &format!("after-{number}"));
        to_the_swap(&operator).await;
        let since = last_call(&lab);
        on_batch(&lab, None, action, &more);
        let mut reply = swap(&operator).await;
        if reply.exit != Exit::Done {
            // Only the first zone was asked: its end was not known when the second one's turn came.
            is_half(&reply, &operator);
            users_are_on(&operator, "sydney");
            reply = retry(&operator).await;
        }
        is_swapped(&reply, &operator);
        users_are_on(&operator, "sydney");
        assert_eq!(
            (applied_batches(&lab, ORG, since), applied_batches(&lab, HOST, since)),
            (1, 1),
            "{action}"
        );
    }
    // Refused before any effect: nothing has moved, and the next try moves it.
    let operator = fresh(&lab, "quota");
    let before = records(&lab);
    to_the_swap(&operator).await;
    on_batch(&lab, None, "429", &json!({}));
    let reply = swap(&operator).await;
    assert_eq!(reply.exit, Exit::Failed, "{reply:?}");
    assert_eq!(records(&lab), before);
    users_are_on(&operator, "hk");
    is_swapped(&retry(&operator).await, &operator);
    // A provider that breaks its own transaction: the records without the mark.
    let operator = fresh(&lab, "torn");
    to_the_swap(&operator).await;
    on_batch(&lab, Some(ORG), "half", &json!({}));
    let reply = swap(&operator).await;
    assert_eq!(reply.exit, Exit::Failed, "{reply:?}\n{}", operator.last_lines());
    assert_ne!(records(&lab), before, "the test tears something");
    is_swapped(&retry(&operator).await, &operator);
    users_are_on(&operator, "sydney");
    let reply = operator.order("engineer-a", rollback()).await.unwrap();
    is_back(&reply, &operator);
    assert_eq!(records(&lab), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_journals_do_not_move_the_same_records() {
    let lab = Lab::start();
    let crontabs = ["gigadb-hk-bastion", "gigadb-sydney-bastion"].map(|host| {
        let path = lab.dir.path().join("hosts").join(host).join("var/spool/cron/centos");
        let text = std::fs::read_to_string(&path).unwrap();
        (path, text)
    });
    let older = Operator::new(&lab, "older");
    older.order("engineer-a", Command::Init).await.unwrap();
    let name_of = |operator: &Operator| operator.life().record.journal;
    let younger = Operator::new(&lab, "younger");
    let is_named = |fault: &Fault, journal: &str| {
        assert_eq!((fault.exit(), fault.code.id), (Exit::Conflict, "E2019"), "{fault}");
        assert!(fault.to_string().contains(journal), "{fault}");
    };
    let fault = younger.order("engineer-a", Command::Init).await.unwrap_err();
    is_named(&fault, &name_of(&older));
    let applied = lab.applied();
    assert_eq!(applied.len(), 2, "one mark a zone, the older journal's: {applied:?}");

    // The older one is at its swap when the younger one takes the records over.
    to_the_swap(&older).await;
    younger.order("engineer-b", Command::Adopt).await.unwrap();
    younger.order("engineer-b", Command::Init).await.unwrap();
    let before = (records(&lab), last_call(&lab));
    let fault = older.order("engineer-a", next(Some("sydney"))).await.unwrap_err();
    is_named(&fault, &name_of(&younger));
    assert_eq!(records(&lab), before.0);
    assert_eq!(
        lab.get(&format!("/_lab/calls?service=cloudflare&changes=true&since={}", before.1)),
        json!([])
    );

    // With a system at rest it is the preflight that says so.
    let third = Operator::new(&lab, "third");
    third.order("engineer-b", Command::Adopt).await.unwrap();
    third.order("engineer-b", Command::Init).await.unwrap();
    let version = "v4.3.5".to_owned();
    let start =
        Command::Start { version, auto: false, confirm: None, waive: vec!["windows".into()] };
    let reply = younger.order("engineer-a", start).await.unwrap();
    assert_eq!((reply.exit, reply.code.as_deref()), (Exit::Conflict, Some("E2019")), "{reply:?}");
    assert!(reply.sentence.contains(&name_of(&third)), "{reply:?}");
    // Who adopts again goes on, once the jobs are back that the first run took out and nobody else owes.
    for (path, text) in crontabs {
        std::fs::write(path, text).unwrap();
    }
    younger.order("engineer-a", Command::Adopt).await.unwrap();
    let reply = retry(&younger).await;
    assert!(matches!(reply.state, State::Ready { .. }) && reply.exit == Exit::Done, "{reply:?}");
}
