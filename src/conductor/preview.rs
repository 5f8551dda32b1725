//! Before anything moves: who says what of production, what would be lost, and what the open run allows.

use std::sync::Arc;

use crate::conductor::Conductor;
use crate::conductor::command::{FromArmed, Plan, PlannedStep, Preview, Reply};
use crate::conductor::drill::drilling;
use crate::conductor::failover::digest_of;
use crate::conductor::fence::given_up;
use crate::conductor::plan::{listed, refuses};
use crate::fault::{E2062, Exit, Fault};
use crate::machine::{
    Affected, At, Diagnosis, Life, Onward, Owed, Record, State, diagnose, onward_of,
};
use crate::model::{
    About, Change, Digest, Evidence, Kind, Phase, Says, SiteName, Time, Way, Witness,
};
use crate::port::{Asked, Seen, Testimony};
use crate::view::words::{lasting, quoted};
use crate::view::{Loses, WayBack};
use crate::workflow;
use crate::workflow::step::InFailover;

impl Conductor {
    /// What a failover would do and cost now; the plan with the digest that consent is bound to; what was read.
    pub(super) async fn preview(
        &self,
        acknowledged: Option<&str>,
    ) -> Result<(Preview, Plan, Vec<Evidence>), Fault> {
        let mut life = self.life();
        if drilling(&life.record).is_some() {
            // It gives way: the failover is a run of its own.
            (life.state, life.record.run) = (State::Steady, None);
        }
        let (lost, to) = self.sides(&life.record)?;
        let number = life.record.run.as_ref().map_or(life.record.runs + 1, |it| it.number);
        let record = given_up(life.record.clone(), lost.clone(), to.clone(), number);
        let asked =
            Asked { record: Arc::new(record.clone()), ..self.asked(lost.clone(), to.clone())? };
        let (seen, (changes, read)) =
            tokio::join!(self.world.witness(&asked), Box::pin(self.planned_move(&record)));
        let mut preview = self.previewed(&life, (lost, to), seen, acknowledged);
        let digest = digest_of(&preview, life.record.epoch, &changes);
        if let (None, Err(fault)) =
            (&preview.refused, self.not_twice(&life.record, Some(&preview.to)))
        {
            preview.refused = fault.hint;
        }
        preview.asked.extend(self.wants_reason(&life.record, &preview.to));
        preview.armed = self.what_is_armed(&life.record, &changes).await;
        preview.command = self.accepting(&life.record, &preview, digest, acknowledged);
        let evidence = preview.witnesses.iter().map(Evidence::from).chain(read).collect();
        let sentence = format!(
            "`failover` gives {} up and moves users to {}: {}; {}",
            preview.lost,
            preview.to,
            preview.diagnosis.name(),
            self.how_fast(&preview.armed)
        );
        let way_back = WayBack {
            possible: true,
            seconds: preview.expected_seconds,
            loses: Loses::Writes { since: None, rows: None },
            because: format!("users write on {} from then on", preview.to),
            until: None,
            says: format!("costs every write made on {} since", preview.to),
        };
        let steps = vec![moved(changes)];
        let plan = Plan {
            command: "failover".to_owned(),
            sentence,
            steps,
            way_back,
            preview: None,
            digest,
        };
        Ok((preview, plan, evidence))
    }

    /// The command that accepts exactly this, with the reason that was given already.
    pub(super) fn accepting(
        &self,
        record: &Record,
        preview: &Preview,
        plan: Digest,
        acknowledged: Option<&str>,
    ) -> String {
        let loss = preview.loss_seconds.map_or_else(|| "unknown".to_owned(), rounded);
        let wanted = preview.diagnosis.may_be_acknowledged()
            || !self.wants_reason(record, &preview.to).is_empty();
        let why = acknowledged.map(quoted).or_else(|| wanted.then(|| "REASON".to_owned()));
        let why = why.map(|it| format!(" --acknowledge {it}")).unwrap_or_default();
        let (system, to, plan) = (&self.system, &preview.to, plan.short());
        format!(
            "changeover -s {system} failover --confirm {to} --accept-data-loss {loss} --plan {plan}{why}"
        )
    }

