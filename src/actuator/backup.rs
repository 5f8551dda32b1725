//! The run's backup: written, whole, and lying where the restore reads it.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use crate::actuator::Wire;
use crate::actuator::aws::s3::{Bucket, Object};
use crate::actuator::site;
use crate::actuator::trouble::{Trouble, coded, finding, verdict};
use crate::fault::{E3801, E3805, E3806, E3807};
use crate::machine::Fact;
use crate::model::{Change, Evidence, Phase, Time, Verb, Verdict};
use crate::port::{Action, Call, Check, Finding, Seen, Sent};
use crate::workflow::Backup;
use crate::workflow::step::params::{BackupCopy, BackupWhole, NewerThan};

/// How much of a dump's end is read to find its last line.
const TAIL_BYTES: u32 = 4096;
/// What one copy request can carry, by S3's own limit.
const COPY_MAX: u64 = 5 << 30;

pub(super) fn check(wire: Arc<Wire>, call: Call, with: BackupWhole) -> Box<dyn Check> {
    Box::new(Whole { wire, call, with })
}

pub(super) fn copy(wire: Arc<Wire>, call: Call, _: BackupCopy) -> Box<dyn Action> {
    Box::new(Copy { wire, call })
}

/// The declared backup and its two keys for this run.
#[derive(Debug)]
struct Plan<'a> {
    backup: &'a Backup,
    key: String,
    restore_key: String,
}

impl<'a> Plan<'a> {
    fn of(call: &'a Call) -> Result<Self, Trouble> {
        let missing = |says: String| Trouble::harmless(&E3801, "workflow", says);
        if let Some(stamp) = call.run.stamp.as_deref().filter(|it| !Time::is_stamp(it)) {
            return Err(missing(format!("`{stamp}` is no stamp: YYYYMMDD or YYYYMMDDHHMM, UTC")));
        }
        let declared = call.workflow.backup.as_ref();
        let backup = declared.ok_or_else(|| missing("no backup is declared".to_owned()))?;
        let key = site::for_call(call, &backup.key).map_err(missing)?;
        let restore_key = site::for_call(call, &backup.restore_key).map_err(missing)?;
        Ok(Self { backup, key, restore_key })
    }

    async fn bucket(&self, wire: &'a Wire, call: &'a Call) -> Result<Bucket<'a>, Trouble> {
        Bucket::open(wire, &call.workflow, self.backup, &call.production).await
    }
}

fn describe(wire: &Wire, bucket: &Bucket<'_>, it: &Object) -> Evidence {
    let data = json!({ "key": it.key, "etag": it.etag, "size": it.size, "modified": it.modified });
    let says = format!("{} bytes, written {}", it.size, it.modified.screen());
    wire.evidence_with(&bucket.url(&it.key), says, data)
}

/// Whether the run's backup object is there and was written since then (S3 says whole seconds).
pub(super) async fn written(wire: &Wire, call: &Call, since: Time) -> Finding {
    let read = async {
        let plan = Plan::of(call)?;
        let bucket = plan.bucket(wire, call).await?;
        let url = bucket.url(&plan.key);
        let Some(object) = bucket.head(&plan.key).await? else {
            return Ok(finding(Verdict::Fail, vec![coded(wire, &E3805, &url, "it is not there")]));
        };
        let mut evidence = vec![describe(wire, &bucket, &object)];
        let fresh = newer(object.modified, since);
        if !fresh {
            let says = format!("it was written before {}", since.screen());
            evidence.push(coded(wire, &E3806, &url, says));
        }
        Ok(finding(verdict(fresh), evidence))
    };
    read.await.unwrap_or_else(|trouble: Trouble| trouble.finding(wire))
}

/// Whether it is whole: what was cut on its way is made again by its own step, not met by a later check that
/// cannot mend it.
pub(super) async fn whole(wire: &Arc<Wire>, call: &Call) -> Finding {
    let with = BackupWhole { newer_than: None };
    Whole { wire: Arc::clone(wire), call: call.clone(), with }.look().await
}

