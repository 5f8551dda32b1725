//! What a command would do, without doing it: the same looks and plans, nothing applied, nothing written.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::join_all;

use crate::conductor::Conductor;
use crate::conductor::command::{Command, Order, Plan, PlannedStep, Reply};
use crate::conductor::packet::verdict_name;
use crate::conductor::verdict::expected;
use crate::fault::{Exit, Fault};
use crate::machine::{At, Begin, Input, Record, Rules, State, following, path};
use crate::model::{Actor, Change, Digest, Evidence, Identity, Kind, Phase, StepId, Verdict, Way};
use crate::port::{Call, Seen};
use crate::view::words::{named, purpose_at};
use crate::view::{WayBack, way_back};
use crate::workflow::Workflow;
use crate::workflow::step::Step;

impl Conductor {
    /// The plan of a command.
    pub(super) async fn plan(&self, order: &Order) -> Result<Reply, Fault> {
        if let Command::Failover(it) = &order.command {
            // Boxed: with all witnesses in it a caller's stack is soon full.
            return Box::pin(self.failover_plan(it.acknowledged())).await;
        }
        if order.command == Command::Arm {
            return Box::pin(self.arm_plan()).await;
        }
        if let Command::DriftAdopt { confirm } = &order.command {
            return self.plan_adoption(confirm.as_ref()).await;
        }
        self.plan_walk(order).await
    }

    /// The plan of a command that walks on, or of one that changes the journal only.
    async fn plan_walk(&self, order: &Order) -> Result<Reply, Fault> {
        let life = self.life();
        let (workflow, record, at) = if let Some((kind, version)) = self.opens(&order.command)? {
            let (way, phase) = (Way::Forth, Phase::Preflight);
            let at = At { kind, way, phase, group: 0, tried: 1 };
            (self.walked(kind), self.started(kind, version)?, Some(at))
        } else {
            let at = leads_to(&order.command, &life.state, &life.record);
            (self.run_workflow()?, life.record.clone(), at)
        };
        let mut steps = vec![];
        if let Some(at) = at {
            steps = self.planned(&workflow, &record, at).await;
            if life.record.run.is_none() {
                steps.extend(self.planned_proven(at.kind));
            }
            let waived = waived(&order.command, &record, &workflow, at.kind);
            for step in steps.iter_mut().filter(|it| waived.contains(&it.id) && refuses(it)) {
                "waived".clone_into(&mut step.verdict);
            }
            for phase in later(at, &record) {
                // What a drill moves is seen now: nothing that it does before could change it.
                if at.kind == Kind::Drill && *phase == Phase::Swap {
                    let at = At { phase: *phase, ..at };
                    let swap = self.planned(&workflow, &record, at).await;
                    steps.extend(swap.into_iter().filter(|it| !waived.contains(&it.id)));
                } else {
                    steps.extend(listed(&workflow, *phase));
                }
            }
        }
        let name = order.command.name().to_owned();
        let sentence = says_of(&order.command, at);
        let way_back = match (at.map(|at| at.way), &life.record.run) {
            (Some(Way::Back), Some(run)) => {
                let says = "nothing to go back from: users are on";
                WayBack::none(format!("{says} {}", run.production))
            }
            (Some(Way::Forth | Way::Abort) | None, _) | (Some(Way::Back), None) => {
                let (_, now) = self.count_rows(&life).await?;
                way_back(&now, at.map(|at| at.phase), &self.measured)
            }
        };
        let digest = digest_of(&name, life.record.epoch, &steps);
        let sentence = sentence + &self.besides(&order.command, at).await?;
        let plan = Plan {
            command: name,
            sentence: sentence.clone(),
            steps,
            way_back,
            preview: None,
            digest,
        };
        let refused = plan.steps.iter().any(refuses);
        Ok(Reply {
            exit: if refused { Exit::Refused } else { Exit::Done },
            sentence,
            next: "nothing was changed; run it without --dry-run".to_owned(),
            state: life.state,
            code: None,
            plan: Some(plan),
        })
    }

    /// What is said of a command beside its phase.
    async fn besides(&self, command: &Command, at: Option<At>) -> Result<String, Fault> {
        let (record, mut says) = (self.life().record, String::new());
        let rebuilds = at.is_some_and(|at| at.kind == Kind::Rejoin && record.run.is_none());
        if let (true, Some((_, site))) = (rebuilds, record.unfenced().first()) {
            says.push_str(&format!("; before it {site} is fenced, or nothing is begun"));
        }
        if *command == Command::Accept && at.is_some() {
            let (evidence, _) = self.count_users().await?;
            evidence.iter().for_each(|it| says.push_str(&format!("; {}", it.says)));
        }
        Ok(says)
    }

