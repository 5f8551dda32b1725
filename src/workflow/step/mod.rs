//! Steps: one fixed struct, and the parameters of each kind in a file of its own.
//!
//! A step's `with` is kept as data and read a second time by kind, so that spans hold and unknown keys
//! are refused; templates in it are resolved when the phase is entered, then it is read again.

pub mod pages;
pub mod params;
mod proves;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{Role, StepId};
use crate::workflow::parts::Lasting;

pub use params::Params;

/// How a check counts when production is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InFailover {
    /// Must pass.
    Demanded,
    /// Made; an unknown is accepted together with the loss.
    Asked,
    /// Not made.
    Dropped,
}

/// What a check is expected to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    /// It passes.
    #[default]
    Pass,
    /// It fails: what it looks for is gone.
    Fail,
}

/// One entry of a phase. Exactly one of `check`, `action`, `gate` is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Unique in the file.
    pub id: StepId,
    /// Reads the world and changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// Makes one thing true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Waits for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<String>,
    /// The role whose site, credentials and hosts are used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Role>,
    /// Parameters of the kind.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub with: Value,
    /// Polls a check until it passes, at most this long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<Lasting>,
    /// Bounds one attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Lasting>,
    /// Attempts of an action; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<u8>,
    /// How it counts when production is lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failover: Option<InFailover>,
    /// What a check is expected to say.
    #[serde(default)]
    pub expect: Expect,
    /// A person may skip it when it failed.
    #[serde(default)]
    pub skippable: bool,
    /// Steps of the same name are worked on side by side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub together: Option<String>,
}

impl Step {
    /// The kind as written: `aws.rds`, `switch`, or the gate's name.
    pub fn kind(&self) -> &str {
        self.check.as_deref().or(self.action.as_deref()).or(self.gate.as_deref()).unwrap_or("")
    }

    /// Whether it reads only.
    pub fn is_check(&self) -> bool {
        self.check.is_some()
    }

    /// Whether it waits for people.
    pub fn is_gate(&self) -> bool {
        self.gate.is_some()
    }
}
