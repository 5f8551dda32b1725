//! A snapshot of a database instance, found again by its name and its tag.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_rds::types::{DbSnapshot, Tag};
use serde_json::json;

use crate::actuator::Wire;
use crate::actuator::aws::{Account, Repeat};
use crate::actuator::site;
use crate::actuator::trouble::{Trouble, coded, finding};
use crate::fault::{E3507, E3508, E3823};
use crate::machine::{Fact, Kept};
use crate::model::{Change, Evidence, Phase, SiteName, Time, Verb, Verdict};
use crate::port::{Action, Call, Finding, Seen, Sent};
use crate::workflow::Lasting;
use crate::workflow::step::params::AwsRdsSnapshot;

/// How long a copy is kept when nothing else is said: 30 days.
const KEEP: Lasting = Lasting::seconds(30 * 24 * 3600);
/// The tag by which the effect is found again.
const OP_TAG: &str = "changeover:op";

pub(in crate::actuator) fn action(
    wire: Arc<Wire>,
    call: Call,
    with: AwsRdsSnapshot,
) -> Box<dyn Action> {
    let (name, instance) = (identifier(&with.name), with.instance);
    let keep = with.keep.unwrap_or(KEEP).as_seconds();
    Box::new(Snapshot { wire, call, instance, name, keep })
}

#[derive(Debug)]
struct Snapshot {
    wire: Arc<Wire>,
    call: Call,
    instance: String,
    name: String,
    /// Seconds.
    keep: i64,
}

#[async_trait]
impl Action for Snapshot {
    async fn observe(&self) -> Seen {
        match self.find().await {
            Ok((region, Some(snapshot))) => self.judge(&region, &snapshot),
            Ok((region, None)) => Seen::Todo {
                changes: vec![self.change(&region)],
                evidence: vec![self.says(&region, format!("there is no snapshot {}", self.name))],
            },
            Err(trouble) => trouble.seen(&self.wire),
        }
    }

    async fn apply(&self, _: &[Change]) -> Sent {
        match self.create().await {
            Ok(evidence) => Sent::Accepted { evidence: vec![evidence], facts: vec![] },
            Err(trouble) => trouble.sent(&self.wire),
        }
    }
}

impl Snapshot {
    fn site(&self) -> &SiteName {
        self.call.on.as_ref().unwrap_or(&self.call.standby)
    }

    fn says(&self, region: &str, says: String) -> Evidence {
        self.wire.evidence(&format!("aws rds {region}"), says)
    }

    fn change(&self, region: &str) -> Change {
        Change {
            verb: Verb::Create,
            key: format!("aws/{region}/rds/snapshot/{}", self.name),
            old: None,
            new: Some(self.instance.clone()),
            sentence: format!("Takes the snapshot {} of {} in {region}", self.name, self.instance),
        }
    }

    async fn find(&self) -> Result<(String, Option<DbSnapshot>), Trouble> {
        find(&self.wire, &self.call, self.site(), &self.name).await
    }

    fn judge(&self, region: &str, snapshot: &DbSnapshot) -> Seen {
        let op = snapshot.tag_list().iter().find(|tag| tag.key() == Some(OP_TAG));
        let source = format!("aws rds {region}");
        if op.and_then(Tag::value) != Some(&self.call.op.0) {
            let whose = op.and_then(Tag::value).unwrap_or("nobody of us");
            let says = format!("snapshot {} exists and was made by {whose}", self.name);
            return Seen::Foreign { evidence: vec![coded(&self.wire, &E3507, &source, says)] };
        }
        let status = snapshot.status().unwrap_or("unknown");
        let percent = snapshot.percent_progress().unwrap_or_default();
        let data = json!({ "status": status, "percent": percent, "instance": self.instance });
        let says = format!("snapshot {} of {} is {status}", self.name, self.instance);
        match status {
            "available" => Seen::Done {
                evidence: vec![self.wire.evidence_with(&source, says, data)],
                facts: self.kept(snapshot).into_iter().collect(),
            },
            "failed" | "deleting" | "deleted" => {
                Seen::Failed { evidence: vec![coded(&self.wire, &E3508, &source, says)] }
            }
            _ => {
                let says = format!("{says}, {percent} %");
                Seen::Busy { evidence: vec![self.wire.evidence_with(&source, says, data)] }
            }
        }
    }

    /// What it is, for the record: of which instance and when, as AWS says it.
    fn kept(&self, snapshot: &DbSnapshot) -> Option<Fact> {
        let made = Time::default().plus_seconds(snapshot.snapshot_create_time()?.secs());
        let kept = Kept {
            site: self.site().clone(),
            instance: snapshot.db_instance_identifier()?.to_owned(),
            run: self.call.run.number,
            made,
            until: made.plus_seconds(self.keep),
        };
        Some(Fact::Copied { name: self.name.clone(), kept })
    }

    async fn create(&self) -> Result<Evidence, Trouble> {
        let workflow = &self.call.workflow;
        let account = Account::open(&self.wire, workflow, self.site()).await?;
        let owner = workflow.sites.get(self.site()).and_then(|it| it.vars.get("owner"));
        let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
        let mut request = account
            .rds(Repeat::Once)
            .create_db_snapshot()
            .db_instance_identifier(&self.instance)
            .db_snapshot_identifier(&self.name)
            .tags(tag(OP_TAG, &self.call.op.0))
            .tags(tag("changeover:system", workflow.system.as_str()));
        if let Some(owner) = owner {
            // Their policies let a user touch only what carries its name.
            request = request.tags(tag("Owner", owner));
        }
        match account.call("rds CreateDBSnapshot", request.send()).await {
            // Not ours to judge here: reading it back tells whose it is.
            Err(refusal) if refusal.is("DBSnapshotAlreadyExists") => {
                Ok(self.says(&account.region, format!("snapshot {} exists already", self.name)))
            }
            Err(refusal) => Err(refusal.into()),
            Ok(_) => Ok(self.says(&account.region, format!("snapshot {} is begun", self.name))),
        }
    }
}

