//! An outcome that cannot be learned: the command ends with 6 and names the one that finds out.

use std::time::Duration;

use changeover::conductor::{Command, Reply};
use changeover::fault::Exit;
use changeover::machine::State;
use changeover::model::Phase;
use changeover::view;
use serde_json::{Value, json};

use super::until;
use crate::practice::{Lab, Operator, last_call};

/// Does this as soon as a request of that kind has arrived.
async fn when_seen(lab: &Lab, query: &str, is: impl Fn(&Value) -> bool, then: impl FnOnce()) {
    let since = last_call(lab);
    for _ in 0..1200 {
        let calls = lab.get(&format!("/_lab/calls?{query}&since={since}"));
        if calls.as_array().unwrap().iter().any(&is) {
            then();
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("no such request came: {query}");
}

fn is_unknown(reply: &Reply, operator: &Operator) {
    let lines = operator.last_lines();
    assert_eq!(
        (reply.exit, reply.code.as_deref()),
        (Exit::Unknown, Some("E2004")),
        "{reply:?}\n{lines}"
    );
    assert!(reply.next.contains("changeover run retry"), "{reply:?}");
    assert!(reply.sentence.contains("nobody knows"), "{reply:?}");
}

fn resolve(step: &str) -> Command {
    Command::Resolve { step: step.into(), done: true }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_goes_away_while_it_works() {
    let lab = Lab::start();
    let down = |it: bool| {
        lab.post(
            "/_lab/set",
            &json!({ "hosts": { "gigadb-hk-bastion": { "down": it, "cut_after_s": null } } }),
        );
    };
    for way in ["retry", "resolve"] {
        lab.reset();
        let operator = Operator::new(&lab, way);
        until(&operator, Phase::SyncOff).await;
        lab.post("/_lab/set", &json!({ "host_seconds": 1.0 }));
        let since = last_call(&lab);
        let started = |call: &Value| call["method"] == "RUN" && call["operation"] == "s3backup";
        let (reply, ()) = tokio::join!(
            operator.order("engineer-a", super::next()),
            when_seen(&lab, "service=host", started, || down(true)),
        );
        is_unknown(&reply.unwrap(), &operator);
        // Asking again while nobody answers neither loses nor repeats anything.
        let reply = operator.order("engineer-a", Command::Retry).await.unwrap();
        is_unknown(&reply, &operator);
        down(false);
        while lab.world()["running"]
            .as_array()
            .unwrap()
            .iter()
            .any(|it| it["program"] == "s3backup")
        {
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let command = if way == "retry" { Command::Retry } else { resolve("dump") };
        let reply = operator.order("engineer-a", command).await.unwrap();
        let done = matches!(reply.state, State::Ready { at } if at.phase == Phase::Backup);
        assert!(done && reply.exit == Exit::Done, "{way}: {reply:?}\n{}", operator.last_lines());
        let calls = lab.get(&format!("/_lab/calls?service=host&since={since}"));
        assert_eq!(
            calls.as_array().unwrap().iter().filter(|it| started(it)).count(),
            1,
            "{way}: one dump"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cloudflare_goes_away_after_the_batch() {
    let lab = Lab::start();
    for (way, zone) in [("retry", "gigadb.org"), ("resolve", "gigadb.host")] {
        lab.reset();
        let operator = Operator::new(&lab, way);
        while view::target(&operator.life(), false).is_none() {
            let (who, command) = operator.turn("v4.3.4", "sydney").unwrap();
            operator.order(who, command).await.unwrap();
        }
        let rule = json!({ "service": "cloudflare", "method": "POST", "path": "/batch",
            "body_contains": format!("_changeover-gigadb.{zone}"), "action": "timeout_after", "hold_s": 1.5 });
        lab.post("/_lab/faults", &rule);
        let since = last_call(&lab);
        let swap = Command::Next { auto: false, confirm: Some("sydney".into()), waive: vec![] };
        let met = |call: &Value| call["fault"] == "timeout_after" && call["applied"] == true;
        let (reply, ()) = tokio::join!(
            operator.order("engineer-a", swap),
            when_seen(&lab, "service=cloudflare", met, || {
                lab.post(
                    "/_lab/faults",
                    &json!({ "service": "cloudflare", "action": "refuse", "times": 1000 }),
                );
            }),
        );
        is_unknown(&reply.unwrap(), &operator);
        lab.delete("/_lab/faults");
        let command = if way == "retry" { Command::Retry } else { resolve("switch") };
        let mut reply = operator.order("engineer-a", command).await.unwrap();
        if reply.exit == Exit::Failed {
            reply = operator.order("engineer-a", Command::Retry).await.unwrap();
        }
        let done = matches!(reply.state, State::Ready { at } if at.phase == Phase::Swap);
        assert!(done && reply.exit == Exit::Done, "{way}: {reply:?}\n{}", operator.last_lines());
        let calls = lab.get(&format!("/_lab/calls?service=cloudflare&applied=true&since={since}"));
        assert_eq!(calls.as_array().unwrap().len(), 2, "{way}: one batch a zone");
        // The rest of the release does not mind.
        if way == "resolve" {
            operator.release("v4.3.4", "sydney").await;
        }
    }
}