    /// What was seen, and what it means for the two sites.
    fn previewed(
        &self,
        life: &Life,
        (lost, to): (SiteName, SiteName),
        seen: Testimony,
        acknowledged: Option<&str>,
    ) -> Preview {
        let now = self.clock.now();
        let diagnosis = diagnose(&seen.witnesses, now);
        let data_of = self.data_of(&life.record, &to);
        let loss_seconds = data_of.map(|it| now.seconds_since(it).max(0));
        let failover = self.workflow.failover.as_ref();
        let refused = if nowhere(diagnosis, &seen.witnesses) {
            // No run in the way leads to a site that serves: its table does not apply.
            diagnosis.actionable().err().map(str::to_owned)
        } else {
            let seen = (diagnosis, standby_lost(&seen.witnesses));
            Self::not_allowed(&life.record, life.state.at(), &to, seen, acknowledged)
        };
        Preview {
            says: diagnosis.made_by().to_owned(),
            refused,
            fence_first: diagnosis.fence_first(),
            diagnosis,
            witnesses: seen.witnesses,
            data_of,
            loss_seconds,
            writes: seen.writes,
            missing: failover.map(|it| it.missing.clone()).unwrap_or_default(),
            release: life.record.releases.get(&to).cloned(),
            expected_seconds: self.expected_seconds(),
            asked: asked_for(&seen.unmarked, loss_seconds, seen.writes),
            armed: FromArmed::default(),
            command: String::new(),
            lost,
            to,
        }
    }

    /// What a site's data is a copy of, at the oldest: what a run proved, or what a nightly load has put in its
    /// place since.
    fn data_of(&self, record: &Record, to: &SiteName) -> Option<Time> {
        let proven = record.loads.get(to).filter(|it| it.whole)?.of;
        // The jobs of an open run's standby are off since it began, or a little later.
        let off = |it: &Owed| matches!(it, Owed::Job { site, .. } if site == to);
        let began = record.run.as_ref().filter(|_| record.owed.iter().any(off));
        let until = began.map_or_else(|| self.clock.now(), |run| run.started);
        Some(workflow::data_of(&self.workflow, proven, until))
    }

    /// The plan of a failover with all its checks, as a dry run shows it.
    pub(super) async fn failover_plan(&self, acknowledged: Option<&str>) -> Result<Reply, Fault> {
        let life = self.life();
        let (lost, to) = self.sides(&life.record)?;
        let number = life.record.run.as_ref().map_or(life.record.runs + 1, |it| it.number);
        let record = given_up(life.record.clone(), lost, to, number);
        let workflow = self.run_workflow()?;
        // The witnesses and the checks of the standby are asked side by side: each has its own bound.
        let (previewed, mut steps) = tokio::join!(
            Box::pin(self.preview(acknowledged)),
            Box::pin(self.planned(&workflow, &record, place(Phase::Assess))),
        );
        let (preview, mut plan, _) = previewed?;
        let asked: Vec<_> = workflow
            .steps(Phase::Assess)
            .iter()
            .filter(|it| it.failover == Some(InFailover::Asked))
            .map(|it| it.id.clone())
            .collect();
        for step in steps.iter_mut().filter(|it| asked.contains(&it.id) && refuses(it)) {
            "asked".clone_into(&mut step.verdict);
        }
        let made = |phase| {
            let own = workflow.steps(phase).iter();
            let dropped = own.filter(|it| it.failover == Some(InFailover::Dropped));
            let dropped: Vec<_> = dropped.map(|it| it.id.clone()).collect();
            listed(&workflow, phase).into_iter().filter(move |it| !dropped.contains(&it.id))
        };
        steps.extend(made(Phase::Fence));
        steps.append(&mut plan.steps);
        steps.extend(made(Phase::Sanity));
        steps.extend(made(Phase::Lift));
        self.keep_shown(&plan, &preview)?;
        let refused = preview.refused.is_some() || steps.iter().any(refuses);
        let next = preview.refused.clone().unwrap_or_else(|| preview.command.clone());
        let sentence = plan.sentence.clone();
        Ok(Reply {
            exit: if refused { Exit::Refused } else { Exit::Done },
            sentence,
            next: format!("nothing was changed; {next}"),
            state: life.state,
            code: preview.refused.is_some().then(|| E2062.id.to_owned()),
            plan: Some(Plan { steps, preview: Some(Box::new(preview)), ..plan }),
        })
    }

    /// What the switch would change.
    async fn planned_move(&self, record: &Record) -> (Vec<Change>, Vec<Evidence>) {
        let Ok(workflow) = self.run_workflow() else { return (vec![], vec![]) };
        let steps = workflow.steps(Phase::Swap).iter().enumerate();
        for (position, step) in steps.filter(|(_, it)| it.kind() == "switch") {
            let position = u8::try_from(position).unwrap_or(u8::MAX);
            let at = place(Phase::Swap);
            let call = self.call_in(Arc::clone(&workflow), record.clone(), at, position, step);
            let Ok(call) = call else { continue };
            let (limit, action) = (workflow.limits.witness.0, self.world.action(call));
            let seen = self.observe_once(limit, &*action).await;
            return if let Seen::Todo { changes, evidence } = seen {
                (changes, evidence)
            } else {
                (vec![], seen.into_evidence())
            };
        }
        (vec![], vec![])
    }

