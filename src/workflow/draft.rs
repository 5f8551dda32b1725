//! A workflow with its steps laid out flat: phase, place and parameters of each.

use crate::model::Phase;
use crate::workflow::lookup::section;
use crate::workflow::path::Path;
use crate::workflow::step::{Params, Step};
use crate::workflow::types::Workflow;

/// One step where it stands.
#[derive(Debug)]
pub(super) struct Placed<'a> {
    pub(super) phase: Phase,
    pub(super) path: Path,
    pub(super) step: &'a Step,
    /// None for gates, and for steps whose parameters cannot be read.
    pub(super) params: Option<Params>,
}

/// What rules look at.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) workflow: &'a Workflow,
    /// In the order of the phases, then of the file.
    pub(super) steps: Vec<Placed<'a>>,
}

impl<'a> Draft<'a> {
    /// Lays the steps out; `params` reads the parameters of one.
    pub(super) fn of(
        workflow: &'a Workflow,
        mut params: impl FnMut(&Path, &Step) -> Option<Params>,
    ) -> Self {
        let mut steps = vec![];
        for phase in Phase::ALL {
            for (position, step) in workflow.steps(phase).iter().enumerate() {
                let path = path_of(phase).index(position);
                let params = params(&path, step);
                steps.push(Placed { phase, path, step, params });
            }
        }
        for (position, step) in workflow.drill_steps().iter().enumerate() {
            let path = Path::of("drill.sanity").index(position);
            let params = params(&path, step);
            steps.push(Placed { phase: Phase::Sanity, path, step, params });
        }
        Self { workflow, steps }
    }

    /// Lays out the steps of a file that was read without a fault.
    pub(super) fn clean(workflow: &'a Workflow) -> Self {
        Self::of(workflow, |_, step| Params::read(step.kind(), &step.with)?.ok())
    }

    /// The steps of this phase, as every run but a drill walks it.
    pub(super) fn phase(&self, phase: Phase) -> impl Iterator<Item = &Placed<'a>> {
        self.steps.iter().filter(move |it| it.phase == phase && !it.drills())
    }
}

impl Placed<'_> {
    /// Only a drill does it.
    pub(super) fn drills(&self) -> bool {
        self.path.within(&Path::of("drill"))
    }
}

/// Where a phase stands.
pub(super) fn path_of(phase: Phase) -> Path {
    Path::of(section(phase)).key(phase.name())
}
