//! Production's newest dump: what the nightly jobs made, before this run makes its own.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use crate::actuator::Wire;
use crate::actuator::aws::s3::{Bucket, Object};
use crate::actuator::site;
use crate::actuator::trouble::{Trouble, coded, finding, verdict};
use crate::fault::{E3801, E3805};
use crate::model::{Time, Verdict};
use crate::port::{Call, Check, Finding};
use crate::workflow::Backup;
use crate::workflow::step::params::AwsDaily;

/// How much of a dump's end is read to find its last line.
const TAIL_BYTES: u32 = 4096;
/// Where the stamp stands in a key's template.
const STAMP: &str = "{{ run.stamp }}";

pub(in crate::actuator) fn check(wire: Arc<Wire>, call: Call, with: AwsDaily) -> Box<dyn Check> {
    Box::new(Daily { wire, call, with })
}

#[derive(Debug)]
struct Daily {
    wire: Arc<Wire>,
    call: Call,
    with: AwsDaily,
}

#[async_trait]
impl Check for Daily {
    async fn look(&self) -> Finding {
        self.read().await.unwrap_or_else(|trouble| trouble.finding(&self.wire))
    }
}

impl Daily {
    async fn read(&self) -> Result<Finding, Trouble> {
        let missing = |says: String| Trouble::harmless(&E3801, "workflow", says);
        let backup = self.call.workflow.backup.as_ref();
        let backup = backup.ok_or_else(|| missing("no backup is declared".to_owned()))?;
        let (prefix, suffix) = backup
            .key
            .split_once(STAMP)
            .ok_or_else(|| missing(format!("`backup.key` lacks `{STAMP}`")))?;
        let prefix = site::for_call(&self.call, prefix).map_err(missing)?;
        let suffix = site::for_call(&self.call, suffix).map_err(missing)?;
        let bucket =
            Bucket::open(&self.wire, &self.call.workflow, backup, &self.call.production).await?;
        let mut family = bucket.family(&prefix).await?;
        family.retain(|it| is_stamped(&it.key, &prefix, &suffix));
        family.sort_by(|a, b| (a.modified, &a.key).cmp(&(b.modified, &b.key)));
        let Some(newest) = family.pop() else {
            let says = format!("there is no dump of {}", self.call.production);
            let url = bucket.url(&prefix);
            return Ok(finding(Verdict::Fail, vec![coded(&self.wire, &E3805, &url, says)]));
        };
        let url = bucket.url(&newest.key);
        let tail = bucket.tail(&newest, TAIL_BYTES).await?;
        let tail = String::from_utf8_lossy(&tail);
        let now = self.wire.clock.now();
        let wrong =
            wrong(backup, &newest, family.last(), &tail, (now, self.with.age_max.as_seconds()));
        let says = format!("{} bytes, written {}", newest.size, newest.modified.screen());
        let data = json!({ "key": newest.key, "etag": newest.etag, "size": newest.size });
        let mut evidence = vec![self.wire.evidence_with(&url, says, data)];
        let good = verdict(wrong.is_empty());
        evidence.extend(wrong.into_iter().map(|says| coded(&self.wire, &E3805, &url, says)));
        Ok(finding(good, evidence))
    }
}

/// What is wrong with the newest dump.
fn wrong(
    backup: &Backup,
    newest: &Object,
    before: Option<&Object>,
    tail: &str,
    (now, age_max): (Time, i64),
) -> Vec<String> {
    let mut wrong = vec![];
    let age = now.seconds_since(newest.modified);
    if age > age_max {
        wrong.push(format!("it is {} h old, more than {} h", age / 3600, age_max / 3600));
    }
    if !tail.lines().any(|line| line.trim_end() == backup.trailer) {
        wrong.push(format!("its end lacks the line `{}`: the dump is cut", backup.trailer));
    }
    if let Some(before) = before {
        #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52 bytes")]
        let small = (newest.size as f64) < backup.size_ratio_min * before.size as f64;
        if small {
            let least = backup.size_ratio_min;
            wrong.push(format!("it has less than {least} of the {} bytes before", before.size));
        }
    }
    wrong
}

/// Whether a key is of the family: a daily or a run's stamp in the middle.
fn is_stamped(key: &str, prefix: &str, suffix: &str) -> bool {
    key.strip_prefix(prefix).and_then(|it| it.strip_suffix(suffix)).is_some_and(|stamp| {
        matches!(stamp.len(), 8 | 12) && stamp.bytes().all(|it| it.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::{Backup, Object, Time, wrong};

    #[test]
    fn age_end_and_size_count() {
        let backup = Backup {
            bucket: "b".into(),
            region: "r".into(),
            key: "k".into(),
            restore_key: "k".into(),
            trailer: "-- end".into(),
            size_ratio_min: 0.8,
        };
        let dump = |size, hours: i64| Object {
            key: "k".into(),
            etag: "e".into(),
            size,
            modified: Time(0).plus_seconds(hours * 3600),
            copied_from: None,
        };
        let limit = (Time(0).plus_seconds(48 * 3600), 30 * 3600);
        let before = dump(100, 0);
        assert!(wrong(&backup, &dump(90, 24), Some(&before), "x\n-- end\n", limit).is_empty());
        let all = wrong(&backup, &dump(70, 2), Some(&before), "x\n", limit);
        assert_eq!(all.len(), 3, "{all:?}");
        assert!(wrong(&backup, &dump(1, 24), None, "-- end", limit).is_empty());
    }
}