    /// The kind of run that a command opens.
    fn opens<'a>(&self, command: &'a Command) -> Result<Option<(Kind, Option<&'a str>)>, Fault> {
        Ok(match command {
            Command::Start { version, .. } => Some((Kind::Release, Some(version.as_str()))),
            Command::Switchover { .. } => Some((Kind::Switchover, None)),
            Command::Rejoin { .. } => Some((Kind::Rejoin, None)),
            Command::Drill { .. } => {
                self.knows_drill()?;
                Some((Kind::Drill, None))
            }
            Command::Failback { .. } => Some((self.fails_back(command.acknowledged())?, None)),
            Command::Init
            | Command::Next { .. }
            | Command::Approve { .. }
            | Command::Reject
            | Command::Accept
            | Command::Rollback { .. }
            | Command::Abort
            | Command::Retry
            | Command::Skip { .. }
            | Command::Resolve { .. }
            | Command::Pause
            | Command::Resume
            | Command::Amend { .. }
            | Command::Adopt
            | Command::Close
            | Command::Without { .. }
            | Command::Extend { .. }
            | Command::GiveUp { .. }
            | Command::DriftAdopt { .. }
            | Command::Arm
            | Command::Runbook
            | Command::Failover(_) => None,
        })
    }

    /// The record as it would be when a run of this kind had just started.
    fn started(&self, kind: Kind, version: Option<&str>) -> Result<Record, Fault> {
        let record = self.life().record;
        let production = record.production().cloned().ok_or_else(|| self.uninitialised())?;
        let standby =
            self.workflow.other(&production).cloned().ok_or_else(|| self.uninitialised())?;
        let begin = Begin {
            kind,
            version: version.map(str::to_owned),
            production,
            standby,
            workflow: Digest::of(self.text.as_bytes()),
            rules: Rules::of(&self.walked(kind)),
            outside: self.differs.clone(),
            loss_accepted: false,
        };
        let nobody = Actor { name: String::new(), identity: Identity::Claimed };
        let turned = self.book().try_input(&nobody, &Input::Start(Box::new(begin)));
        turned.map(|it| it.record).map_err(|_| self.not_now("start"))
    }

    pub(super) async fn planned(
        &self,
        workflow: &Arc<Workflow>,
        record: &Record,
        at: At,
    ) -> Vec<PlannedStep> {
        let steps = workflow.steps(at.phase).iter().filter(|it| !it.is_gate());
        let steps = steps.enumerate().map(|(position, step)| {
            let position = u8::try_from(position).unwrap_or(u8::MAX);
            (step, self.call_in(Arc::clone(workflow), record.clone(), at, position, step))
        });
        if at.phase == Phase::Preflight {
            // Side by side and within the same time as in a run.
            let whole = workflow.limits.preflight.0;
            let looked = steps.map(|(step, call)| async move {
                let looked = self.bounded(whole, self.planned_step(step, call)).await;
                let looked = looked.unwrap_or_else(|| {
                    (verdict_name(Verdict::Unknown), vec![], self.overdue(whole).evidence)
                });
                planned_as(at, step, looked)
            });
            return join_all(looked).await;
        }
        let (mut planned, mut changed) = (vec![], false);
        for (step, call) in steps {
            let (verdict, changes, evidence) = self.planned_step(step, call).await;
            // After a change that is still to be made, what does not hold yet refuses nothing; nor does
            // what is waited for.
            let early = changed && matches!(verdict, "fail" | "unknown");
            let awaited = step.wait.is_some() && verdict == "fail";
            changed |= verdict == "todo";
            let evidence = if early { vec![] } else { evidence };
            let verdict = if early || awaited { "later" } else { verdict };
            planned.push(planned_as(at, step, (verdict, changes, evidence)));
        }
        planned
    }

    async fn planned_step(&self, step: &Step, call: Result<Call, Evidence>) -> Looked {
        match call {
            Err(evidence) => (verdict_name(Verdict::Unknown), vec![], vec![evidence]),
            Ok(call) if step.is_check() => {
                let found = self.look_once(call).await;
                let verdict = expected(step.expect, found.verdict, &found.evidence);
                (verdict_name(verdict), vec![], found.evidence)
            }
            Ok(call) => {
                let (timeout, action) = (call.timeout, self.world.action(call));
                seen(self.observe_once(timeout, &*action).await)
            }
        }
    }
}

