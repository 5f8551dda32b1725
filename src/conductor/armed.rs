//! A failover carried out from an armed plan: nothing of the lost site, no provider and no witness is asked
//! before the lever; only the standby's own jobs are switched off or looked at, within a bound.
//!
//! Lines that are no intents become durable with the next intent: one sync stands before the batches.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::conductor::arm::ARMED;
use crate::conductor::command::{FromArmed, GivenUp, Plan, Preview};
use crate::conductor::fence::given_up;
use crate::conductor::{Conductor, StepEnd};
use crate::fault::{E2066, Fault};
use crate::machine::{
    At, ConsentArmed, Ended, Fact, Record, Stale, State, Waiver, read_armed, stale,
};
use crate::model::{Actor, Armed, Change, Digest, Kind, Phase, Time, Verdict, Way, ZoneKept};
use crate::port::{Call, Seen};
use crate::view::words::lasting;
use crate::workflow::step::{Params, Step};

/// How long the standby's own jobs hold the lever up at most; what is not known then is accepted by name.
const JOBS: Duration = Duration::from_secs(2);

/// How long is looked, after that, whether one of them runs.
const RUNS: Duration = Duration::from_secs(1);

/// The name of the plan that was last shown, beside the journal.
const SHOWN: &str = "shown.json";

/// What a failover under way is carried out from.
#[derive(Debug)]
pub(super) struct From {
    armed: Armed,
    digest: Digest,
    zones: Arc<Vec<ZoneKept>>,
    /// When the command was given.
    given: Time,
}

/// A plan as it was shown, for the command that confirms it.
#[derive(Debug, Serialize, Deserialize)]
struct Shown {
    /// Its digest.
    plan: Digest,
    /// The armed plan it is carried out from.
    armed: Digest,
    /// When.
    at: Time,
    /// What was shown.
    preview: Preview,
}

impl Conductor {
    /// The armed plan, if it holds now.
    pub(super) fn armed(&self, record: &Record) -> Result<(Armed, Digest), Stale> {
        if self.life().state != State::Steady {
            return Err("a run is in the way".to_owned());
        }
        let Some(text) = self.book().shelved(ARMED) else {
            return Err("not armed: `changeover arm` was never given".to_owned());
        };
        let (armed, digest) = read_armed(&text)?;
        let limit = self.workflow.limits.armed.as_seconds();
        match stale((&armed, digest), record, &self.file, self.clock.now(), limit) {
            None => Ok((armed, digest)),
            Some(why) => Err(why),
        }
    }

    /// Whether these changes, just read, are those of the armed plan; for the plan that is shown.
    pub(super) async fn what_is_armed(&self, record: &Record, changes: &[Change]) -> FromArmed {
        let not = |why: String| FromArmed { not: Some(why), ..FromArmed::default() };
        let (armed, digest) = match self.armed(record) {
            Ok(it) => it,
            Err(why) => return not(why),
        };
        let Ok(workflow) = self.run_workflow() else {
            return not("the workflow cannot be read".to_owned());
        };
        let number = record.runs + 1;
        let then = given_up(record.clone(), armed.lost.clone(), armed.to.clone(), number);
        let zones = Some(Arc::new(armed.zones.clone()));
        let Some(call) = self.switch_call(&workflow, &then, zones) else {
            return not("the workflow has no switch".to_owned());
        };
        match self.world.action(call).observe().await {
            Seen::Todo { changes: kept, .. } if kept == changes => {
                FromArmed { plan: Some(digest), at: Some(armed.at), not: None }
            }
            Seen::Todo { .. }
            | Seen::Done { .. }
            | Seen::Busy { .. }
            | Seen::Failed { .. }
            | Seen::Foreign { .. }
            | Seen::Unknown { .. } => {
                not("the records or marks are others than when it was armed".to_owned())
            }
        }
    }

    /// What a person is told of it.
    pub(super) fn how_fast(&self, from: &FromArmed) -> String {
        from.at.map_or_else(
            || {
                let why = from.not.as_deref().unwrap_or("not armed");
                format!("slower, everything is looked at first: {why}")
            },
            |at| format!("armed {} ago", lasting(self.clock.now().seconds_since(at))),
        )
    }

