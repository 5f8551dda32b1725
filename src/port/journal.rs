//! The journal's door: lines go in, and are durable when it answers.

use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::machine::{Body, Entry, Life};
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

/// A line before it has its place in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Already not earlier than the last line's.
    pub at: Time,
    /// The wall clock, when it had gone back.
    pub wall: Option<Time>,
    /// The epoch after this line.
    pub epoch: u64,
    /// The run.
    pub run: Option<u32>,
    /// Who.
    pub by: Actor,
    /// What.
    pub body: Body,
}

/// The last line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Its number; 0 when there is none.
    pub seq: u64,
    /// The digest of its bytes; zeros when there is none.
    pub hash: Digest,
}

/// An append-only log with one writer.
pub trait Journal: Send + std::fmt::Debug {
    /// The last line.
    fn head(&self) -> Head;

    /// Appends one line; when it answers, the line is durable.
    ///
    /// # Errors
    /// The line could not be made durable. The process must end: nobody knows what is on the disk.
    fn append(&mut self, draft: Draft) -> Result<Line, Fault>;

    /// Keeps what the journal folds to, so that the next start need not read everything. Called after
    /// the line was acknowledged; not durable, never trusted alone.
    fn remember(&mut self, life: &Life);

    /// Keeps a text by its digest (a workflow), durable when it answers.
    ///
    /// # Errors
    /// It could not be written.
    fn keep(&mut self, text: &str) -> Result<Digest, Fault>;

    /// A kept text.
    ///
    /// # Errors
    /// It is not there or its digest is another.
    fn kept(&self, digest: &Digest) -> Result<String, Fault>;

    /// Starts a new segment with the next line; at the end of a run.
    fn roll(&mut self);
}
