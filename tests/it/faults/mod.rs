//! What goes wrong around a release, through the whole program: every refusal is known, written and has a way on.

mod second;
mod secrets;
mod unknown;

use std::collections::BTreeMap;

use changeover::conductor::Command;
use changeover::fault::Exit;
use changeover::machine::State;
use changeover::model::Phase;
use serde_json::{Value, json};

use crate::practice::{Lab, Operator, comparable, last_call};

pub(super) fn start() -> Command {
    let version = "v4.3.4".to_owned();
    Command::Start { version, auto: false, confirm: None, waive: vec!["windows".into()] }
}

pub(super) fn next() -> Command {
    Command::Next { auto: false, confirm: None, waive: vec![] }
}

/// Walks until a phase is done and the next one may be entered.
pub(super) async fn until(operator: &Operator, phase: Phase) {
    for _ in 0..40 {
        if matches!(operator.life().state, State::Ready { at } if at.phase == phase) {
            return;
        }
        let (who, command) = operator.turn("v4.3.4", "sydney").unwrap();
        let shown = format!("{command:?}");
        let reply = operator.order(who, command).await;
        assert!(reply.is_ok(), "{shown}: {reply:?}\n{}", operator.last_lines());
    }
    panic!("{phase:?} was not reached: {:?}", operator.life().state);
}

/// The journal's lines as they are read.
pub(super) fn lines(operator: &Operator) -> Vec<Value> {
    let glance = changeover::app::glance(&operator.settings("reader"), &operator.system).unwrap();
    glance.lines.iter().map(|line| serde_json::to_value(line).unwrap()).collect()
}

