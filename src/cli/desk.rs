//! What the commands ask of the program below: the same questions whoever answers, so that tests can.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::app::{self, Drift, Glance, LintReport, Looked, Rehearsed, Settings, Verified, Wanted};
use crate::conductor::{Order, Reply, Watcher, WhyNot};
use crate::fault::Fault;
use crate::model::{SystemName, Time};
use crate::view::LedgerRow;

/// Answers the commands.
#[async_trait]
pub trait Desk: Send + Sync {
    /// The systems that have a workflow file.
    ///
    /// # Errors
    /// The folder cannot be read.
    fn systems(&self) -> Result<Vec<SystemName>, Fault>;

    /// The system meant.
    ///
    /// # Errors
    /// None or several could be meant.
    fn pick(&self, named: Option<&str>) -> Result<SystemName, Fault>;

    /// The workflow file of a system.
    fn file(&self, system: &SystemName) -> PathBuf;

    /// Looks at a system now; locks nothing.
    ///
    /// # Errors
    /// The journal is damaged.
    fn glance(&self, system: &SystemName) -> Result<Glance, Fault>;

    /// Looks at a system and asks the witnesses of an incident; changes nothing, writes nothing, locks nothing.
    ///
    /// # Errors
    /// The journal is damaged.
    async fn look(&self, system: &SystemName) -> Result<Looked, Fault>;

    /// Looks at a system and at the world beside it; locks nothing.
    ///
    /// # Errors
    /// The journal is damaged or the system has none.
    async fn drift(&self, system: &SystemName, deadline: Option<Duration>) -> Result<Drift, Fault>;

    /// When each step of each plan was last proven, and when that was looked up; locks nothing.
    ///
    /// # Errors
    /// The journal is damaged, or the workflow's file cannot be read.
    fn ledger(&self, system: &SystemName) -> Result<(Vec<LedgerRow>, Time), Fault>;

    /// Walks a plan in memory; calls nobody and writes nothing.
    ///
    /// # Errors
    /// The workflow does not have that plan, or the plan no such step.
    fn rehearse(&self, system: &SystemName, wanted: &Wanted) -> Result<Rehearsed, Fault>;

    /// Carries out one command.
    ///
    /// # Errors
    /// It was refused, or its end could not be written.
    async fn order(
        &self,
        system: &SystemName,
        order: Order,
        watcher: Arc<dyn Watcher>,
    ) -> Result<Reply, Fault>;

    /// Finds what stands in the way of a command; changes nothing, writes nothing, locks nothing.
    ///
    /// # Errors
    /// The journal is damaged, or there is no such command here.
    async fn why_not(&self, system: &SystemName, order: &Order) -> Result<WhyNot, Fault>;

    /// Everything the linter says of a file.
    ///
    /// # Errors
    /// It cannot be read.
    fn lint(&self, file: &Path) -> Result<LintReport, Fault>;

    /// Cuts torn bytes off the end of a journal, and writes a line about it. Says what it did.
    ///
    /// # Errors
    /// The lock is held, or the journal is damaged elsewhere.
    fn cut_tail(&self, system: &SystemName, reason: String) -> Result<String, Fault>;

    /// Appends what was written in another folder while this journal's disk was dead.
    ///
    /// # Errors
    /// The lock is held, or the two journals parted.
    fn join(&self, system: &SystemName, from: &Path, reason: String) -> Result<String, Fault>;

    /// Checks a journal whole.
    ///
    /// # Errors
    /// What is wrong with it.
    fn verify(&self, system: &SystemName) -> Result<Verified, Fault>;
}

/// The program itself.
#[derive(Debug)]
pub struct Program(pub Settings);

#[async_trait]
impl Desk for Program {
    fn systems(&self) -> Result<Vec<SystemName>, Fault> {
        app::systems(&self.0)
    }

    fn pick(&self, named: Option<&str>) -> Result<SystemName, Fault> {
        app::pick(&self.0, named)
    }

    fn file(&self, system: &SystemName) -> PathBuf {
        self.0.workflows.join(format!("{system}.yaml"))
    }

    fn glance(&self, system: &SystemName) -> Result<Glance, Fault> {
        app::glance(&self.0, system)
    }

    async fn look(&self, system: &SystemName) -> Result<Looked, Fault> {
        app::look(&self.0, system).await
    }

    async fn drift(&self, system: &SystemName, deadline: Option<Duration>) -> Result<Drift, Fault> {
        app::drift(&self.0, system, deadline).await
    }

    fn ledger(&self, system: &SystemName) -> Result<(Vec<LedgerRow>, Time), Fault> {
        app::ledger(&self.0, system)
    }

    fn rehearse(&self, system: &SystemName, wanted: &Wanted) -> Result<Rehearsed, Fault> {
        app::rehearse(&self.0, system, wanted)
    }

    async fn order(
        &self,
        system: &SystemName,
        order: Order,
        watcher: Arc<dyn Watcher>,
    ) -> Result<Reply, Fault> {
        app::order(&self.0, system, order, watcher).await
    }

    async fn why_not(&self, system: &SystemName, order: &Order) -> Result<WhyNot, Fault> {
        app::why_not(&self.0, system, order).await
    }

    fn lint(&self, file: &Path) -> Result<LintReport, Fault> {
        app::lint(file)
    }

    fn cut_tail(&self, system: &SystemName, reason: String) -> Result<String, Fault> {
        app::cut_tail(&self.0, system, reason)
    }

    fn join(&self, system: &SystemName, from: &Path, reason: String) -> Result<String, Fault> {
        app::join(&self.0, system, from, reason)
    }

    fn verify(&self, system: &SystemName) -> Result<Verified, Fault> {
        app::verify(&self.0, system)
    }
}
