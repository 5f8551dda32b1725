//! Each command: what it demands, and the input it becomes.

use std::sync::PoisonError;

use crate::conductor::Conductor;
use crate::conductor::command::{Command, Order, Reply};
use crate::conductor::drive::Goal;
use crate::conductor::guard::confirmed;
use crate::fault::{
    E2002, E2003, E2004, E2005, E2006, E2007, E2008, E2011, E2012, E2013, E2014, E2017, E2019,
    Exit, Fault,
};
use crate::machine::{Fact, Input, State, Told, Waiver};
use crate::model::{Actor, Identity, Kind, Phase, StepId, Way};
use crate::view::Look;

impl Conductor {
    /// Carries out one command and goes on until people are needed.
    ///
    /// # Errors
    /// It was refused (written to the journal), or the journal could not be written.
    pub async fn order(&self, order: &Order, who: &Actor) -> Result<Reply, Fault> {
        if order.dry_run {
            return Box::pin(self.plan(order)).await;
        }
        let before = self.life();
        let outcome = match Box::pin(self.accept_attended(order, who)).await {
            // A page is written beside whatever is open: nothing of that is gone on with.
            Ok(_) if order.command == Command::Runbook => Ok(()),
            Ok(goal) => {
                let driven = Box::pin(self.drive_and_fence(who, &goal, &order.command)).await;
                driven.and_then(|()| self.asked_to_fence(&before, order))
            }
            Err(fault) => Err(fault),
        };
        self.end_from()?;
        self.publish_after(&before).await;
        match outcome {
            Ok(()) => Ok(self.reply_to(&order.command)),
            Err(fault) => Err(self.refused(order, who, fault)?),
        }
    }

    /// A refusal by state, check, policy or gate is an entry; wrong usage is not.
    pub(super) fn refused(&self, order: &Order, who: &Actor, fault: Fault) -> Result<Fault, Fault> {
        match fault.exit() {
            Exit::Refused | Exit::NotAllowed | Exit::Conflict | Exit::Unknown => {
                self.book().refuse(who, order.command.name(), &fault)?;
            }
            Exit::Done
            | Exit::Failed
            | Exit::Usage
            | Exit::Waiting
            | Exit::Differences
            | Exit::Unverified => (),
        }
        Ok(fault)
    }

    /// Decides what the command means; the work that follows is the loop's.
    #[expect(clippy::too_many_lines, reason = "one arm a command")]
    pub(super) async fn accept_order(&self, order: &Order, by: &Actor) -> Result<Goal, Fault> {
        let reason = order.reason.clone().filter(|it| !it.trim().is_empty());
        if order.command.wants_reason() && reason.is_none() {
            return Err(Fault::new(&E2006, format!("`{}` wants a reason", order.command.name()))
                .hint("add --reason TEXT; it is kept in the journal"));
        }
        if let State::Asking { until, .. } = self.life().state
            && until <= self.clock.now()
        {
            // The gate has expired, whoever comes first.
            self.decide(by, Input::Due, Told::default())?;
        }
        match &order.command {
            Command::Init => self.init(by, reason).await?,
            Command::Start { version, auto, confirm, waive } => {
                self.begin_run(by, Kind::Release, Some(version), waive, reason).await?;
                return Ok(Goal { auto: *auto, confirm: confirm.clone() });
            }
            Command::Switchover { auto, confirm, waive } => {
                self.begin_run(by, Kind::Switchover, None, waive, reason).await?;
                return Ok(Goal { auto: *auto, confirm: confirm.clone() });
            }
            Command::Arm => Box::pin(self.arm(by, reason)).await?,
            Command::Failover(it) => Box::pin(self.failover(by, it, reason)).await?,
            Command::Rejoin { auto, waive } => {
                Box::pin(self.rejoin(by, waive, reason)).await?;
                return Ok(Goal { auto: *auto, confirm: None });
            }
            Command::Drill { waive, plan } => {
                Box::pin(self.drill(by, waive, plan.as_ref(), reason)).await?;
            }
            Command::Failback { auto, waive, .. } => {
                let acknowledged = order.command.acknowledged();
                Box::pin(self.failback(by, waive, acknowledged, reason)).await?;
                return Ok(Goal { auto: *auto, confirm: None });
            }
            Command::Next { auto, confirm, waive } => {
                let goal = Goal { auto: *auto, confirm: confirm.clone() };
                self.accept_next(by, &goal, waive, reason).await?;
                return Ok(goal);
            }
            Command::Approve { comment, packet } => self.approve(by, comment.clone(), *packet)?,
            Command::Reject => self.decide(by, Input::Reject, Self::told(reason))?,
            Command::Accept => Box::pin(self.accept(by, reason)).await?,
            Command::Abort => Box::pin(self.abort(by, reason)).await?,
            Command::Rollback { confirm, accept_data_loss } => {
                let going = self.rollback(by, confirm.as_ref(), *accept_data_loss, reason);
                Box::pin(going).await?;
            }
            Command::Retry => Box::pin(self.retry(by, reason)).await?,
            Command::Skip { step } => self.skip(by, step, reason)?,
            Command::Resolve { step, done } => self.resolve(by, step, *done, reason).await?,
            Command::Pause | Command::Resume if self.life().record.run.is_none() => {
                return Err(self.not_now(order.command.name()));
            }
            Command::Pause => self.paused(by, true, reason)?,
            Command::Resume => self.paused(by, false, reason)?,
            Command::Amend { text, file } => self.amend(by, text, file, reason)?,
            Command::Adopt => self.adopt(by, reason).await?,
            Command::Without { site } => Box::pin(self.go_without(by, site, reason)).await?,
            Command::Close => self.decide(by, Input::Close, Self::told(reason))?,
            Command::Extend { site, until, seconds } => {
                self.extend(by, site.as_ref(), *until, *seconds, reason)?;
            }
            Command::GiveUp { copy } => self.give_up(by, copy, reason)?,
            Command::DriftAdopt { confirm } => {
                Box::pin(self.adopt_world(by, confirm.as_ref(), reason)).await?;
            }
            Command::Runbook => {
                Box::pin(self.refresh_runbook(by)).await?;
            }
        }
        Ok(Goal::default())
    }

