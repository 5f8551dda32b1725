//! A failover made ready while all is well: all that the move needs, so that nothing is looked up in it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{Digest, SiteName, StepId, SystemName, Time, Verdict};

/// A record as its provider has it, whole enough to be changed without being read again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowKept {
    /// The provider's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// Its value.
    pub content: String,
    /// Seconds.
    pub ttl: u32,
    /// Whether it is proxied.
    pub proxied: bool,
    /// Its comment; a mark's says whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// When it was made, in the provider's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
}

/// A zone as it was when the plan was made: the records of the group and the marks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneKept {
    /// Its name.
    pub name: String,
    /// The provider's id.
    pub id: String,
    /// The highest mark in it; the next one fences the move.
    pub mark: Option<u64>,
    /// The records.
    pub rows: Vec<RowKept>,
}

/// One value that the move changes, both ways.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveKept {
    /// The record's key: provider, zone, id, name.
    pub key: String,
    /// What it is, and what it is again after the way back.
    pub old: Option<String>,
    /// What it will be.
    pub new: Option<String>,
}

/// One check of the failover as it passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckKept {
    /// The step.
    pub step: StepId,
    /// What it said.
    pub verdict: Verdict,
    /// When.
    pub at: Time,
    /// In one sentence.
    pub says: String,
}

/// A failover that is ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Armed {
    /// Whose.
    pub system: SystemName,
    /// The journal it belongs to.
    pub journal: String,
    /// The epoch it was made in.
    pub epoch: u64,
    /// The workflow's text, by its digest.
    pub workflow: Digest,
    /// The site that would be given up.
    pub lost: SiteName,
    /// The site that users would be moved to.
    pub to: SiteName,
    /// When it was made.
    pub at: Time,
    /// The addresses that each site owns, by record.
    pub addresses: BTreeMap<SiteName, BTreeMap<String, String>>,
    /// The zones, in the order of the file.
    pub zones: Vec<ZoneKept>,
    /// What would change.
    pub moves: Vec<MoveKept>,
    /// The checks, with when they last passed.
    pub checks: Vec<CheckKept>,
}