/// A verdict in a word, what is to be changed, what was read.
type Looked = (&'static str, Vec<Change>, Vec<Evidence>);

fn planned_as(at: At, step: &Step, (verdict, changes, evidence): Looked) -> PlannedStep {
    PlannedStep { changes, evidence, ..shown(at.phase, step, verdict) }
}

pub(super) fn refuses(step: &PlannedStep) -> bool {
    matches!(step.verdict.as_str(), "fail" | "unknown")
}

/// The checks that people said to go on without, now or before, and those a rejoin or a drill does not make.
fn waived(command: &Command, record: &Record, workflow: &Workflow, kind: Kind) -> BTreeSet<StepId> {
    let drops = workflow.dropped(kind).iter().cloned();
    let before = record.run.iter().flat_map(|run| run.waived.keys().cloned());
    let now = if let Command::Start { waive, .. }
    | Command::Next { waive, .. }
    | Command::Switchover { waive, .. }
    | Command::Rejoin { waive, .. }
    | Command::Drill { waive, .. }
    | Command::Failback { waive, .. } = command
    {
        waive.as_slice()
    } else {
        &[]
    };
    before.chain(now.iter().cloned()).chain(drops).collect()
}

fn seen(seen: Seen) -> Looked {
    match seen {
        Seen::Done { evidence, .. } => ("done", vec![], evidence),
        Seen::Todo { changes, evidence } => ("todo", changes, evidence),
        Seen::Busy { evidence } => ("todo", vec![], evidence),
        Seen::Failed { evidence } | Seen::Foreign { evidence } => ("fail", vec![], evidence),
        Seen::Unknown { evidence } => ("unknown", vec![], evidence),
    }
}

fn shown(phase: Phase, step: &Step, verdict: &str) -> PlannedStep {
    PlannedStep {
        phase: phase.name().to_owned(),
        id: step.id.clone(),
        kind: step.kind().to_owned(),
        verdict: verdict.to_owned(),
        changes: vec![],
        evidence: vec![],
    }
}

pub(super) fn listed(workflow: &Workflow, phase: Phase) -> Vec<PlannedStep> {
    workflow.steps(phase).iter().map(|step| shown(phase, step, "later")).collect()
}

/// The phases that follow, for the list.
fn later(at: At, record: &Record) -> &'static [Phase] {
    let path = path(at.kind, at.way);
    let here = path.iter().position(|it| *it == at.phase);
    if following(at, record).is_none() { &[] } else { here.map_or(&[], |here| &path[here + 1..]) }
}

/// The place a command would lead to.
fn leads_to(command: &Command, state: &State, record: &Record) -> Option<At> {
    let at = state.at()?;
    let back = |way| {
        path(at.kind, way).first().map(|phase| At { way, phase: *phase, group: 0, tried: 1, ..at })
    };
    match command {
        Command::Next { .. } | Command::Accept => following(at, record),
        Command::Rollback { .. } => back(Way::Back),
        // Going back is given up: users stay where they are.
        Command::Abort if at.way == Way::Back => {
            Some(At { way: Way::Forth, phase: Phase::Sanity, group: 0, tried: 1, ..at })
        }
        Command::Abort => back(Way::Abort),
        Command::Retry | Command::Resume => Some(at),
        Command::Init
        | Command::Start { .. }
        | Command::Switchover { .. }
        | Command::Arm
        | Command::Failover(_)
        | Command::Rejoin { .. }
        | Command::Drill { .. }
        | Command::Failback { .. }
        | Command::Approve { .. }
        | Command::Reject
        | Command::Skip { .. }
        | Command::Resolve { .. }
        | Command::Pause
        | Command::Amend { .. }
        | Command::Adopt
        | Command::Close
        | Command::Without { .. }
        | Command::Extend { .. }
        | Command::GiveUp { .. }
        | Command::DriftAdopt { .. }
        | Command::Runbook => None,
    }
}

pub(super) fn digest_of(command: &str, epoch: u64, steps: &[PlannedStep]) -> Digest {
    let mut whole = format!("{command}\n{epoch}\n");
    for step in steps {
        whole.push_str(&format!("{} {} {}\n", step.phase, step.id, step.verdict));
        for change in &step.changes {
            let (old, new) =
                (change.old.as_deref().unwrap_or("-"), change.new.as_deref().unwrap_or("-"));
            whole.push_str(&format!("  {} {old} {new}\n", change.key));
        }
    }
    Digest::of(whole.as_bytes())
}

/// What the command would do, in one sentence.
fn says_of(command: &Command, at: Option<At>) -> String {
    let name = command.name();
    match at {
        Some(at) => format!("`{name}` would do {}: it {}", named(at.phase, at.way), purpose_at(at)),
        None if *command == Command::Init => {
            "`init` would read the world, write the first marks and the first line".to_owned()
        }
        None => format!("`{name}` changes the journal only"),
    }
}
