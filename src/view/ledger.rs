//! The ledger: for each step of each plan, when it was last seen to do what it is for, in which run, and where.
//! A fold of the journal's lines; nothing else keeps it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::machine::{
    Body, Closed, Ended, Fact, FenceEnd, Input, Line, Rules, State, path, turned,
};
use crate::model::{Digest, Kind, Phase, Role, SiteName, StepId, Time, Verdict, Way};
use crate::workflow::Workflow;
use crate::workflow::step::Step;

/// How a step was proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// In a run on production's names.
    Real,
    /// On the drill's names.
    Drill,
}

impl How {
    /// Its name on screens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::Drill => "drill",
        }
    }
}

/// A step was seen to do what it is for: a check passed, an action's end was seen to be true. What was waived,
/// skipped, left out, or found out by a person instead, is no proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// When.
    pub at: Time,
    /// In which run.
    pub run: u32,
    /// What that run was for.
    pub kind: Kind,
    /// On whose names.
    pub how: How,
    /// The site it was done at; of a step that names none, the site that users, or the drill's names, were led to.
    pub site: SiteName,
    /// For an action: whether it had anything to do.
    pub acted: bool,
    /// The line that says so.
    pub line: u64,
    /// The text of the workflow it ran with.
    #[serde(skip)]
    workflow: Digest,
}

/// One step of one plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LedgerRow {
    /// The plan.
    pub plan: Kind,
    /// The phase.
    pub phase: Phase,
    /// The step.
    pub step: StepId,
    /// Its kind, for example `switch`.
    pub does: String,
    /// Its last proof, in whatever kind of run.
    pub last: Option<Proof>,
    /// It is written otherwise than when it was proven: that proof is of another step.
    pub changed: bool,
}

impl LedgerRow {
    /// When it was proven as it is written now.
    pub fn proven(&self) -> Option<Time> {
        self.last.as_ref().filter(|_| !self.changed).map(|it| it.at)
    }
}

/// The ledger of this workflow. `kept` gives the workflow of an earlier run by the digest of its text; where it
/// cannot, the steps are taken to be the same.
pub fn ledger(
    workflow: &Workflow,
    lines: &[Line],
    kept: &dyn Fn(&Digest) -> Option<Arc<Workflow>>,
) -> Vec<LedgerRow> {
    let mut texts: BTreeMap<Digest, Option<Arc<Workflow>>> = BTreeMap::new();
    let proofs = proofs(workflow, lines);
    let mut rows = vec![];
    for plan in [Kind::Release, Kind::Switchover, Kind::Failover, Kind::Rejoin, Kind::Drill] {
        let known = match plan {
            Kind::Release | Kind::Switchover => true,
            Kind::Failover => workflow.failover.is_some(),
            Kind::Rejoin => workflow.rejoin.is_some(),
            Kind::Drill => workflow.drill.is_some(),
        };
        if !known {
            continue;
        }
        let walked = workflow.clone().walked_as(plan);
        for &phase in path(plan, Way::Forth) {
            let steps = walked.steps(phase).iter().filter(|it| !it.is_gate());
            for step in steps.filter(|it| !walked.dropped(plan).contains(&it.id)) {
                let last = proofs.get(&step.id).cloned();
                let changed = last.as_ref().is_some_and(|proof| {
                    let then = texts.entry(proof.workflow).or_insert_with_key(|it| kept(it));
                    then.as_ref().is_some_and(|it| it.all_steps().all(|own| own != step))
                });
                let (step, does) = (step.id.clone(), step.kind().to_owned());
                rows.push(LedgerRow { plan, phase, step, does, last, changed });
            }
        }
    }
    rows
}

/// The last proof of each step.
fn proofs(workflow: &Workflow, lines: &[Line]) -> BTreeMap<StepId, Proof> {
    let mut walk = Walk { workflow, run: None, acted: vec![], proofs: BTreeMap::new() };
    for line in lines {
        match &line.body {
            Body::Decided { input, from, to, facts, evidence, .. } => {
                walk.begun(input, line);
                facts.iter().for_each(|fact| walk.learn(fact, *from, line));
                if let (Input::Step { step, ended: Ended::Done }, Some(at)) = (input, from.at()) {
                    let id = walk.id(at.phase, *step);
                    let left_out = evidence.iter().any(|it| it.data.get("not_made").is_some());
                    if let Some(id) = id.filter(|id| !left_out && stands(facts, id)) {
                        walk.prove((at.kind, at.way), at.phase, *step, &id, line);
                    }
                }
                walk.moved(*to);
            }
            Body::Intent(intent) => walk.acted.push((intent.phase, intent.step)),
            Body::Note { facts, .. } => {
                let state = State::Steady;
                facts.iter().for_each(|fact| walk.learn(fact, state, line));
            }
            Body::Refused { .. } => (),
        }
    }
    walk.proofs
}

