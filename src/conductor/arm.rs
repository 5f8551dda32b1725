//! `arm`: while all is well everything a failover needs is read, looked at and kept on disk.

use std::sync::{Arc, PoisonError};

use futures_util::future::join_all;

use crate::conductor::Conductor;
use crate::conductor::command::{Plan, PlannedStep, Reply};
use crate::conductor::fence::given_up;
use crate::conductor::packet::verdict_name;
use crate::conductor::plan::refuses;
use crate::conductor::preview::place;
use crate::conductor::verdict::expected;
use crate::fault::{E2001, E2015, E2065, E2067, Exit, Fault};
use crate::machine::{Fact, Record, Seal, State, write_armed};
use crate::model::{
    Actor, Armed, Change, CheckKept, Digest, Evidence, MoveKept, Phase, Verdict, ZoneKept, telling,
};
use crate::port::{Call, Seen};
use crate::view::WayBack;
use crate::workflow::Workflow;
use crate::workflow::step::{InFailover, Step};

/// The name of the armed plan beside the journal.
pub const ARMED: &str = "armed.json";

/// What was read to arm a failover, and what stands in its way.
struct Readied {
    armed: Armed,
    steps: Vec<PlannedStep>,
    evidence: Vec<Evidence>,
    against: Vec<Against>,
}

/// One thing that stands in the way of arming.
struct Against {
    /// One sentence.
    says: String,
    /// Nobody could see whether it is so.
    unknown: bool,
    /// What was read for it.
    read: Vec<Evidence>,
}

impl Against {
    fn seen(read: Evidence, unknown: bool) -> Self {
        Self { says: read.says.clone(), unknown, read: vec![read] }
    }

    /// What keeps a step from being kept as one that holds.
    fn step(step: &PlannedStep, says: &str) -> Option<Self> {
        refuses(step).then(|| Self {
            says: format!("{}: {says}", step.id),
            unknown: step.verdict == "unknown",
            read: step.evidence.clone(),
        })
    }
}

/// All of them in one sentence.
fn told(against: &[Against]) -> String {
    against.iter().map(|it| it.says.as_str()).collect::<Vec<_>>().join("; ")
}

fn not_now(says: String) -> Fault {
    Fault::new(&E2065, says)
        .because("an armed failover is carried out without looking again")
        .hint("changeover arm --dry-run shows each; put it right, then changeover arm")
}

impl Conductor {
    /// Makes the plan and keeps it; its digest is a line of the journal.
    pub(super) async fn arm(&self, by: &Actor, reason: Option<String>) -> Result<(), Fault> {
        let readied = self.readied().await?;
        self.demand_none(&readied.against)?;
        let written = write_armed(&readied.armed).zip(self.workflow.as_read());
        let Some(((text, plan), workflow)) = written else {
            return Err(Fault::new(&E2015, "the plan cannot be written down"));
        };
        let seal = Fact::Armed(Seal { plan, workflow: Digest::of(workflow.as_bytes()) });
        let (lost, to) = (&readied.armed.lost, &readied.armed.to);
        let says = format!("a failover from {lost} to {to} is armed: plan {}", plan.short());
        self.book().keep(&self.text)?;
        self.book().shelve(ARMED, &text)?;
        self.book().note(by, says, reason, readied.evidence, vec![seal])?;
        // The page is made anew at each arm. Armed it is, whatever becomes of the page: that is told in the answer.
        if let Err(fault) = Box::pin(self.refresh_runbook(by)).await {
            *self.wrote.lock().unwrap_or_else(PoisonError::into_inner) = Some(Err(fault));
        }
        Ok(())
    }

    /// Refuses with all of them at once. Where it is only asked what stands in the way, each is noted with what
    /// was read for it.
    fn demand_none(&self, against: &[Against]) -> Result<(), Fault> {
        let Some(met) = &self.met else {
            return if against.is_empty() { Ok(()) } else { Err(not_now(told(against))) };
        };
        for it in against {
            met.against(not_now(it.says.clone()).unknown(it.unknown), it.read.clone());
        }
        Ok(())
    }

