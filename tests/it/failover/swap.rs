//! The records' provider does not do as it should in a failover: all new, or halted half done with a way on.

use changeover::conductor::{Command, GivenUp, MayLose};
use changeover::fault::Exit;
use changeover::machine::State;
use changeover::model::{Phase, Roles};
use serde_json::json;

use super::{kill, landed, raise, to_the_end, users_are_on};
use crate::practice::{Lab, Operator, last_call};

const REGIONS: [(&str, &str); 2] = [("hk", "ap-east-1"), ("sydney", "ap-southeast-2")];

/// A fault that meets the batches of one zone, or of both.
fn on_batch(lab: &Lab, zone: Option<&str>, action: &str, times: u32) {
    let mut rule = json!({
        "service": "cloudflare", "method": "POST", "path": "/batch", "action": action,
        "times": times, "hold_s": 0.2, "retry_after": 1,
    });
    if let Some(zone) = zone {
        rule["body_contains"] = format!("_changeover-gigadb.{zone}").into();
    }
    lab.post("/_lab/faults", &rule);
}

fn again(to: &str) -> Command {
    Command::Failover(GivenUp {
        confirm: Some(to.into()),
        accept_data_loss: Some(MayLose::Seconds(3_600)),
        acknowledge: Some("the exercise goes on".to_owned()),
        ..GivenUp::default()
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_the_provider_does_users_end_on_one_site() {
    let lab = Lab::start();
    let operator = Operator::new(&lab, "provider");
    operator.release("v4.3.4", "sydney").await;
    let cases: [(&str, Option<&str>, &str); 5] = [
        ("nothing", None, ""),
        ("one zone is told to wait", Some("gigadb.host"), "429"),
        ("one zone only", Some("gigadb.org"), "refuse"),
        ("no answer after the effect", Some("gigadb.host"), "timeout_after"),
        ("no answer and no effect, in both", None, "timeout_before"),
    ];
    let mut at = 1;
    for (what, zone, action) in cases {
        let (from, region) = REGIONS[at];
        let (to, _) = REGIONS[1 - at];
        kill(&lab, from, region);
        if !action.is_empty() {
            on_batch(&lab, zone, action, if zone.is_none() { 2 } else { 1 });
        }
        let since = last_call(&lab);
        let mut ended = operator.order("engineer-a", again(to)).await;
        let mut tried = 1;
        while let Ok(reply) = &ended
            && matches!(reply.state, State::Halted { at, .. } if at.phase == Phase::Swap)
        {
            assert!(matches!(reply.exit, Exit::Failed | Exit::Unknown), "{what}: {reply:?}");
            assert!(reply.next.ends_with("changeover run retry"), "{what}: {reply:?}");
            let roles = operator.life().record.roles.unwrap();
            assert!(matches!(roles, Roles::Moving { .. }), "{what}: not two that are writable");
            assert!(tried < 4, "{what}: {reply:?}\n{}", operator.last_lines());
            ended = operator.order("engineer-a", Command::Retry).await;
            tried += 1;
        }
        let reply =
            ended.unwrap_or_else(|fault| panic!("{what}: {fault}\n{}", operator.last_lines()));
        let soaks = matches!(reply.state, State::Ready { at } if at.phase == Phase::Soak);
        assert!(soaks, "{what}: {reply:?}\n{}", operator.last_lines());
        users_are_on(&operator, &lab, to);
        assert_eq!(landed(&lab, since), 2, "{what}: one batch a zone, each once");
        to_the_end(&operator, to).await;
        raise(&lab, from);
        lab.delete("/_lab/faults");
        at = 1 - at;
    }
}