/// Whether the object that this run proved lies, byte for byte, where the restore reads it, and is whole and
/// fresh there: proven at the very object that will be read.
pub(super) async fn exact(wire: &Wire, call: &Call) -> Finding {
    let read = async {
        let plan = Plan::of(call)?;
        let proven = call.record.run.as_ref().and_then(|it| it.backup.as_ref());
        let Some((key, etag, size)) = proven.filter(|(key, ..)| *key == plan.key) else {
            let says = format!("this run has not proven {}", plan.key);
            return Ok(finding(Verdict::Fail, vec![coded(wire, &E3806, "journal", says)]));
        };
        let bucket = plan.bucket(wire, call).await?;
        let url = bucket.url(&plan.restore_key);
        let refused = |says: String| finding(Verdict::Fail, vec![coded(wire, &E3806, &url, says)]);
        let Some(object) = bucket.head(&plan.restore_key).await? else {
            return Ok(refused(format!("it is not there, so it is not the proven {key}")));
        };
        if !object.holds(etag, *size) {
            return Ok(refused(format!("it is not the proven {key}")));
        }
        let since = needed_since(call);
        let (mut evidence, wrong) =
            judged(wire, call, &plan, &bucket, &object, Some(since)).await?;
        let says = format!("it is the proven {key}");
        evidence.push(wire.evidence_with(&url, says, json!({ "etag": etag })));
        let holds = wrong.is_empty();
        evidence.extend(wrong.into_iter().map(|says| coded(wire, &E3805, &url, says)));
        Ok(finding(verdict(holds), evidence))
    };
    read.await.unwrap_or_else(|trouble: Trouble| trouble.finding(wire))
}

/// What may be loaded is not older than production's embargo; once that is lifted, than the phase in which
/// the backup is made.
fn needed_since(call: &Call) -> Time {
    if let Some(embargo) = call.record.embargoes.get(&call.production) {
        return embargo.since;
    }
    let made_in = if call.at.phase == Phase::Renew { Phase::Renew } else { Phase::Backup };
    let entered = call.record.run.as_ref().and_then(|it| it.entered.get(&made_in).copied());
    entered.unwrap_or(call.run.started)
}

/// What was read of an object of this run, and what is wrong with it: size, end, age.
async fn judged(
    wire: &Wire,
    call: &Call,
    plan: &Plan<'_>,
    bucket: &Bucket<'_>,
    object: &Object,
    since: Option<Time>,
) -> Result<(Vec<Evidence>, Vec<String>), Trouble> {
    let url = bucket.url(&object.key);
    let mut evidence = vec![describe(wire, bucket, object)];
    let before = before(call, plan, bucket, object).await?;
    let tail = bucket.tail(object, TAIL_BYTES).await?;
    let mut wrong = Vec::new();
    wrong.extend(too_small(plan, object, before.as_ref()));
    wrong.extend(no_trailer(&plan.backup.trailer, &tail));
    if let Some(since) = since.filter(|since| !newer(object.modified, *since)) {
        wrong.push(format!("it was written before {}", since.screen()));
    }
    evidence.push(match before {
        Some(before) => {
            let says = format!("the dump before, {}, has {} bytes", before.key, before.size);
            wire.evidence(&url, says)
        }
        None => wire.evidence(&url, "there is no earlier dump to compare with"),
    });
    if wrong.is_empty() {
        evidence.push(wire.evidence(&url, "it ends as a complete dump ends"));
    }
    Ok((evidence, wrong))
}

