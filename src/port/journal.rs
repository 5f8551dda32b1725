//! The journal's door: lines go in, and are durable when it answers.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::machine::{Body, Life, Line};
use crate::model::{Actor, Digest, Time};

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

    /// Appends a line on which nothing outside is based yet: it is durable with the next line that is not
    /// soft, or with [`Self::flush`]. Until then a power cut may take it, and nothing had happened.
    ///
    /// # Errors
    /// As [`Self::append`].
    fn append_soft(&mut self, draft: Draft) -> Result<Line, Fault> {
        self.append(draft)
    }

    /// Makes soft lines durable.
    ///
    /// # Errors
    /// As [`Self::append`].
    fn flush(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    /// Puts a text beside the journal under this name, durable when it answers; it replaces the one before.
    ///
    /// # Errors
    /// It could not be written.
    fn shelve(&mut self, _name: &str, _text: &str) -> Result<(), Fault> {
        Ok(())
    }

    /// What was put there.
    fn shelved(&self, _name: &str) -> Option<String> {
        None
    }

    /// Keeps, durably, what the journal folds to and where it ends: the next start need not look further while it
    /// still ends there. For a failover whose plan was shown.
    ///
    /// # Errors
    /// It could not be written.
    fn ready(&mut self, _life: &Life) -> Result<(), Fault> {
        Ok(())
    }

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

    /// Writes a page for people beside the journal, whole and durable, and says where; it is not part of the
    /// journal and is written over by the next of its name. A journal without a folder has no such place.
    ///
    /// # Errors
    /// It could not be written.
    fn page(&mut self, _: &str, _: &str) -> Result<Option<PathBuf>, Fault> {
        Ok(None)
    }

    /// Starts a new segment with the next line; at the end of a run.
    fn roll(&mut self);
}