/// The last verdict of every check.
fn verdicts(operator: &Operator) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for line in lines(operator) {
        for fact in line["body"]["facts"].as_array().into_iter().flatten() {
            if fact["fact"] == "looked" {
                let text = |key: &str| fact[key].as_str().unwrap().to_owned();
                found.insert(text("check"), text("verdict"));
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_is_not_allowed_here_is_refused_and_written() {
    let lab = Lab::start();
    let operator = Operator::new(&lab, "refused");
    operator.order("engineer-a", Command::Init).await.unwrap();
    let since = last_call(&lab);
    let rollback = || Command::Rollback { confirm: Some("hk".into()), accept_data_loss: true };
    let cases: [(Command, &str); 6] = [
        (next(), "steady"),
        (Command::Approve { comment: None, packet: None }, "steady"),
        (Command::Accept, "steady"),
        (Command::Abort, "steady"),
        (rollback(), "steady"),
        (Command::Retry, "steady"),
    ];
    let many = cases.len();
    for (command, state) in cases {
        let name = command.name();
        let fault = operator.order("engineer-a", command).await.unwrap_err();
        assert_eq!((fault.exit(), fault.code.id), (Exit::Refused, "E2001"), "{name}: {fault}");
        assert!(fault.message.contains(state), "{name}: {fault}");
        let last = lines(&operator).pop().unwrap();
        assert_eq!(
            (&last["body"]["kind"], &last["body"]["command"]),
            (&"refused".into(), &name.into()),
            "{last}"
        );
        assert_eq!(last["body"]["message"], fault.message, "{last}");
    }
    let refused = lines(&operator).iter().filter(|it| it["body"]["kind"] == "refused").count();
    assert_eq!(refused, many);
    until(&operator, Phase::Preflight).await;
    for command in [start(), rollback(), Command::Accept, Command::Retry] {
        let name = command.name();
        let second = matches!(command, Command::Start { .. });
        let fault = operator.order("engineer-a", command).await.unwrap_err();
        if second {
            assert_eq!((fault.exit(), fault.code.id), (Exit::Conflict, "E2018"), "{fault}");
            continue;
        }
        assert_eq!((fault.exit(), fault.code.id), (Exit::Refused, "E2001"), "{name}: {fault}");
        assert!(fault.message.contains("ready in preflight"), "{name}: {fault}");
    }
    assert_eq!(lab.get(&format!("/_lab/calls?changes=true&since={since}")), json!([]));
}

/// What is broken: how the operator's surroundings and the practice cloud are changed, and a check that meets it.
struct Trouble {
    name: &'static str,
    env: &'static [(&'static str, &'static str)],
    set: Value,
    fault: Value,
    check: &'static str,
}

fn troubles() -> Vec<Trouble> {
    let by_env =
        |name, env, check| Trouble { name, env, set: json!({}), fault: json!(null), check };
    let by_set = |name, set, check| Trouble { name, env: &[], set, fault: json!(null), check };
    let by_fault = |name, fault, check| Trouble { name, env: &[], set: json!({}), fault, check };
    vec![
        by_env("cloudflare token wrong", &[("CLOUDFLARE_API_TOKEN", "another-token")], "group"),
        by_env("cloudflare token missing", &[("CLOUDFLARE_API_TOKEN", "")], "group"),
        by_env("gitlab token wrong", &[("GITLAB_TOKEN", "another-token")], "tag"),
        by_env("aws profile missing", &[("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")], "identity"),
        by_env("cloudflare down", &[("CLOUDFLARE_BASE_URL", "http://127.0.0.1:9")], "group"),
        by_env("gitlab down", &[("CI_SERVER_URL", "http://127.0.0.1:9")], "tag"),
        by_env("aws down", &[("AWS_ENDPOINT_URL", "http://127.0.0.1:9")], "identity"),
        by_set("one region down", json!({ "regions_down": ["ap-southeast-2"] }), "eip-stby"),
        by_set(
            "a host down",
            json!({ "hosts": { "gigadb-sydney-bastion": { "down": true } } }),
            "images",
        ),
        by_set("name servers down", json!({ "dns_down": true }), "ttl"),
        by_fault(
            "cloudflare's allowance is used up",
            json!({ "service": "cloudflare", "action": "429", "times": 1000 }),
            "group",
        ),
        by_fault(
            "gitlab's allowance is used up",
            json!({ "service": "gitlab", "action": "429", "times": 1000 }),
            "tag",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_asked_is_unknown_refuses_and_changes_nothing() {
    let lab = Lab::start();
    let usual = lab.get("/_lab/set");
    for (number, trouble) in troubles().into_iter().enumerate() {
        let Trouble { name, env, set, fault, check } = trouble;
        lab.reset();
        let mut operator = Operator::new(&lab, &format!("trouble-{number}"));
        operator.order("engineer-a", Command::Init).await.unwrap();
        let (since, before) = (last_call(&lab), lab.world());
        for (key, value) in env {
            operator.env.insert((*key).to_owned(), (*value).to_owned());
        }
        lab.post("/_lab/set", &set);
        if !fault.is_null() {
            lab.post("/_lab/faults", &fault);
        }
        let reply = operator.order("engineer-a", start()).await.unwrap();
        assert_eq!(
            (reply.exit, reply.code.as_deref()),
            (Exit::Refused, Some("E2002")),
            "{name}: {reply:?}"
        );
        assert!(reply.sentence.contains(check), "{name}: {reply:?}");
        let found = verdicts(&operator);
        assert_eq!(found[check], "unknown", "{name}: {found:?}");
        assert_eq!(
            lab.get(&format!("/_lab/calls?changes=true&since={since}")),
            json!([]),
            "{name}"
        );
        if number == 0 {
            // Reading a site's pages is counted there, and changes nothing.
            assert_eq!(comparable(&lab.world()), comparable(&before));
        }
        operator.env.clone_from(&lab.env);
        lab.post("/_lab/set", &usual);
        lab.post("/_lab/set", &json!({ "hosts": { "gigadb-sydney-bastion": { "down": false } } }));
        lab.delete("/_lab/faults");
        let reply = operator.order("engineer-a", Command::Retry).await.unwrap();
        let passed = matches!(reply.state, State::Ready { at } if at.phase == Phase::Preflight);
        assert!(passed && reply.exit == Exit::Done, "{name}: {reply:?}\n{}", operator.last_lines());
    }
}
