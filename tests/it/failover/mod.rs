//! Production is lost: the whole program against the practice cloud.

mod armed;
mod away_and_back;
mod comes_back;
mod dead_disk;
mod fenced;
mod holds;
mod look;
mod lost_again;
mod no_way_back;
mod points;
mod refused;
mod sealed;
mod swap;
mod tables;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

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

/// The names of each record of the switch: production's, and the standby's.
const NAMES: [(&str, &str, &str); 4] = [
    ("web", "gigadb.org", "alt-live.gigadb.host"),
    ("portainer", "portainer.gigadb.org", "portainer.alt-live.gigadb.host"),
    ("files", "files.gigadb.org", "files.alt-live.gigadb.host"),
    ("bastion", "bastion.gigadb.host", "bastion.alt-live.gigadb.host"),
];

/// Every name of the group has its one record, and that leads where this site being production puts it.
fn users_are_on(operator: &Operator, lab: &Lab, site: &str) {
    let addresses = operator.life().record.addresses;
    let other = if site == "hk" { "sydney" } else { "hk" };
    let world = lab.world();
    let zones = world["records"].as_object().unwrap().values();
    let rows: Vec<&Value> = zones.flat_map(|it| it.as_array().unwrap()).collect();
    for (record, production, standby) in NAMES {
        for (name, of) in [(production, site), (standby, other)] {
            let here = rows.iter().filter(|it| it["type"] == "A" && it["name"] == name);
            let leads: Vec<&Value> = here.map(|it| &it["content"]).collect();
            assert_eq!(leads, [&json!(addresses[&SiteName::from(of)][record])], "{name}: {rows:?}");
        }
    }
}

/// Requests since this one whose path has this part.
fn asked(lab: &Lab, since: u64, part: &str) -> Vec<Value> {
    let mut calls = lab.get(&format!("/_lab/calls?since={since}")).as_array().unwrap().clone();
    calls.retain(|it| it["path"].as_str().unwrap().contains(part));
    calls
}

/// Batches that took effect since this request.
fn landed(lab: &Lab, since: u64) -> usize {
    asked(lab, since, "/batch").iter().filter(|it| it["applied"] == true).count()
}

fn until(what: &str, so: impl Fn() -> bool) {
    let since = Instant::now();
    while !so() {
        assert!(since.elapsed() < Duration::from_mins(2), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// All bytes of the journal's folder.
fn written(state: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(state.join("gigadb/journal")).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|it| it.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths.into_iter().map(|it| (it.clone(), std::fs::read(&it).unwrap())).collect()
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