/// A snapshot of a site by its name, and the region asked.
async fn find(
    wire: &Wire,
    call: &Call,
    site: &SiteName,
    name: &str,
) -> Result<(String, Option<DbSnapshot>), Trouble> {
    let account = Account::open(wire, &call.workflow, site).await?;
    let request =
        account.rds(Repeat::Reads).describe_db_snapshots().db_snapshot_identifier(name).send();
    let answer = match account.call("rds DescribeDBSnapshots", request).await {
        Err(refusal) if refusal.is("DBSnapshotNotFound") => return Ok((account.region, None)),
        other => other?,
    };
    let found = answer.db_snapshots.unwrap_or_default().into_iter().next();
    Ok((account.region, found))
}

/// Whether a copy of this site's database is kept that was made when it took no writes any more: since its
/// embargo, or, where none is enforced, in the phase that makes the copies.
pub(in crate::actuator) async fn kept(wire: &Wire, call: &Call, site: &SiteName) -> Finding {
    let read = async {
        let declared = call.workflow.database.as_ref().map(|it| it.rds.as_str());
        let instance = site::for_site(&call.workflow, site, declared.unwrap_or_default());
        let instance = instance.map_err(|says| Trouble::harmless(&E3823, "workflow", says))?;
        let since = written_until(call, site);
        let refused = |source: &str, says: String| {
            Ok(finding(Verdict::Fail, vec![coded(wire, &E3823, source, says)]))
        };
        let mine = call.record.copies.iter().filter(|(_, it)| {
            it.site == *site && it.instance == instance && !before(it.made, since)
        });
        let Some((name, _)) = mine.max_by_key(|(_, it)| it.made) else {
            let says = format!(
                "no copy of {instance} is kept that was made since {}: what was written there would be lost",
                since.screen()
            );
            return refused("journal", says);
        };
        let (region, found) = find(wire, call, site, name).await?;
        let source = format!("aws rds {region}");
        let Some(snapshot) = found else {
            return refused(&source, format!("the snapshot {name} of {instance} is gone"));
        };
        let status = snapshot.status().unwrap_or("unknown");
        let of = snapshot.db_instance_identifier().unwrap_or("nobody");
        let made =
            snapshot.snapshot_create_time().map(|it| Time::default().plus_seconds(it.secs()));
        if status != "available" || of != instance || made.is_none_or(|it| before(it, since)) {
            let says = format!(
                "the snapshot {name} is {status} and of {of}, made {}",
                made.map_or_else(|| "at no known time".to_owned(), Time::screen)
            );
            return refused(&source, says);
        }
        let says = format!("the snapshot {name} of {instance} is available");
        let data = json!({ "snapshot": name, "made": made, "since": since });
        Ok(finding(Verdict::Pass, vec![wire.evidence_with(&source, says, data)]))
    };
    read.await.unwrap_or_else(|trouble: Trouble| trouble.finding(wire))
}

/// Until when this site's database may have been written to, as far as a copy must hold it.
fn written_until(call: &Call, site: &SiteName) -> Time {
    let enforced = call.workflow.embargo.is_some();
    if let Some(embargo) = call.record.embargoes.get(site).filter(|_| enforced) {
        return embargo.since;
    }
    let made_in = if call.at.phase == Phase::Renew { Phase::Renew } else { Phase::Backup };
    let entered = call.record.run.as_ref().and_then(|it| it.entered.get(&made_in).copied());
    entered.unwrap_or(call.run.started)
}

/// Whether this is earlier; AWS says whole seconds.
const fn before(made: Time, since: Time) -> bool {
    made.0.div_euclid(1_000_000) < since.0.div_euclid(1_000_000)
}

/// An identifier that RDS accepts: a letter first, letters, digits, single hyphens, none at the end, at most 255.
fn identifier(name: &str) -> String {
    let mut made = String::new();
    for letter in name.chars() {
        let letter = if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' };
        if letter != '-' || !made.ends_with('-') {
            made.push(letter);
        }
    }
    let mut made = made.trim_matches('-').to_owned();
    if !made.starts_with(|it: char| it.is_ascii_alphabetic()) {
        made.insert_str(0, "s-");
    }
    made.truncate(255);
    made.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::identifier;

    #[test]
    fn keeps_good_names() {
        assert_eq!(identifier("changeover-r7-production"), "changeover-r7-production");
        assert_eq!(identifier("Changeover__r7.x--"), "changeover-r7-x");
        assert_eq!(identifier("7"), "s-7");
    }

    proptest! {
        #[test]
        fn is_always_accepted(name in "\\PC{0,300}") {
            let made = identifier(&name);
            prop_assert!(made.starts_with(|it: char| it.is_ascii_alphabetic()));
            prop_assert!(!made.contains("--") && !made.ends_with('-') && made.len() <= 255);
            prop_assert!(made.chars().all(|it| it.is_ascii_alphanumeric() || it == '-'));
            prop_assert_eq!(identifier(&made), made);
        }
    }
}
