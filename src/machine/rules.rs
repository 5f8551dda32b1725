//! What a workflow means for the machine: groups of steps by phase, what may be skipped, who must agree.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::machine::state::Steps;
use crate::model::{Phase, StepId};

/// The steps of one phase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseRule {
    /// Which phase.
    pub phase: Phase,
    /// The ids of its steps; the position is the bit.
    pub steps: Vec<StepId>,
    /// Sets of steps worked on side by side, one set after the other.
    pub groups: Vec<Steps>,
    /// Steps that a person may skip.
    pub skippable: Steps,
}

/// Who must agree before the swap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateRule {
    /// How many of each group. One person counts once.
    pub approvers: BTreeMap<String, u8>,
    /// Whether the person who started the run may approve it.
    pub requester_may: bool,
    /// How long the gate waits, seconds.
    pub lasts_seconds: i64,
}

/// All that the machine needs of a workflow. Written into a run's first entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// The phases the workflow fills, in the program's order; a skipped phase has no steps.
    pub phases: Vec<PhaseRule>,
    /// The gate at the end of validate, if there is one.
    pub gate: Option<GateRule>,
    /// How long the soak is planned to last, seconds.
    pub soak_seconds: i64,
}

impl Rules {
    /// The rule of this phase, if the workflow fills it.
    pub fn phase(&self, phase: Phase) -> Option<&PhaseRule> {
        self.phases.iter().find(|it| it.phase == phase)
    }

    /// The id of this step.
    pub fn step(&self, phase: Phase, step: u8) -> Option<&StepId> {
        self.phase(phase)?.steps.get(usize::from(step))
    }

    /// The position of the step with this id.
    pub fn position(&self, phase: Phase, id: &StepId) -> Option<u8> {
        let position = self.phase(phase)?.steps.iter().position(|it| it == id)?;
        u8::try_from(position).ok()
    }
}