    /// Keeps a plan that was shown, so that its digest alone confirms it.
    pub(super) fn keep_shown(&self, plan: &Plan, preview: &Preview) -> Result<(), Fault> {
        let Some(armed) = preview.armed.plan.filter(|_| preview.refused.is_none()) else {
            return Ok(());
        };
        let (at, preview) = (self.clock.now(), preview.clone());
        let shown = Shown { plan: plan.digest, armed, at, preview };
        let Ok(text) = serde_json::to_string(&shown) else { return Ok(()) };
        let mut book = self.book();
        book.shelve(SHOWN, &text)?;
        book.ready()
    }

    /// The plan that is confirmed, if it was just shown and is carried out from an armed one that still holds.
    ///
    /// # Errors
    /// It must be, and is not.
    pub(super) fn confirmed_armed(
        &self,
        record: &Record,
        it: &GivenUp,
    ) -> Result<Option<(Preview, Digest)>, Fault> {
        let found = self.armed(record).and_then(|(armed, digest)| {
            let named = it.plan.as_deref().ok_or("no plan was confirmed with --plan")?;
            let text = self.book().shelved(SHOWN).ok_or("no plan was shown")?;
            let shown: Shown =
                serde_json::from_str(&text).map_err(|it| format!("the plan shown: {it}"))?;
            let age = self.clock.now().seconds_since(shown.at);
            let named = named.to_lowercase();
            if named.is_empty() || !shown.plan.to_string().starts_with(&named) {
                return Err("the plan that was last shown is another".to_owned());
            }
            if shown.armed != digest {
                return Err("it was armed again since the plan was shown".to_owned());
            }
            if !(0..=self.workflow.limits.shown.as_seconds()).contains(&age) {
                return Err(format!("the plan was shown {} ago", lasting(age)));
            }
            if shown.preview.diagnosis.may_be_acknowledged() && it.acknowledged().is_none() {
                return Err("what was seen wants a reason".to_owned());
            }
            Ok((shown, armed, digest))
        });
        match found {
            Ok((shown, armed, digest)) => {
                let mut preview = shown.preview;
                let now = self.clock.now();
                preview.loss_seconds = preview.data_of.map(|it| now.seconds_since(it).max(0));
                preview.command = self.accepting(record, &preview, shown.plan, it.acknowledged());
                self.start_from(armed, digest);
                Ok(Some((preview, shown.plan)))
            }
            Err(why) if it.armed => Err(Fault::new(&E2066, why)
                .because("--armed was given: nothing is read first")
                .hint("changeover failover --dry-run shows a plan; then the command it prints")),
            Err(_) => Ok(None),
        }
    }

    /// After the witnesses were asked: whether the rest comes from the armed plan.
    pub(super) fn start_asked(&self, record: &Record, preview: &Preview) {
        if let (Some(plan), Ok((armed, digest))) = (preview.armed.plan, self.armed(record))
            && plan == digest
        {
            self.start_from(armed, digest);
        }
    }

    /// The workflow's text, kept. `arm` did that durably; else it is done now.
    ///
    /// # Errors
    /// It could not be written.
    pub(super) fn kept_text(&self, armed: bool) -> Result<Digest, Fault> {
        let mut book = self.book();
        if armed && book.kept(&self.file).is_ok() {
            return Ok(self.file);
        }
        book.keep(&self.text)
    }

