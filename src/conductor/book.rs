//! The journal and what it folds to, kept in step: decide on a copy, write, adopt.

use std::path::PathBuf;
use std::sync::Arc;

use crate::fault::Fault;
use crate::machine::{self, Body, Effect, Entry, Fact, Input, Intent, Life, Refused, Told};
use crate::model::{Actor, Digest, Evidence, Time};
use crate::port::{Clock, Draft, Journal};

/// One system's journal with what it folds to.
#[derive(Debug)]
pub struct Book {
    journal: Box<dyn Journal>,
    clock: Arc<dyn Clock>,
    life: Life,
    /// Lines that are no intents wait for the next intent to be durable.
    soft: bool,
}

impl Book {
    /// A book over an opened journal.
    pub fn new(journal: Box<dyn Journal>, life: Life, clock: Arc<dyn Clock>) -> Self {
        Self { journal, clock, life, soft: false }
    }

    /// What the journal folds to.
    pub const fn life(&self) -> &Life {
        &self.life
    }

    /// A kept text.
    pub fn kept(&self, digest: &Digest) -> Result<String, Fault> {
        self.journal.kept(digest)
    }

    /// Keeps a text.
    pub fn keep(&mut self, text: &str) -> Result<Digest, Fault> {
        self.journal.keep(text)
    }

    /// While on, only intents are made durable, each with all lines before it: one sync before an effect.
    /// Switching it off makes all durable.
    pub fn soft(&mut self, on: bool) -> Result<(), Fault> {
        let was = std::mem::replace(&mut self.soft, on);
        if was && !on {
            self.journal.flush()?;
            self.journal.remember(&self.life);
        }
        Ok(())
    }

    /// Puts a text beside the journal.
    pub fn shelve(&mut self, name: &str, text: &str) -> Result<(), Fault> {
        self.journal.shelve(name, text)
    }

    /// Lets the next command begin without looking at the store, while no line follows.
    pub fn ready(&mut self) -> Result<(), Fault> {
        self.journal.ready(&self.life)
    }

    /// What was put beside the journal.
    pub fn shelved(&self, name: &str) -> Option<String> {
        self.journal.shelved(name)
    }

    fn append(&mut self, draft: Draft) -> Result<(), Fault> {
        let intent = matches!(draft.body, Body::Intent(_));
        if self.soft && !intent {
            self.journal.append_soft(draft)
        } else {
            self.journal.append(draft)
        }
        .map(|_| ())
    }

    /// The store is told of what is durable only: an intent makes all lines before it so.
    fn remember(&mut self, intent: bool) {
        if intent || !self.soft {
            self.journal.remember(&self.life);
        }
    }

    /// Where an input would lead, without writing anything.
    pub fn try_input(&self, by: &Actor, input: &Input) -> Result<machine::Turned, Refused> {
        let (life, (at, _)) = (&self.life, self.time());
        machine::step(
            self.rules(input),
            &life.record,
            life.state,
            input.clone(),
            &by.name,
            at,
            Told::default(),
        )
    }

    /// Decides an input; written and adopted when it answers. The inner error is the machine's refusal.
    pub fn decide(
        &mut self,
        by: &Actor,
        input: Input,
        told: Told,
    ) -> Result<Result<Vec<Effect>, Refused>, Fault> {
        let (at, wall) = self.time();
        let ends = self.life.record.run.is_some();
        let turned = {
            let rules = self.rules(&input);
            machine::step(
                rules,
                &self.life.record,
                self.life.state,
                input.clone(),
                &by.name,
                at,
                told,
            )
        };
        let turned = match turned {
            Ok(turned) => turned,
            Err(refused) => return Ok(Err(refused)),
        };
        let rules = match input {
            Input::Start(begin) => Some(begin.rules),
            Input::Amend { rules, .. } => Some(*rules),
            Input::Next
            | Input::Approve { .. }
            | Input::Reject
            | Input::Accept
            | Input::Abort
            | Input::Rollback { .. }
            | Input::Failover { .. }
            | Input::Retry
            | Input::Skip { .. }
            | Input::Resolve { .. }
            | Input::Close
            | Input::Step { .. }
            | Input::Settled
            | Input::Voided
            | Input::Due => None,
        };
        // The line of a run's end still belongs to the run.
        let run = turned.record.run.as_ref().or(self.life.record.run.as_ref()).map(|it| it.number);
        let (epoch, body) = (turned.record.epoch, turned.entry.body);
        self.append(Draft { at, wall, epoch, run, by: by.clone(), body })?;
        self.life.record = turned.record;
        self.life.state = turned.state;
        if let Some(rules) = rules {
            self.life.rules = rules;
        }
        self.remember(false);
        if ends && self.life.record.run.is_none() {
            self.journal.roll();
        }
        Ok(Ok(turned.wanted))
    }

    /// Writes a page for people beside the journal; where, if there is such a place.
    pub fn page(&mut self, name: &str, text: &str) -> Result<Option<PathBuf>, Fault> {
        self.journal.page(name, text)
    }

    /// Writes that an effect is about to happen.
    pub fn intend(&mut self, by: &Actor, intent: Intent) -> Result<(), Fault> {
        self.write(by, Body::Intent(intent))
    }

    /// Writes what else became true.
    pub fn note(
        &mut self,
        by: &Actor,
        text: impl Into<String>,
        reason: Option<String>,
        evidence: Vec<Evidence>,
        facts: Vec<Fact>,
    ) -> Result<(), Fault> {
        self.write(by, Body::Note { text: text.into(), reason, evidence, facts })
    }

    /// Writes that a command was understood and refused.
    pub fn refuse(&mut self, by: &Actor, command: &str, fault: &Fault) -> Result<(), Fault> {
        let (command, code) = (command.to_owned(), fault.code.id.to_owned());
        self.write(by, Body::Refused { command, code, message: fault.message.clone() })
    }

    fn write(&mut self, by: &Actor, body: Body) -> Result<(), Fault> {
        let (at, wall) = self.time();
        let entry = Entry { at, body: body.clone() };
        let record = self.life.record.after(&entry, &by.name);
        let run = record.run.as_ref().map(|it| it.number);
        let intent = matches!(body, Body::Intent(_));
        self.append(Draft { at, wall, epoch: record.epoch, run, by: by.clone(), body })?;
        self.life.record = record;
        self.remember(intent);
        Ok(())
    }

    /// The rules an input is decided by: a run's first input brings its own.
    fn rules<'a>(&'a self, input: &'a Input) -> &'a machine::Rules {
        if let Input::Start(begin) = input { &begin.rules } else { &self.life.rules }
    }

    /// `max(wall clock, last line)`, and the wall clock if it had gone back.
    fn time(&self) -> (Time, Option<Time>) {
        let (wall, last) = (self.clock.now(), self.life.record.now);
        if wall < last { (last, Some(wall)) } else { (wall, None) }
    }
}
