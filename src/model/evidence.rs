//! What was read from the world, what it proves, and what is to be changed.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::Time;

/// What a check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Seen to hold.
    Pass,
    /// Seen not to hold.
    Fail,
    /// Could not be seen; refuses like a failure, and is shown as what it is.
    Unknown,
}

/// What was read, from where, when, and what it shows. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Where it was read: a provider and an address, for example `cloudflare gigadb.org`.
    pub source: String,
    /// When it was read.
    pub at: Time,
    /// One sentence for people, without a full stop.
    pub says: String,
    /// What was read, for programs; small.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub data: Value,
}

/// What a step's end is told by: the first thing read that carries an error's code when it did not end well,
/// else what was read last.
pub fn telling(evidence: &[Evidence], well: bool) -> Option<&Evidence> {
    let coded = evidence.iter().find(|it| !well && it.data.get("code").is_some());
    coded.or_else(|| evidence.last())
}

/// The verb of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Something new comes to be.
    Create,
    /// A value is replaced.
    Change,
    /// Something goes away.
    Delete,
    /// A program or job is started.
    Run,
    /// People are told.
    Tell,
}

/// One change that an action is going to make, as plain data: what a dry run prints and the journal keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What kind of change.
    pub verb: Verb,
    /// What is changed, for example `cloudflare/gigadb.org/A`.
    pub key: String,
    /// The value before, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// The value after, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
    /// The sentence for people.
    pub sentence: String,
}

/// What repeating an action, or a late arrival of it, would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nature {
    /// Sets a value; twice is the same as once.
    Absolute,
    /// Has an id by which the first is found again.
    Once,
    /// Flips something; twice undoes it.
    Toggle,
    /// Destroys what was there before.
    Destructive,
}