    fn start_from(&self, armed: Armed, digest: Digest) {
        let zones = Arc::new(armed.zones.clone());
        let from = From { armed, digest, zones, given: self.clock.now() };
        *self.from.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(from));
    }

    fn from(&self) -> Option<Arc<From>> {
        self.from.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the consent says of it, and what people are told; from then on only intents are synced.
    ///
    /// # Errors
    /// The journal could not be written.
    pub(super) fn begin_from(&self, preview: &Preview) -> Result<Option<ConsentArmed>, Fault> {
        let Some(from) = self.from() else {
            let why = preview.armed.not.clone().unwrap_or_default();
            self.say(&format!("slower, everything is looked at first: {why}"));
            return Ok(None);
        };
        self.book().soft(true)?;
        let age = from.given.seconds_since(from.armed.at);
        self.say(&format!("from the plan {} armed {} ago", from.digest.short(), lasting(age)));
        Ok(Some(ConsentArmed { plan: from.digest, at: from.armed.at, age }))
    }

    /// Whether what is worked on here comes from an armed plan. A second try looks at the world.
    fn armed_at(&self, at: At) -> Option<Arc<From>> {
        let here = at.kind == Kind::Failover && at.way == Way::Forth && at.tried == 1;
        self.from().filter(|_| here && matches!(at.phase, Phase::Assess | Phase::Swap))
    }

    /// The switch looks first at what was kept.
    pub(super) fn with_kept(&self, call: Call) -> Call {
        let from = self.armed_at(call.at).filter(|_| matches!(call.params, Params::Move(_)));
        Call { kept: from.map(|it| Arc::clone(&it.zones)), ..call }
    }

    /// A step of an armed failover: a check is as it was when armed, a job has its bound. `None` for what is
    /// worked on as ever.
    pub(super) async fn work_armed(
        &self,
        by: &Actor,
        at: At,
        position: u8,
        step: &Step,
    ) -> Result<Option<StepEnd>, Fault> {
        let Some(from) = self.armed_at(at) else { return Ok(None) };
        if step.is_check() {
            let after = step.kind() == "switch.confirm";
            return Ok((!after).then(|| self.as_armed(&from, step)));
        }
        if at.phase != Phase::Assess {
            return Ok(None);
        }
        let worked = self.bounded(JOBS, Box::pin(self.job_off(by, at, position, step))).await;
        let mut end = worked.unwrap_or_else(|| Ok(StepEnd::new(Ended::Unknown, vec![], vec![])))?;
        // One that is seen to run is known: it may be replacing the data that users would get.
        if end.ended == Ended::Unknown && !self.runs(at, position, step).await? {
            let name = &step.id;
            let reason = format!(
                "{name}: not known within {} s; accepted by name with the consent",
                JOBS.as_secs()
            );
            end.ended = Ended::Done;
            end.evidence.push(self.evidence(&reason));
            let waiver = Waiver { by: by.name.clone(), reason };
            end.facts.push(Fact::Waived { check: name.clone(), waiver });
        }
        Ok(Some(end))
    }

    /// Whether what is to be off is seen to run, within a bound of its own.
    async fn runs(&self, at: At, position: u8, step: &Step) -> Result<bool, Fault> {
        let Ok(call) = self.call(at, position, step)? else { return Ok(false) };
        let action = self.world.action(call);
        Ok(matches!(self.observe_once(RUNS, &*action).await, Seen::Busy { .. }))
    }

    /// Switches a job off. A host that says nothing leaves it unknown; one that says no has failed.
    async fn job_off(
        &self,
        by: &Actor,
        at: At,
        position: u8,
        step: &Step,
    ) -> Result<StepEnd, Fault> {
        let mut end = self.act(by, at, position, step).await?;
        if end.ended == Ended::Failed
            && let Ok(call) = self.call(at, position, step)?
        {
            let action = self.world.action(call);
            if let Seen::Unknown { evidence } = self.observe_once(JOBS, &*action).await {
                end = StepEnd::new(Ended::Unknown, evidence, vec![]);
            }
        }
        Ok(end)
    }

    fn as_armed(&self, from: &From, step: &Step) -> StepEnd {
        let age = |at: Time| lasting(from.given.seconds_since(at));
        let kept = from.armed.checks.iter().find(|it| it.step == step.id);
        let says = kept.map_or_else(
            || "not made: the plan that was shown, and the standby's jobs, stand for it".to_owned(),
            |it| format!("as when armed, {} ago: {}", age(it.at), it.says),
        );
        let facts = kept.map(|it| Fact::Looked { check: step.id.clone(), verdict: it.verdict });
        // What failed is not armed; a plan that says so all the same moves nobody.
        let passed = kept.is_none_or(|it| it.verdict == Verdict::Pass);
        let ended = if passed { Ended::Done } else { Ended::Failed };
        StepEnd::new(ended, vec![self.evidence(&says)], facts.into_iter().collect())
    }

    /// The batches have been answered: from here on all is as ever, and the lost site is fenced.
    ///
    /// # Errors
    /// The journal could not be written.
    pub(super) fn end_from(&self) -> Result<(), Fault> {
        let from = self.from.lock().unwrap_or_else(PoisonError::into_inner).take();
        if from.is_some() {
            self.book().soft(false)?;
            self.to_fence.notify_one();
        }
        Ok(())
    }

    /// The move comes first, even before the fence.
    pub(super) fn moves_first(&self) -> bool {
        self.from().is_some()
    }
}
