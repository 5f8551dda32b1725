//! A plan of which parts were not seen to work for long is refused, where the workflow says so.

use crate::conductor::Conductor;
use crate::conductor::command::PlannedStep;
use crate::fault::{E2070, Fault};
use crate::machine::path;
use crate::model::{Evidence, Kind, Phase, StepId, Way};
use crate::view::words::lasting;

/// What is waived to go on without it.
pub(super) const PROVEN: &str = "proven";
/// So many steps are named in a sentence.
const NAMED: usize = 12;

impl Conductor {
    /// Refuses a planned move of users whose steps were not proven within `limits.proven`. A failover is never
    /// refused for that, nor what proves and mends: drills and rejoins.
    pub(super) fn guard_proven(&self, kind: Kind, waive: &[StepId]) -> Result<(), Fault> {
        let Some(says) = self.unproven(kind).filter(|_| !waive.iter().any(is_proven)) else {
            return Ok(());
        };
        Err(Fault::new(&E2070, says)
            .because("the workflow refuses a plan whose steps were not seen to work lately")
            .hint(
                "changeover drill proves the swap; or go on without: --waive proven --reason TEXT",
            ))
    }

    /// The same as a step of a plan.
    pub(super) fn planned_proven(&self, kind: Kind) -> Option<PlannedStep> {
        self.workflow.limits.proven?;
        let unproven = self.unproven(kind);
        let verdict = if unproven.is_some() { "fail" } else { "pass" };
        let says = unproven.unwrap_or_else(|| "every step was proven lately".to_owned());
        Some(PlannedStep {
            phase: Phase::Preflight.name().to_owned(),
            id: PROVEN.into(),
            kind: "ledger".to_owned(),
            verdict: verdict.to_owned(),
            changes: vec![],
            evidence: vec![Evidence { source: "journal".to_owned(), ..self.evidence(&says) }],
        })
    }

    /// What of this plan was not proven lately, in one sentence.
    fn unproven(&self, kind: Kind) -> Option<String> {
        let asked = match kind {
            Kind::Release | Kind::Switchover => self.workflow.limits.proven,
            Kind::Failover | Kind::Rejoin | Kind::Drill => None,
        };
        let (limit, now) = (asked?.as_seconds(), self.clock.now());
        let steps = path(kind, Way::Forth).iter().flat_map(|phase| self.workflow.steps(*phase));
        let mut late = vec![];
        for step in steps.filter(|it| !it.is_gate()) {
            match self.proven.get(&step.id).map(|at| now.seconds_since(*at)) {
                None => late.push(format!("{} never", step.id)),
                Some(ago) if ago > limit => late.push(format!("{} {} ago", step.id, lasting(ago))),
                Some(_) => (),
            }
        }
        if late.is_empty() {
            return None;
        }
        let more = late.len().saturating_sub(NAMED);
        let count = late.len();
        late.truncate(NAMED);
        let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
        let within = lasting(limit);
        Some(format!("{count} steps were not proven within {within}: {}{rest}", late.join(", ")))
    }
}

pub(super) fn is_proven(id: &StepId) -> bool {
    id.as_str() == PROVEN
}