    /// Why a failover is refused here and now, with the nearest way on.
    fn not_allowed(
        record: &Record,
        at: Option<At>,
        to: &SiteName,
        (diagnosis, standby_lost): (Diagnosis, bool),
        acknowledged: Option<&str>,
    ) -> Option<String> {
        let known = diagnosis.may_be_acknowledged() && acknowledged.is_some();
        let actionable = if known { Ok(()) } else { diagnosis.actionable() };
        let halved = record.loads.get(to).is_some_and(|it| !it.whole);
        let before = || {
            let copy = record.run.as_ref().map(|run| {
                let id = crate::conductor::call::run_facts(record, run).id;
                format!("; the copy taken before is changeover-{id}-standby")
            });
            copy.unwrap_or_default()
        };
        let Some(at) = at else {
            return match actionable {
                Err(way) => Some(way.to_owned()),
                Ok(()) if halved => Some(format!(
                    "{to} holds no whole copy: its data was being replaced; changeover rejoin"
                )),
                Ok(()) => None,
            };
        };
        let lost = affected(diagnosis, standby_lost, known);
        let cell = onward_of(at.phase, at.way, lost);
        let told = |cell: Onward| {
            let way = cell.command(at.way, at.phase);
            format!("in {}: {}, since {}: {way}", at.phase.name(), cell.words(), cell.why())
        };
        match cell {
            // Whatever the run was doing there, an unfinished load is never put in front of users.
            Onward::FailOver | Onward::FailOverIfWhole if halved => {
                Some(told(Onward::FailOverIfWhole) + &before())
            }
            Onward::FailOver | Onward::FailOverIfWhole => actionable.err().map(str::to_owned),
            Onward::GoOn | Onward::GoBack | Onward::Stay | Onward::Look | Onward::Close => {
                Some(match actionable {
                    Err(way) if diagnosis == Diagnosis::Healthy && !standby_lost => way.to_owned(),
                    Err(_) | Ok(()) => told(cell),
                })
            }
        }
    }

    /// How long earlier runs took from the switch to the last check of production's names.
    fn expected_seconds(&self) -> Option<i64> {
        let steps = [Phase::Swap, Phase::Sanity].into_iter();
        let known = steps.flat_map(|it| self.workflow.steps(it));
        let took: Vec<i64> = known.filter_map(|it| self.expected.get(&it.id).copied()).collect();
        (!took.is_empty()).then(|| took.iter().sum())
    }
}

/// A place on the path of a failover.
pub(super) const fn place(phase: Phase) -> At {
    At { kind: Kind::Failover, way: Way::Forth, phase, group: 0, tried: 1 }
}

/// No witness sees the standby serve.
fn standby_lost(witnesses: &[Witness]) -> bool {
    witnesses.iter().filter(|it| it.about == About::Standby).all(|it| it.says != Says::Up)
}

/// No witness sees either site serve.
fn nowhere(diagnosis: Diagnosis, witnesses: &[Witness]) -> bool {
    let sites = [About::Users, About::Production, About::Standby];
    let serves = |it: &Witness| sites.contains(&it.about) && it.says == Says::Up;
    diagnosis == Diagnosis::StandbyNotReady && !witnesses.iter().any(serves)
}

/// What is lost, by a diagnosis and by what is seen of the standby while production is well.
const fn affected(diagnosis: Diagnosis, standby_lost: bool, known: bool) -> Affected {
    match diagnosis {
        Diagnosis::Healthy if standby_lost => Affected::Standby,
        Diagnosis::ProductionDead
        | Diagnosis::UnreachableButServing
        | Diagnosis::PartitionSuspected => Affected::Production,
        Diagnosis::StandbyNotReady => Affected::Standby,
        Diagnosis::CannotTell if known => Affected::Production,
        Diagnosis::CutOff
        | Diagnosis::LeverUnreachable
        | Diagnosis::DnsNotOurs
        | Diagnosis::Healthy
        | Diagnosis::CannotTell => Affected::CannotTell,
    }
}

fn asked_for(unmarked: &[String], loss: Option<i64>, writes: Option<u64>) -> Vec<String> {
    let mut asked: Vec<String> =
        unmarked.iter().map(|zone| format!("{zone} carries no mark")).collect();
    if loss.is_none() {
        asked.push("how old the standby's data is: nothing proves it".to_owned());
    }
    if writes.is_none() {
        asked.push("how many writes are at stake: no counter could be read".to_owned());
    }
    asked
}

fn moved(changes: Vec<Change>) -> PlannedStep {
    let verdict = if changes.is_empty() { "later" } else { "todo" };
    PlannedStep {
        phase: Phase::Swap.name().to_owned(),
        id: "switch".into(),
        kind: "switch".to_owned(),
        verdict: verdict.to_owned(),
        changes,
        evidence: vec![],
    }
}

/// A figure to accept: the loss rounded up, so that it still holds when it has been typed.
fn rounded(seconds: i64) -> String {
    let minutes = seconds / 60 + 5;
    lasting(minutes * 60).replace(' ', "")
}
