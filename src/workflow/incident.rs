//! What may stand in a workflow file about a production that is lost, and about drills of that.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::StepId;
use crate::workflow::parts::Lasting;
use crate::workflow::types::{PhaseSpec, Record, Soak};

/// Production is lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Failover {
    /// What is ready, what will be lost.
    pub assess: PhaseSpec,
    /// The lost site loses its power to act.
    pub fence: PhaseSpec,
    /// The way back.
    pub soak: Soak,
    /// Who else is asked whether production serves: commands that look from somewhere else.
    #[serde(default)]
    pub witnesses: Vec<Elsewhere>,
    /// Counts the writes at stake: prints one number.
    #[serde(default)]
    pub writes: Option<Vec<String>>,
    /// Queries that count what people write: their answers on the copy and, once the lost site is back, there
    /// tell what was really lost.
    #[serde(default)]
    pub counts: Vec<String>,
    /// What will be missing beside what was written since the standby's copy.
    #[serde(default)]
    pub missing: Vec<String>,
    /// From knowing to users being on the other site: what is aimed at.
    #[serde(default)]
    pub target: Option<Lasting>,
}

/// A command that looks from somewhere else. It is given JSON on standard input (`production`, `standby`:
/// name and address) and answers JSON: `{"says": "up" | "down" | "unknown", "text": "…"}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Elsewhere {
    /// Its name on screens.
    pub id: String,
    /// The program and its arguments; never a shell string.
    pub command: Vec<String>,
}

/// How a lost site becomes standby again: preflight and `sync_off` of `release`, then closing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rejoin {
    /// Checks of preflight and lift that are not made: what they look at is what is rebuilt.
    #[serde(default)]
    pub drops: Vec<StepId>,
}

/// The names a drill moves: preflight and `swap` of `release`, there and back, on these records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Drill {
    /// The records, as in the switch; none of its names.
    pub records: Vec<Record>,
    /// Checks of preflight and swap that are not made: what they look at is not touched by a drill.
    #[serde(default)]
    pub drops: Vec<StepId>,
    /// Looks at the drill names once they have been moved; checks only.
    pub sanity: PhaseSpec,
}
