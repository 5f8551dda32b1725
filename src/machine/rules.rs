//! What a workflow means for the machine: groups of steps by phase, what may be skipped, who must agree.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::machine::state::Steps;
use crate::model::{Kind, Phase, StepId};
use crate::workflow::step::Step;
use crate::workflow::{Gate, NotWho, Workflow};

/// How long a gate waits that does not say: 24 hours, as decided for all workflows.
const GATE_LASTS_SECONDS: i64 = 24 * 60 * 60;

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
    /// The same after a failover; absent where the workflow knows none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failover_soak_seconds: Option<i64>,
}

impl Rules {
    /// What this workflow means for the machine. Total: what lint refuses is taken as it stands.
    pub fn of(workflow: &Workflow) -> Self {
        let filled = Phase::ALL.into_iter().filter(|it| workflow.phase(*it).is_some());
        let gate = workflow.steps(Phase::Validate).iter().find_map(|it| it.gate.as_deref());
        Self {
            phases: filled.map(|phase| phase_rule(phase, workflow.steps(phase))).collect(),
            gate: gate.map(|name| gate_rule(workflow.gates.get(name))),
            soak_seconds: workflow.release.soak.planned.as_seconds(),
            failover_soak_seconds: workflow
                .failover
                .as_ref()
                .map(|it| it.soak.planned.as_seconds()),
        }
    }

    /// How long the soak of a run of this kind is planned to last, seconds.
    pub fn soak_of(&self, kind: Kind) -> i64 {
        let own = self.failover_soak_seconds.filter(|_| kind == Kind::Failover);
        own.unwrap_or(self.soak_seconds)
    }

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

/// Gates are no steps of the machine: bits count checks and actions only.
fn phase_rule(phase: Phase, steps: &[Step]) -> PhaseRule {
    let side_by_side = matches!(phase, Phase::Preflight | Phase::Assess | Phase::Fence);
    let may_skip = !matches!(
        phase,
        Phase::Embargo | Phase::SyncOff | Phase::Backup | Phase::Reset | Phase::Swap
    );
    let mut rule = PhaseRule { phase, steps: vec![], groups: vec![], skippable: 0 };
    let mut before: Option<&Step> = None;
    for (step, bit) in steps.iter().filter(|it| !it.is_gate()).zip((0..64).map(|it| 1_u64 << it)) {
        let named = before.is_some_and(|it| it.together.is_some() && it.together == step.together);
        match rule.groups.last_mut() {
            Some(group) if side_by_side || named => *group |= bit,
            Some(_) | None => rule.groups.push(bit),
        }
        // Never the switch, an embargo, jobs off, a backup, a load, whatever the file says.
        if step.skippable && may_skip {
            rule.skippable |= bit;
        }
        rule.steps.push(step.id.clone());
        before = Some(step);
    }
    rule
}

/// A gate that the file does not describe stays shut: it has no places that people could fill.
fn gate_rule(gate: Option<&Gate>) -> GateRule {
    GateRule {
        approvers: gate.map(|it| it.approvers.clone()).unwrap_or_default(),
        requester_may: gate.is_some_and(|it| it.not != Some(NotWho::Requester)),
        lasts_seconds: gate
            .and_then(|it| it.expires)
            .map_or(GATE_LASTS_SECONDS, crate::workflow::Lasting::as_seconds),
    }
}
