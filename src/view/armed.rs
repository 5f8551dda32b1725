//! Whether a failover is armed, how old the plan is, and whether it holds.

use serde::Serialize;

use crate::machine::{Record, read_armed, stale};
use crate::model::{Digest, Time};
use crate::view::words::lasting;

/// The armed plan, as far as a reader can tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ArmedView {
    /// It is there and holds.
    pub armed: bool,
    /// The plan's digest.
    pub plan: Option<Digest>,
    /// When it was made.
    pub at: Option<Time>,
    /// How old it is, seconds.
    pub age_seconds: Option<i64>,
    /// In one sentence.
    pub says: String,
}

/// What the file of an armed plan says now. `workflow` is the digest of the workflow's file.
pub fn armed(
    file: Option<&str>,
    record: &Record,
    workflow: &Digest,
    now: Time,
    limit_seconds: i64,
) -> ArmedView {
    let none =
        |says: String| ArmedView { armed: false, plan: None, at: None, age_seconds: None, says };
    let Some(file) = file else {
        return none("not armed: changeover arm".to_owned());
    };
    let (plan, digest) = match read_armed(file) {
        Ok(it) => it,
        Err(why) => return none(format!("not armed: {why}; changeover arm")),
    };
    let age = now.seconds_since(plan.at);
    let why = stale((&plan, digest), record, workflow, now, limit_seconds);
    let says = why.as_ref().map_or_else(
        || {
            format!(
                "armed {} ago: {} → {}, plan {}",
                lasting(age),
                plan.lost,
                plan.to,
                digest.short()
            )
        },
        |why| format!("not armed any more: {why}; changeover arm"),
    );
    ArmedView {
        armed: why.is_none(),
        plan: Some(digest),
        at: Some(plan.at),
        age_seconds: Some(age),
        says,
    }
}