/// Nobody waived it, and a check that was looked at passed.
fn stands(facts: &[Fact], id: &StepId) -> bool {
    !facts.iter().any(|fact| {
        matches!(fact, Fact::Waived { check, .. } if check == id)
            || matches!(fact, Fact::Looked { check, verdict } if check == id && *verdict != Verdict::Pass)
    })
}

/// What is known of the open run while lines are read.
struct Open {
    rules: Rules,
    kind: Kind,
    way: Way,
    workflow: Digest,
    production: SiteName,
    standby: SiteName,
    /// The drill's names lead the other way round.
    crossed: bool,
}

struct Walk<'a> {
    workflow: &'a Workflow,
    run: Option<Open>,
    acted: Vec<(Phase, u8)>,
    proofs: BTreeMap<StepId, Proof>,
}

impl Walk<'_> {
    fn begun(&mut self, input: &Input, _: &Line) {
        if let Input::Start(begin) = input {
            self.acted.clear();
            self.run = Some(Open {
                rules: begin.rules.clone(),
                kind: begin.kind,
                way: Way::Forth,
                workflow: begin.workflow,
                production: begin.production.clone(),
                standby: begin.standby.clone(),
                crossed: false,
            });
        } else if let (Input::Amend { rules, workflow }, Some(run)) = (input, &mut self.run) {
            run.rules = (**rules).clone();
            run.workflow = *workflow;
        }
    }

    fn moved(&mut self, to: State) {
        let (Some(at), Some(run)) = (to.at(), &mut self.run) else { return };
        if (run.kind, run.way) != (at.kind, at.way) {
            self.acted.clear();
            (run.kind, run.way) = (at.kind, at.way);
        }
    }

    fn id(&self, phase: Phase, step: u8) -> Option<StepId> {
        self.run.as_ref()?.rules.step(phase, step).cloned()
    }

    fn learn(&mut self, fact: &Fact, from: State, line: &Line) {
        if let Fact::Drilled { from } = fact {
            if let Some(run) = &mut self.run {
                run.crossed = *from == run.standby;
            }
        } else if let (Fact::Consented { consent }, Some(run)) = (fact, &mut self.run) {
            (run.production, run.standby) = (consent.lost.clone(), consent.to.clone());
        } else if let Fact::Settled(Closed { phase, step, ended: Ended::Done }) = fact {
            let way = from.at().map_or(Way::Forth, |at| at.way);
            let kind = self.run.as_ref().map_or(Kind::Release, |run| run.kind);
            if let Some(id) = self.id(*phase, *step) {
                self.prove((kind, way), *phase, *step, &id, line);
            }
        } else if let Fact::Fenced { part, how: FenceEnd::Done, .. } = fact {
            let position = self.run.as_ref().and_then(|run| run.rules.position(Phase::Fence, part));
            let step = position.unwrap_or(u8::MAX);
            self.prove((Kind::Failover, Way::Forth), Phase::Fence, step, part, line);
        }
    }

    fn prove(
        &mut self,
        (kind, way): (Kind, Way),
        phase: Phase,
        step: u8,
        id: &StepId,
        line: &Line,
    ) {
        let (Some(run), Some(number)) = (&self.run, line.run) else { return };
        let (mut here, mut there) = (&run.production, &run.standby);
        let of_names = kind == Kind::Drill && phase != Phase::Preflight && run.crossed;
        if of_names != turned(kind, way, phase) {
            std::mem::swap(&mut here, &mut there);
        }
        let site = match self.workflow.all_steps().find(|it| it.id == *id).and_then(on) {
            Some(Role::Production) => here,
            Some(Role::Standby | Role::Quarantined) => there,
            // Through the swap that is the site meant by `standby`, from then on the one meant by `production`.
            None if turned(kind, Way::Forth, phase) => here,
            None => there,
        };
        let how = if kind == Kind::Drill { How::Drill } else { How::Real };
        let (at, acted) = (line.at, self.acted.contains(&(phase, step)));
        let (site, workflow) = (site.clone(), run.workflow);
        let proof = Proof { at, run: number, kind, how, site, acted, line: line.seq, workflow };
        self.proofs.insert(id.clone(), proof);
    }
}

const fn on(step: &Step) -> Option<Role> {
    step.on
}