    fn paused(&self, by: &Actor, on: bool, reason: Option<String>) -> Result<(), Fault> {
        let text = if on { "paused: nothing new is started" } else { "goes on" };
        self.book().note(by, text, reason, vec![], vec![Fact::Paused { on }])
    }

    async fn accept_next(
        &self,
        by: &Actor,
        goal: &Goal,
        waive: &[StepId],
        reason: Option<String>,
    ) -> Result<(), Fault> {
        let life = self.life();
        if life.record.paused {
            let paused = Fault::new(&E2013, "the run is paused").hint("changeover run resume");
            self.demand(Err(paused))?;
        }
        if matches!(life.state, State::Steady | State::Halted { .. }) {
            return Err(match life.record.roles {
                None => self.uninitialised(),
                Some(_) => self.not_now("next"),
            });
        }
        if !waive.is_empty() {
            let facts = self.waivers(by, waive, reason.as_deref())?;
            let ids: Vec<&str> = waive.iter().map(StepId::as_str).collect();
            let why = reason.as_deref().unwrap_or_default();
            let text = format!("waived by {}: {}: {why}", by.name, ids.join(", "));
            self.book().note(by, text, reason, vec![], facts)?;
        }
        match life.state {
            // After a crash there is work to finish before anything new.
            State::Steady
            | State::Halted { .. }
            | State::Doing { .. }
            | State::Settling { .. }
            | State::Asking { .. } => Ok(()),
            State::Ready { .. } => self.next(by, goal).await,
        }
    }

    fn approve(
        &self,
        by: &Actor,
        comment: Option<String>,
        packet: Option<crate::model::Digest>,
    ) -> Result<(), Fault> {
        let (life, workflow) = (self.life(), self.run_workflow()?);
        let State::Asking { .. } = life.state else { return Err(self.not_now("approve")) };
        let Some(gate) = workflow.validate_gate() else { return Err(self.not_now("approve")) };
        let least = gate.identity.unwrap_or(Identity::Os);
        if by.identity < least {
            let says =
                format!("this gate wants an identity that is at least `{}`", identity_name(least));
            let only = format!("{} is only `{}`", by.name, identity_name(by.identity));
            self.demand(Err(Fault::new(&E2007, says).because(only)))?;
        }
        let groups: Vec<String> = workflow
            .people
            .iter()
            .filter(|(_, names)| names.contains(&by.name))
            .map(|(group, _)| group.clone())
            .collect();
        if !groups.iter().any(|it| gate.approvers.contains_key(it)) {
            let says = format!("{} is in no group that may approve here", by.name);
            let fault = Fault::new(&E2007, says).hint("the workflow's `people:` names the groups");
            self.demand(Err(fault))?;
        }
        let requester = life.record.run.as_ref().is_some_and(|run| run.requester == by.name);
        if requester && life.rules.gate.as_ref().is_some_and(|gate| !gate.requester_may) {
            let says = format!("{} started this run and may not approve it", by.name);
            self.demand(Err(Fault::new(&E2007, says)))?;
        }
        let packet = packet.or(life.record.packet).unwrap_or_default();
        if Some(packet) != life.record.packet {
            let now = life.record.packet.unwrap_or_default();
            let says = format!("packet {} is not what is asked for now", packet.short());
            return Err(Fault::new(&E2008, says)
                .hint(format!("look at packet {} first: changeover release show", now.short())));
        }
        self.decide(by, Input::Approve { packet, by: by.name.clone(), groups }, Self::told(comment))
    }

