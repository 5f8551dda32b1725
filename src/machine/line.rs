//! A journal's line: what the machine folds, with its place, its person and its chain.

use serde::{Deserialize, Serialize};

use crate::machine::entry::{Body, Entry};
use crate::model::{Actor, Digest, SystemName, Time};

/// One line of the journal, version 1. The order of the keys is the order on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The version of this format; 1.
    pub v: u32,
    /// From 1, without gaps.
    pub seq: u64,
    /// `max(wall clock, previous at)`.
    pub at: Time,
    /// The wall clock, when it had gone back behind the previous line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall: Option<Time>,
    /// Whose journal.
    pub system: SystemName,
    /// Rises with every run and every take-over.
    pub epoch: u64,
    /// The run it belongs to, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<u32>,
    /// Who gave the command, or whose command this is part of.
    pub by: Actor,
    /// What.
    pub body: Body,
    /// SHA-256 of the previous line's bytes without its line break; 64 zeros first.
    pub prev: Digest,
}

impl Line {
    /// The part the machine folds.
    pub fn entry(&self) -> Entry {
        Entry { at: self.at, body: self.body.clone() }
    }
}
