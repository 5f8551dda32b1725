//! The journal in memory: the same contract, for tests and rehearsals.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::fault::{E4001, E4007, E4008, Fault};
use crate::journal::encode::{Tail, encode};
use crate::journal::scan::Read;
use crate::machine::Life;
use crate::model::{Digest, SystemName};
use crate::port::{Draft, Head, Journal, Line};

/// A journal that ends with the process. Clones are the same journal.
#[derive(Clone, Debug)]
pub struct MemoryJournal(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    system: SystemName,
    tail: Tail,
    lines: Vec<Read>,
    texts: BTreeMap<Digest, String>,
    remembered: Option<(Head, Life)>,
    segment: u32,
    rolling: bool,
    breaks_after: Option<u64>,
    poisoned: bool,
}

impl MemoryJournal {
    /// An empty journal of this system.
    pub fn new(system: SystemName) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            system,
            tail: Tail::default(),
            lines: vec![],
            texts: BTreeMap::new(),
            remembered: None,
            segment: 1,
            rolling: false,
            breaks_after: None,
            poisoned: false,
        })))
    }

    /// All lines, as [`crate::journal::read`] gives them.
    pub fn lines(&self) -> Vec<Read> {
        self.inner().lines.clone()
    }

    /// What was last remembered, and after which line.
    pub fn remembered(&self) -> Option<(Head, Life)> {
        self.inner().remembered.clone()
    }

    /// The disk breaks after this line: later ones fail, as on a full disk.
    pub fn break_after(&self, seq: u64) {
        self.inner().breaks_after = Some(seq);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for MemoryJournal {
    fn head(&self) -> Head {
        self.inner().tail.head
    }

    fn append(&mut self, draft: Draft) -> Result<Line, Fault> {
        let mut inner = self.inner();
        let (line, _, head) = encode(&inner.system, inner.tail, draft)?;
        if inner.poisoned {
            return Err(Fault::new(&E4007, "an earlier line could not be made durable"));
        }
        if inner.breaks_after.is_some_and(|last| head.seq > last) {
            inner.poisoned = true;
            return Err(Fault::new(&E4001, "cannot append to the journal in memory"));
        }
        if inner.rolling && inner.tail.head.seq > 0 {
            inner.segment += 1;
        }
        inner.rolling = false;
        let segment = inner.segment;
        let before =
            inner.lines.last().filter(|it| it.segment == segment).map_or(0, |it| it.number);
        inner.tail = Tail { head, at: line.at };
        inner.lines.push(Read { line: line.clone(), hash: head.hash, segment, number: before + 1 });
        Ok(line)
    }

    fn remember(&mut self, life: &Life) {
        let mut inner = self.inner();
        inner.remembered = Some((inner.tail.head, life.clone()));
    }

    fn keep(&mut self, text: &str) -> Result<Digest, Fault> {
        let digest = Digest::of(text.as_bytes());
        self.inner().texts.insert(digest, text.to_owned());
        Ok(digest)
    }

    fn kept(&self, digest: &Digest) -> Result<String, Fault> {
        let text = self.inner().texts.get(digest).cloned();
        text.ok_or_else(|| Fault::new(&E4008, format!("there is no kept text {}", digest.short())))
    }

    fn roll(&mut self) {
        self.inner().rolling = true;
    }
}