/// The newest dump of the same family, from before this one; a night's dump that came later says nothing.
async fn before(
    call: &Call,
    plan: &Plan<'_>,
    bucket: &Bucket<'_>,
    object: &Object,
) -> Result<Option<Object>, Trouble> {
    let stamp = call.run.stamp.as_deref().unwrap_or_default();
    let Some((prefix, suffix)) = plan.key.split_once(stamp).filter(|_| !stamp.is_empty()) else {
        return Ok(None);
    };
    let mut family = bucket.family(prefix).await?;
    let earlier = |it: &Object| newer(object.modified, it.modified);
    family.retain(|it| it.key != plan.key && earlier(it) && is_stamped(&it.key, prefix, suffix));
    Ok(family.into_iter().max_by_key(|it| it.modified))
}

/// Whether this is not older; the fraction of a second counts for neither.
const fn newer(modified: Time, since: Time) -> bool {
    modified.0.div_euclid(1_000_000) >= since.0.div_euclid(1_000_000)
}

#[derive(Debug)]
struct Whole {
    wire: Arc<Wire>,
    call: Call,
    with: BackupWhole,
}

#[async_trait]
impl Check for Whole {
    async fn look(&self) -> Finding {
        self.read().await.unwrap_or_else(|trouble| trouble.finding(&self.wire))
    }
}

impl Whole {
    async fn read(&self) -> Result<Finding, Trouble> {
        let plan = Plan::of(&self.call)?;
        let bucket = plan.bucket(&self.wire, &self.call).await?;
        let url = bucket.url(&plan.key);
        let Some(object) = bucket.head(&plan.key).await? else {
            let evidence = coded(&self.wire, &E3805, &url, "it is not there");
            return Ok(finding(Verdict::Fail, vec![evidence]));
        };
        let since = self.since();
        let (mut evidence, mut wrong) =
            judged(&self.wire, &self.call, &plan, &bucket, &object, since.clone().ok()).await?;
        wrong.extend(since.err().flatten());
        if wrong.is_empty() {
            let (key, etag, size) = (object.key, object.etag, object.size);
            let facts = vec![Fact::Backup { key, etag, size }];
            return Ok(Finding { verdict: Verdict::Pass, evidence, facts });
        }
        evidence.extend(wrong.into_iter().map(|says| coded(&self.wire, &E3805, &url, says)));
        Ok(finding(Verdict::Fail, evidence))
    }

    /// What it must be newer than; else nothing, or why that cannot be said.
    fn since(&self) -> Result<Time, Option<String>> {
        let Some(NewerThan::Embargo) = self.with.newer_than else { return Err(None) };
        let lies = self.call.record.embargoes.get(&self.call.production);
        lies.map(|it| it.since)
            .ok_or_else(|| Some(format!("no embargo lies on {}", self.call.production)))
    }
}

/// Whether a key is of the family: a daily or a run's stamp in the middle.
fn is_stamped(key: &str, prefix: &str, suffix: &str) -> bool {
    key.strip_prefix(prefix).and_then(|it| it.strip_suffix(suffix)).is_some_and(Time::is_stamp)
}

/// `None` if it is large enough against the one before.
fn too_small(plan: &Plan<'_>, object: &Object, before: Option<&Object>) -> Option<String> {
    if object.size == 0 {
        return Some("it is empty".to_owned());
    }
    let before = before?;
    let ratio = plan.backup.size_ratio_min;
    #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52 bytes")]
    let small = (object.size as f64) < ratio * before.size as f64;
    small.then(|| format!("it has less than {ratio} of the {} bytes before", before.size))
}

/// `None` if the last lines hold the trailer.
fn no_trailer(trailer: &str, tail: &[u8]) -> Option<String> {
    let tail = String::from_utf8_lossy(tail);
    let found = tail.lines().any(|line| line.trim_end() == trailer);
    (!found).then(|| format!("its end lacks the line `{trailer}`: the dump is cut"))
}

#[derive(Debug)]
struct Copy {
    wire: Arc<Wire>,
    call: Call,
}

#[async_trait]
impl Action for Copy {
    async fn observe(&self) -> Seen {
        self.look().await.unwrap_or_else(|trouble| trouble.seen(&self.wire))
    }

