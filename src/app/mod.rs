//! A stand-in until the wiring is here: the shapes the commands are written against.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::conductor::{Order, Reply, Watcher};
use crate::fault::{E2009, Fault};
use crate::machine::Life;
use crate::model::{Actor, Identity, SystemName, Time};
use crate::port::{Head, Line};
use crate::workflow::Workflow;

/// What was typed before the verb.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--state`.
    pub state: Option<PathBuf>,
    /// `--workflows`.
    pub workflows: Option<PathBuf>,
    /// `--system`.
    pub system: Option<String>,
    /// `--as`.
    pub as_name: Option<String>,
}

/// What was typed and what the environment says, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where journals lie.
    pub state: PathBuf,
    /// Where workflow files lie.
    pub workflows: PathBuf,
    /// The system, if one was named.
    pub system: Option<SystemName>,
    /// Who.
    pub actor: Actor,
    /// Read once at start.
    pub now: Time,
}

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    /// Something in it is wrong.
    pub fn read(flags: Flags) -> Result<Self, Fault> {
        let name = flags.as_name.unwrap_or_else(|| "nobody".to_owned());
        Ok(Self {
            state: flags.state.unwrap_or_else(|| "state".into()),
            workflows: flags.workflows.unwrap_or_else(|| "workflows".into()),
            system: flags.system.map(SystemName),
            actor: Actor { name, identity: Identity::Claimed },
            now: Time::default(),
        })
    }
}

/// A picture's raw material.
#[derive(Clone, Debug)]
pub struct Glance {
    /// Whose.
    pub system: SystemName,
    /// Its workflow, if readable.
    pub workflow: Option<Arc<Workflow>>,
    /// What its journal folds to.
    pub life: Life,
    /// The journal's lines.
    pub lines: Vec<Line>,
    /// `pid 123 on host since …`.
    pub holder: Option<String>,
    /// Outside addresses that differ.
    pub differs: Vec<String>,
    /// When this was read.
    pub now: Time,
}

/// One finding of `lint`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct LintFinding {
    /// The rule's id.
    pub rule: String,
    /// The error's code.
    pub code: String,
    /// `error` or `warning`.
    pub severity: &'static str,
    /// The file as it was named.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to write.
    pub help: String,
}

/// What `lint` found in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LintReport {
    /// The file's text.
    pub text: String,
    /// What is wrong with it.
    pub findings: Vec<LintFinding>,
    /// Whether it is a workflow at all.
    pub readable: bool,
}

/// A journal that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many lines.
    pub lines: u64,
    /// In how many segments.
    pub segments: u32,
    /// The last line.
    pub head: Head,
    /// When it was written.
    pub at: Time,
    /// How many kept texts.
    pub blobs: u64,
    /// Bytes after the last line.
    pub torn: u64,
    /// What the journal folds to.
    pub life: Life,
}

fn absent() -> Fault {
    Fault::new(&E2009, "the wiring is not part of this build")
}

/// The systems.
pub fn systems(_: &Settings) -> Result<Vec<SystemName>, Fault> {
    Err(absent())
}

/// Which system is meant.
pub fn pick(settings: &Settings, named: Option<&str>) -> Result<SystemName, Fault> {
    named.map(SystemName::from).or_else(|| settings.system.clone()).ok_or_else(absent)
}

/// Looks without a lock.
pub fn glance(_: &Settings, _: &SystemName) -> Result<Glance, Fault> {
    Err(absent())
}

/// Carries an order out.
pub async fn order(
    _: &Settings,
    _: &SystemName,
    _: Order,
    _: Arc<dyn Watcher>,
) -> Result<Reply, Fault> {
    Err(absent())
}

/// Checks a workflow file.
pub fn lint(_: &Path) -> Result<LintReport, Fault> {
    Err(absent())
}

/// Checks a journal.
pub fn verify(_: &Settings, _: &SystemName) -> Result<Verified, Fault> {
    Err(absent())
}

/// The JSON Schema of workflow files.
pub fn schema() -> serde_json::Value {
    serde_json::json!({})
}