    async fn accept(&self, by: &Actor, reason: Option<String>) -> Result<(), Fault> {
        let life = self.life();
        let entered =
            life.record.run.as_ref().and_then(|run| run.entered.get(&Phase::Soak).copied());
        if let (State::Ready { .. }, Some(entered)) = (life.state, entered) {
            let kind = life.record.run.as_ref().map_or(Kind::Release, |run| run.kind);
            let planned = life.rules.soak_of(kind);
            let left = entered.plus_seconds(planned).seconds_since(self.clock.now());
            if left > 0 && reason.is_none() {
                let says = format!("the soak is planned to last {left} s longer");
                let wait = Fault::new(&E2006, says).hint("wait, or say why: --reason TEXT");
                self.demand(Err(wait))?;
            }
            self.demand(self.guard_roles(Phase::Lift, Way::Forth).await)?;
            self.demand(self.guard_jobs(Phase::Lift).await)?;
            self.demand(self.guard_embargo(Phase::Lift, Way::Forth).await)?;
            let (evidence, facts) = self.count_users().await?;
            return self.decide(by, Input::Accept, (reason, evidence, facts));
        }
        self.decide(by, Input::Accept, Self::told(reason))
    }

    async fn abort(&self, by: &Actor, reason: Option<String>) -> Result<(), Fault> {
        let back = self.life().state.at().is_some_and(|at| at.way == Way::Back);
        if self.book().try_input(by, &Input::Abort).is_ok() {
            // Going back is given up: users stay, and are looked after there.
            let (next, way) =
                if back { (Phase::Sanity, Way::Forth) } else { (Phase::Lift, Way::Abort) };
            self.demand(self.guard_roles(next, way).await)?;
        }
        self.decide(by, Input::Abort, Self::told(reason))
    }

    async fn rollback(
        &self,
        by: &Actor,
        confirm: Option<&crate::model::SiteName>,
        loss: bool,
        reason: Option<String>,
    ) -> Result<(), Fault> {
        let life = self.life();
        let input = Input::Rollback { loss_accepted: loss };
        let consented = Input::Rollback { loss_accepted: true };
        let Some(run) = &life.record.run else { return Err(self.not_now("rollback")) };
        if self.book().try_input(by, &consented).is_err() {
            return Err(self.not_now("rollback"));
        }
        if self.book().try_input(by, &input).is_err() {
            let (_, now) = self.count_rows(&life).await?;
            let cost = crate::view::way_back(&now, None, &self.measured).says;
            let says = format!("writes were allowed on the new production; going back {cost}");
            return Err(Fault::new(&E2005, says).hint("consent to it by name: --accept-data-loss"));
        }
        let half = life.record.half_given_up();
        if half && !loss {
            self.demand(Err(Self::lacks_consent(run)))?;
        }
        if run.kind != Kind::Drill {
            self.demand(confirmed(confirm, &run.production, "release rollback"))?;
        }
        self.demand(Box::pin(self.still_serves(run)).await)?;
        self.demand(self.guard_roles(Phase::Swap, Way::Back).await)?;
        if half || loss && life.record.production() == Some(&run.standby) {
            Box::pin(self.stop_writes(by, run, reason.as_ref())).await?;
        }
        let (told, _) = self.count_rows(&life).await?;
        self.decide(by, input, (reason, told.0, told.1))
    }

    /// `retry` looks again; where a crash left work behind there is nothing to decide. An embargo that
    /// somebody lifted by hand is laid again first.
    async fn retry(&self, by: &Actor, reason: Option<String>) -> Result<(), Fault> {
        let laid = self.lay_again(by, reason.as_ref()).await?;
        match self.life().state {
            State::Doing { .. } | State::Settling { .. } => Ok(()),
            State::Ready { .. } | State::Asking { .. } if laid => Ok(()),
            // Nothing else is to be done again than what is still to be fenced.
            State::Steady | State::Ready { .. } if !self.life().record.unfenced().is_empty() => {
                Ok(())
            }
            State::Steady | State::Ready { .. } | State::Asking { .. } | State::Halted { .. } => {
                self.demand(self.guard_walk())?;
                self.decide(by, Input::Retry, Self::told(reason))
            }
        }
    }

