//! Production is lost: the whole program against the practice cloud.

mod armed;
mod away_and_back;
mod comes_back;
mod dead_disk;
mod fenced;
mod no_way_back;
mod refused;
mod sealed;
mod swap;
mod tables;

use changeover::conductor::{Command, GivenUp, MayLose, Reply};
use changeover::machine::State;
use changeover::model::{Phase, SiteName};
use serde_json::{Value, json};

use crate::practice::{Lab, Operator, approve};

/// Everything of this site is gone: its pages, its machine, its region.
pub(crate) fn kill(lab: &Lab, site: &str, region: &str) {
    let host = format!("gigadb-{site}-bastion");
    lab.post(
        "/_lab/set",
        &json!({ "sites": { site: { "dead": true } }, "hosts": { host: { "down": true } }, "regions_down": [region] }),
    );
}

/// It is back, as it was.
fn raise(lab: &Lab, site: &str) {
    let host = format!("gigadb-{site}-bastion");
    lab.post(
        "/_lab/set",
        &json!({ "sites": { site: { "dead": false } }, "hosts": { host: { "down": false } }, "regions_down": [] }),
    );
}

pub(crate) fn failover(to: &str, loss: MayLose) -> Command {
    Command::Failover(GivenUp {
        confirm: Some(to.into()),
        accept_data_loss: Some(loss),
        ..GivenUp::default()
    })
}

/// Users' first name leads here, by every record of the group.
fn users_are_on(operator: &Operator, lab: &Lab, site: &str) {
    let record = operator.life().record;
    let own = record.addresses[&SiteName::from(site)]["web"].clone();
    let world = lab.world();
    let found = world["records"].to_string();
    let leads = leads_to(&world, "gigadb.org");
    assert_eq!(leads.as_deref(), Some(own.as_str()), "{found}");
}

fn leads_to(world: &Value, name: &str) -> Option<String> {
    fn find(value: &Value, name: &str) -> Option<String> {
        match value {
            Value::Object(map) => {
                if map.get("name").and_then(Value::as_str) == Some(name)
                    && map.get("type").and_then(Value::as_str) == Some("A")
                {
                    return map.get("content")?.as_str().map(str::to_owned);
                }
                map.values().find_map(|it| find(it, name))
            }
            Value::Array(items) => items.iter().find_map(|it| find(it, name)),
            _ => None,
        }
    }
    find(&world["records"], name)
}

/// Takes the open run to its end.
async fn to_the_end(operator: &Operator, to: &str) {
    for _ in 0..60 {
        let life = operator.life();
        let next = |confirm: Option<&str>| Command::Next {
            auto: false,
            confirm: confirm.map(SiteName::from),
            waive: vec![],
        };
        let (who, command) = match life.state {
            State::Steady => return,
            State::Doing { .. } | State::Settling { .. } => ("engineer-a", next(None)),
            State::Ready { at } if at.phase == Phase::Soak => ("engineer-a", Command::Accept),
            State::Ready { .. } => ("engineer-a", next(Some(to))),
            State::Asking { .. } if life.record.approvals.is_empty() => ("curator-a", approve()),
            State::Asking { .. } => ("engineer-b", approve()),
            State::Halted { .. } => panic!("halted: {}", operator.last_lines()),
        };
        let shown = format!("{command:?}");
        if let Err(fault) = operator.order(who, command).await {
            panic!("{shown}: {fault}\n{}", operator.last_lines());
        }
    }
    panic!("the run did not end: {:?}", operator.life().state);
}

fn plan(reply: &Reply) -> &changeover::conductor::Preview {
    reply.plan.as_ref().unwrap().preview.as_ref().unwrap()
}