    /// The answer to `arm`. A page that was not written is a failure of its own: the one before does not lead
    /// where the plan does.
    pub(super) fn was_armed(&self, reply: Reply) -> Reply {
        let record = self.life().record;
        let (Some(seal), Ok((lost, to))) = (record.armed, self.sides(&record)) else {
            return reply;
        };
        let plan = seal.plan.short();
        let armed = format!("a failover from {lost} to {to} is armed: plan {plan}");
        let next = "when production is down: changeover failover --dry-run".to_owned();
        match self.wrote.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            Some(Err(fault)) => {
                let because = fault.cause.map(|it| format!(" ({it})")).unwrap_or_default();
                Reply {
                    exit: Exit::Failed,
                    code: Some(E2067.id.to_owned()),
                    sentence: format!("{armed}; but {}{because}", fault.message),
                    next: format!("write the page: changeover runbook; {next}"),
                    ..reply
                }
            }
            Some(Ok(page)) => Reply { sentence: format!("{armed}; {page}"), next, ..reply },
            None => Reply { sentence: armed, next, ..reply },
        }
    }

    /// What `arm` would keep.
    pub(super) async fn arm_plan(&self) -> Result<Reply, Fault> {
        let Readied { armed, steps, against, .. } = self.readied().await?;
        let digest = write_armed(&armed).map_or_else(Digest::default, |it| it.1);
        let sentence = format!(
            "`arm` would keep a failover from {} to {}: {} changes in {} zones, no effect outside",
            armed.lost,
            armed.to,
            armed.moves.len(),
            armed.zones.len()
        );
        let refused = !against.is_empty();
        let next = if refused { told(&against) } else { "changeover arm".to_owned() };
        let way_back = WayBack::none("nothing outside is changed".to_owned());
        Ok(Reply {
            exit: if refused { Exit::Refused } else { Exit::Done },
            sentence: sentence.clone(),
            next: format!("nothing was changed; {next}"),
            state: self.life().state,
            code: refused.then(|| E2065.id.to_owned()),
            plan: Some(Plan {
                command: "arm".to_owned(),
                sentence,
                steps,
                way_back,
                preview: None,
                digest,
            }),
        })
    }

    async fn readied(&self) -> Result<Readied, Fault> {
        let life = self.life();
        let (lost, to) = self.sides(&life.record)?;
        if life.state != State::Steady {
            let open = Fault::new(&E2001, "a failover is armed while no run is open")
                .hint("changeover status; a failover now goes the slower way, without a plan");
            self.demand(Err(open))?;
        }
        let record = given_up(life.record.clone(), lost.clone(), to.clone(), life.record.runs + 1);
        let workflow = self.run_workflow()?;
        let checks = join_all(made(&workflow).into_iter().map(|(phase, position, step)| {
            self.readied_step(&workflow, &record, phase, position, step)
        }));
        let limit = workflow.limits.call.0;
        let (zones, owned, steps) = tokio::join!(
            self.bounded(limit, self.world.kept(&workflow)),
            self.bounded(limit, self.world.addresses(&workflow, &to)),
            Box::pin(checks),
        );
        let each = steps.iter();
        let mut against: Vec<Against> =
            each.filter_map(|(step, kept)| Against::step(step, &kept.says)).collect();
        let known = life.record.addresses.get(&to);
        against.extend(match owned {
            Some(Ok(own)) if Some(&own) == known => None,
            Some(Ok(_)) => {
                let says = format!("{to} owns other addresses than the journal says");
                Some(Against::seen(self.evidence(&says), false))
            }
            Some(Err(it)) => Some(Against::seen(it, true)),
            None => {
                let says = format!("the addresses of {to} could not be read in time");
                Some(Against::seen(self.evidence(&says), true))
            }
        });
        let mut zones = zones.unwrap_or_else(|| Err(self.evidence("the zones did not answer")));
        let (changes, evidence) = match &mut zones {
            Ok(zones) => self.kept_move(&workflow, &record, zones, &mut against).await,
            Err(it) => {
                let says = format!("{}: {}", it.source, it.says);
                against.push(Against { says, ..Against::seen(it.clone(), true) });
                (vec![], vec![it.clone()])
            }
        };
        let (mut steps, checks): (Vec<_>, Vec<_>) = steps.into_iter().unzip();
        steps.push(switched(changes.clone()));
        let armed = Armed {
            system: self.system.clone(),
            journal: life.record.journal.clone(),
            epoch: life.record.epoch,
            workflow: self.file,
            lost,
            to,
            at: self.clock.now(),
            addresses: life.record.addresses.clone(),
            zones: zones.unwrap_or_default(),
            moves: changes.into_iter().map(both_ways).collect(),
            checks,
        };
        Ok(Readied { armed, steps, evidence, against })
    }

    /// What the switch makes of what was kept: every record is where it should be, and every zone is ours.
    async fn kept_move(
        &self,
        workflow: &Arc<Workflow>,
        record: &Record,
        zones: &[ZoneKept],
        against: &mut Vec<Against>,
    ) -> (Vec<Change>, Vec<Evidence>) {
        for zone in zones.iter().filter(|it| it.mark.is_none()) {
            let says = format!("{} carries no mark: nothing would fence the move", zone.name);
            against.push(Against::seen(self.evidence(&says), false));
        }
        let Some(call) = self.switch_call(workflow, record, Some(Arc::new(zones.to_vec()))) else {
            against.push(Against::seen(self.evidence("the workflow has no switch"), false));
            return (vec![], vec![]);
        };
        let seen = self.world.action(call).observe().await;
        let unknown = matches!(seen, Seen::Unknown { .. });
        match seen {
            Seen::Todo { changes, evidence } => (changes, evidence),
            Seen::Done { evidence, .. }
            | Seen::Busy { evidence }
            | Seen::Failed { evidence }
            | Seen::Foreign { evidence }
            | Seen::Unknown { evidence } => {
                against.extend(evidence.iter().map(|it| Against::seen(it.clone(), unknown)));
                (vec![], evidence)
            }
        }
    }

    /// The switch of a failover with this record, its first look at these zones.
    pub(super) fn switch_call(
        &self,
        workflow: &Arc<Workflow>,
        record: &Record,
        kept: Option<Arc<Vec<ZoneKept>>>,
    ) -> Option<Call> {
        let steps = workflow.steps(Phase::Swap);
        let position = steps.iter().position(|it| it.kind() == "switch")?;
        let (step, at) = (steps.get(position)?, place(Phase::Swap));
        let position = u8::try_from(position).ok()?;
        let call = self.call_in(Arc::clone(workflow), record.clone(), at, position, step).ok()?;
        Some(Call { kept, ..call })
    }

    async fn readied_step(
        &self,
        workflow: &Arc<Workflow>,
        record: &Record,
        phase: Phase,
        position: u8,
        step: &Step,
    ) -> (PlannedStep, CheckKept) {
        let call = self.call_in(Arc::clone(workflow), record.clone(), place(phase), position, step);
        let (verdict, name, changes, evidence) = match call {
            Err(missing) => (Verdict::Unknown, "unknown", vec![], vec![missing]),
            Ok(call) if step.is_check() => {
                let found = self.look_once(call).await;
                let verdict = expected(step.expect, found.verdict, &found.evidence);
                (verdict, verdict_name(verdict), vec![], found.evidence)
            }
            Ok(call) => {
                let limit = call.workflow.limits.call.0;
                let action = self.world.action(call);
                match self.observe_once(limit, &*action).await {
                    Seen::Done { evidence, .. } => (Verdict::Pass, "done", vec![], evidence),
                    // On, as it should be while all is well: a failover switches it off before the lever.
                    Seen::Todo { changes, evidence } => (Verdict::Pass, "todo", changes, evidence),
                    Seen::Busy { evidence } => (Verdict::Pass, "todo", vec![], evidence),
                    Seen::Failed { evidence } | Seen::Foreign { evidence } => {
                        (Verdict::Fail, "fail", vec![], evidence)
                    }
                    Seen::Unknown { evidence } => (Verdict::Unknown, "unknown", vec![], evidence),
                }
            }
        };
        let told = telling(&evidence, verdict == Verdict::Pass);
        let says = told.map(|it| it.says.clone()).unwrap_or_default();
        let kept = CheckKept { step: step.id.clone(), verdict, at: self.clock.now(), says };
        let planned = PlannedStep {
            phase: phase.name().to_owned(),
            id: step.id.clone(),
            kind: step.kind().to_owned(),
            verdict: name.to_owned(),
            changes,
            evidence,
        };
        (planned, kept)
    }
}

/// The steps that a failover demands before the lever and that can be made now: of the standby alone.
fn made(workflow: &Workflow) -> Vec<(Phase, u8, &Step)> {
    let assess = workflow.steps(Phase::Assess).iter().enumerate();
    let demanded = assess.filter(|(_, it)| it.failover == Some(InFailover::Demanded));
    let swap = workflow.steps(Phase::Swap).iter().enumerate();
    // While all is well sync jobs are on; a failover switches those of the standby off itself.
    let checks = swap.filter(|(_, it)| it.kind() == "tls");
    let placed = demanded
        .map(|it| (Phase::Assess, it))
        .chain(checks.map(|it| (Phase::Swap, it)))
        .filter_map(|(phase, (at, step))| Some((phase, u8::try_from(at).ok()?, step)));
    placed.collect()
}

fn both_ways(change: Change) -> MoveKept {
    MoveKept { key: change.key, old: change.old, new: change.new }
}

fn switched(changes: Vec<Change>) -> PlannedStep {
    PlannedStep {
        phase: Phase::Swap.name().to_owned(),
        id: "switch".into(),
        kind: "switch".to_owned(),
        verdict: if changes.is_empty() { "fail" } else { "todo" }.to_owned(),
        changes,
        evidence: vec![],
    }
}