    fn skip(&self, by: &Actor, step: &StepId, reason: Option<String>) -> Result<(), Fault> {
        let position = self.position(step)?;
        let input = Input::Skip { steps: 1_u64.checked_shl(u32::from(position)).unwrap_or(0) };
        let halted = matches!(self.life().state, State::Halted { .. });
        if halted && self.book().try_input(by, &input).is_err() {
            let says = format!("`{step}` may not be skipped");
            return Err(Fault::new(&E2014, says)
                .because("only failed steps marked `skippable` in the workflow may be"));
        }
        // The entry names the check by its id.
        let check = self.run_workflow()?.all_steps().any(|it| it.id == *step && it.is_check());
        let waiver = Waiver { by: by.name.clone(), reason: reason.clone().unwrap_or_default() };
        let facts = check.then(|| Fact::Waived { check: step.clone(), waiver });
        self.decide(by, input, (reason, vec![], facts.into_iter().collect()))
    }

    /// The position of a step of the current phase.
    pub(super) fn position(&self, step: &StepId) -> Result<u8, Fault> {
        let life = self.life();
        let found = life.state.at().and_then(|at| life.rules.position(at.phase, step));
        found.ok_or_else(|| {
            Fault::new(&E2012, format!("the current phase has no step `{step}`"))
                .hint("changeover status")
        })
    }

    /// The answer when nothing more can be done without people.
    pub(super) fn reply(&self) -> Reply {
        let life = self.life();
        let failed_action = self.failed_action(&life);
        let half = *self.half.lock().unwrap_or_else(PoisonError::into_inner);
        let foreign = self.foreign.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let halted = matches!(life.state, State::Halted { .. });
        let foreign = foreign.filter(|_| halted);
        let (exit, code) = match life.state {
            State::Steady => (Exit::Done, None),
            // It was settled by reading as far as that goes; the rest a person must find out.
            State::Settling { .. } if !life.record.intents.is_empty() => {
                (Exit::Unknown, Some(&E2004))
            }
            State::Doing { .. } | State::Settling { .. } | State::Ready { .. }
                if life.record.paused =>
            {
                (Exit::Refused, Some(&E2013))
            }
            State::Ready { .. } | State::Doing { .. } | State::Settling { .. } => {
                (Exit::Done, None)
            }
            State::Asking { .. } => (Exit::Waiting, Some(&E2011)),
            State::Halted { unknown, .. } if unknown != 0 => (Exit::Unknown, Some(&E2004)),
            State::Halted { .. } if foreign.is_some() => (Exit::Conflict, Some(&E2019)),
            State::Halted { .. } if failed_action && half => (Exit::Failed, Some(&E2017)),
            State::Halted { .. } if failed_action => (Exit::Failed, Some(&E2003)),
            State::Halted { .. } => (Exit::Refused, Some(&E2002)),
        };
        let look = Look { workflow: Some(&self.workflow), ..Look::at_work(&life) };
        let (mut sentence, mut next) = (crate::view::sentence(&life), crate::view::next(&look));
        if let Some(journal) = foreign {
            next.push_str(
                "; if that other one is gone for good, first: changeover run adopt --reason TEXT",
            );
            sentence.push_str(&format!("; the records carry the mark of journal {journal}"));
        }
        Reply {
            exit,
            sentence: sentence + &self.why_halted(&life),
            next,
            state: life.state,
            code: code.map(|it: &crate::fault::Code| it.id.to_owned()),
            plan: None,
        }
    }

    /// Whether an action failed, or only checks did after an action of the phase had been worked on.
    fn failed_action(&self, life: &crate::machine::Life) -> bool {
        let State::Halted { at, failed, .. } = life.state else { return false };
        let Ok(steps) = self.machine_steps(at.phase) else { return false };
        let last = 63_u32.saturating_sub(failed.leading_zeros());
        failed != 0 && steps.iter().take(last as usize + 1).any(|step| !step.is_check())
    }
}

/// The name of an identity in sentences.
const fn identity_name(identity: Identity) -> &'static str {
    match identity {
        Identity::Claimed => "claimed",
        Identity::Os => "os",
        Identity::SocketPeer => "socket-peer",
        Identity::Oidc => "oidc",
    }
}