    async fn apply(&self, changes: &[Change]) -> Sent {
        match self.send(changes).await {
            Ok(evidence) => Sent::Accepted { evidence: vec![evidence], facts: vec![] },
            Err(trouble) => trouble.sent(&self.wire),
        }
    }
}

impl Copy {
    async fn look(&self) -> Result<Seen, Trouble> {
        let plan = Plan::of(&self.call)?;
        let bucket = plan.bucket(&self.wire, &self.call).await?;
        let url = bucket.url(&plan.key);
        let Some(object) = bucket.head(&plan.key).await? else {
            let evidence = vec![coded(&self.wire, &E3805, &url, "it is not there")];
            return Ok(Seen::Failed { evidence });
        };
        let mut evidence = vec![describe(&self.wire, &bucket, &object)];
        if plan.key == plan.restore_key {
            evidence.push(self.wire.evidence(&url, "the restore reads this key: nothing to do"));
            return Ok(Seen::Done { evidence, facts: vec![] });
        }
        let there = bucket.head(&plan.restore_key).await?;
        if there.as_ref().is_some_and(|it| it.holds(&object.etag, object.size)) {
            let says = format!("it is the same as {}", plan.key);
            evidence.push(self.wire.evidence(&bucket.url(&plan.restore_key), says));
            return Ok(Seen::Done { evidence, facts: vec![] });
        }
        if object.size > COPY_MAX {
            let says = "it is larger than 5 GiB: one request cannot copy it";
            evidence.push(coded(&self.wire, &E3807, &url, says));
            return Ok(Seen::Failed { evidence });
        }
        let changes = vec![Change {
            verb: if there.is_some() { Verb::Change } else { Verb::Create },
            key: bucket.url(&plan.restore_key),
            old: there.map(|it| it.etag),
            new: Some(object.etag),
            sentence: format!("Copies {} to {}", plan.key, plan.restore_key),
        }];
        Ok(Seen::Todo { changes, evidence })
    }

    async fn send(&self, changes: &[Change]) -> Result<Evidence, Trouble> {
        let plan = Plan::of(&self.call)?;
        let bucket = plan.bucket(&self.wire, &self.call).await?;
        let url = bucket.url(&plan.key);
        let planned = changes.first().and_then(|it| it.new.as_ref());
        let object = bucket.head(&plan.key).await?.filter(|it| Some(&it.etag) == planned);
        let changed = || Trouble::harmless(&E3807, &url, "it is not what was planned to be copied");
        bucket.copy(&object.ok_or_else(changed)?, &plan.restore_key).await?;
        let says = format!("copied to {}", plan.restore_key);
        Ok(self.wire.evidence(&url, says))
    }
}

#[cfg(test)]
mod tests {
    use super::{Time, is_stamped, newer, no_trailer};

    #[test]
    fn knows_the_family() {
        let is = |key| is_stamped(key, "gigadb_live_", ".backup");
        assert!(is("gigadb_live_20261120.backup") && is("gigadb_live_202611201530.backup"));
        assert!(!is("gigadb_live_2026112.backup") && !is("gigadb_live_latest12.backup"));
        assert!(!is("other_live_20261120.backup") && !is("gigadb_live_20261120.tmp"));
    }

    #[test]
    fn a_cut_dump_has_no_last_line() {
        let trailer = "-- PostgreSQL database dump complete";
        let whole = format!("x\n--\n{trailer}\n--\n\n");
        assert_eq!(no_trailer(trailer, whole.as_bytes()), None);
        assert!(no_trailer(trailer, &whole.as_bytes()[..20]).is_some());
    }

    #[test]
    fn whole_seconds_are_compared() {
        assert!(newer(Time(5_000_000), Time(5_900_000)));
        assert!(!newer(Time(4_000_000), Time(5_000_000)));
    }
}
