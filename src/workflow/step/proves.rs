//! What a command must have been seen to do, and since when.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A point in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NewerThan {
    /// The start of production's embargo.
    Embargo,
}

/// Outside evidence that a command did its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Proves {
    /// The backup object of the run's stamp is there, newer than the start.
    Backup(Written),
    /// Row counts of both sites are equal.
    Counts(Equal),
}

/// It is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Written {
    /// Present.
    Written,
}

/// It is equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Equal {
    /// Equal.
    Equal,
}
