//! What must hold before a phase is entered, beyond what its own steps look at.

use crate::conductor::Conductor;
use crate::conductor::drive::{Goal, foreign_mark};
use crate::conductor::roles::roles_at;
use crate::conductor::without::LEFT;
use crate::fault::{E2002, E2005, E2008, E2019, Fault};
use crate::machine::{At, Input, Life, State, Told, approved, following};
use crate::model::{Actor, Kind, OpId, Phase, Verdict, Way};
use crate::port::{Call, Finding};
use crate::view::Look;
use crate::workflow::step::Params;
use crate::workflow::step::params::JobsOff;

impl Conductor {
    /// The guards of the phase that comes next.
    pub(super) async fn guard_next(&self, by: &Actor, goal: &Goal) -> Result<(), Fault> {
        let life = self.life();
        let State::Ready { at } = life.state else { return Ok(()) };
        if at.kind == Kind::Drill {
            // Its names are no users' names: nobody is asked, and no data need be alike.
            return Ok(());
        }
        let is_approved = approved(&life.rules, &life.record);
        if at.phase == Phase::Validate && at.way == Way::Forth && !is_approved {
            return self.ask(by, at).await;
        }
        if at.phase == Phase::Assess {
            self.demand(self.guard_loss())?;
            self.demand(self.guard_consent(by).await)?;
        }
        match following(at, &life.record).map(|it| it.phase) {
            Some(Phase::Swap) if at.way == Way::Forth => {
                if at.kind != Kind::Failover {
                    // There a missing mark is asked for only, and the witnesses have read the records.
                    self.demand(self.guard_roles(Phase::Swap, at.way).await)?;
                }
                self.demand(self.guard_jobs(Phase::Swap).await)?;
                self.demand(Box::pin(self.guard_embargo(Phase::Swap, at.way)).await)?;
                self.demand(self.guard_confirm(goal, at))?;
                self.demand(Box::pin(self.guard_packet(by, at)).await)?;
                self.demand(Box::pin(self.guard_counts(at)).await)
            }
            Some(next) => {
                self.demand(self.guard_roles(next, at.way).await)?;
                self.demand(self.guard_jobs(next).await)?;
                self.demand(Box::pin(self.guard_embargo(next, at.way)).await)
            }
            None => Ok(()),
        }
    }

    /// The swap moves users only to the site whose name was typed.
    fn guard_confirm(&self, goal: &Goal, at: At) -> Result<(), Fault> {
        let record = self.life().record;
        if record.failing_over().is_some() {
            // The name was typed before the failover began; the consent is in the journal.
            return Ok(());
        }
        let Some(run) = record.run else { return Ok(()) };
        let (_, to) = crate::conductor::meant(&run, At { phase: Phase::Swap, ..at });
        confirmed(goal.confirm.as_ref(), &to, "release next")
    }

    /// What was approved must still be what would be done: checks are made again, the switch planned again.
    async fn guard_packet(&self, by: &Actor, at: At) -> Result<(), Fault> {
        let Some(approved) = self.life().record.packet else { return Ok(()) };
        self.say("making the checks of the approval again");
        let now = self.packet(at).await?;
        if now.digest == approved {
            return Ok(());
        }
        let foreign = foreign_mark(&now.evidence);
        let before = self.life().record.packet_parts;
        let differs: Vec<String> = now
            .parts
            .iter()
            .filter(|(name, value)| before.get(*name) != Some(value))
            .map(|(name, value)| {
                format!("{name}: {} → {value}", before.get(name).map_or("(nothing)", |it| it))
            })
            .collect();
        let says = format!("approved was something else: {}", differs.join("; "));
        self.decide(by, Input::Voided, (Some(says.clone()), now.evidence, vec![]))?;
        if let Some(journal) = foreign {
            return Err(owned_by(&format!(
                "{says}; the records carry the mark of journal {journal}"
            )));
        }
        Err(Fault::new(&E2008, says)
            .because("the approvals are void and the checks of validate are made again")
            .hint("changeover release next"))
    }

    /// From the end of `sync_off` to the start of `sync_on` no job that writes into a site may have an
    /// entry or a running instance; looked at again before each phase.
    pub(super) async fn guard_jobs(&self, next: Phase) -> Result<(), Fault> {
        let record = self.life().record;
        let Some(run) = &record.run else { return Ok(()) };
        // From the end of `sync_off`: what is given up before that never had all jobs off.
        let switched_off = match run.kind {
            Kind::Rejoin => run.entered.contains_key(&Phase::SyncOff),
            Kind::Release | Kind::Switchover | Kind::Drill => {
                next == Phase::Backup || run.entered.contains_key(&Phase::Backup)
            }
            Kind::Failover => false,
        };
        let before = matches!(
            next,
            Phase::Backup
                | Phase::Reset
                | Phase::Validate
                | Phase::Swap
                | Phase::Sanity
                | Phase::Lift
                | Phase::Renew
        );
        if !switched_off || !before {
            return Ok(());
        }
        let Some(call) = self.extra_call(next, Params::JobsOff(JobsOff { jobs: vec![] }))? else {
            return Ok(());
        };
        let found = self.look_once(call).await;
        let refused = || refused_by("no sync job may be on here", &found, next);
        match found.verdict {
            Verdict::Pass => Ok(()),
            Verdict::Unknown if record.production() == Some(&run.standby) => {
                Err(refused().hint(LEFT))
            }
            Verdict::Fail | Verdict::Unknown => Err(refused()),
        }
    }

    /// A call that no step of the workflow makes.
    pub(super) fn extra_call(&self, phase: Phase, params: Params) -> Result<Option<Call>, Fault> {
        let life = self.life();
        let Some(at) = life.state.at().map(|at| At { phase, ..at }) else { return Ok(None) };
        self.extra_call_in(&life, at, params)
    }

    /// The same for a life as it would be.
    pub(super) fn extra_call_in(
        &self,
        life: &Life,
        at: At,
        params: Params,
    ) -> Result<Option<Call>, Fault> {
        let (phase, workflow) = (at.phase, self.run_workflow()?);
        let Some(run) = life.record.run.as_ref() else { return Ok(None) };
        let (production, standby) = roles_at(&life.record, run, at);
        let op =
            OpId::of(&life.record.journal, run.number, phase.name(), "guard", params.kind(), "");
        Ok(Some(Call {
            timeout: workflow.limits.call.0,
            workflow: std::sync::Arc::clone(&workflow),
            at,
            step: "guard".into(),
            params,
            on: None,
            production,
            standby,
            run: crate::conductor::call::run_facts(&life.record, run),
            record: std::sync::Arc::new(life.record.clone()),
            op,
            attempt: 1,
            since: None,
            kept: None,
        }))
    }

    async fn ask(&self, by: &Actor, at: At) -> Result<(), Fault> {
        let packet = self.packet(at).await?;
        if !packet.bad.is_empty() {
            let says = format!("does not pass any more: {}", packet.bad.join(", "));
            self.decide(by, Input::Voided, (Some(says.clone()), packet.evidence, vec![]))?;
            return Err(Fault::new(&E2008, says)
                .because("the checks of validate are made again before anybody is asked")
                .hint("changeover release next"));
        }
        let says = format!("approval is asked for packet {}", packet.digest.short());
        let fact = packet.fact();
        self.book().note(by, says, None, packet.evidence, vec![fact])
    }

    /// Whether anything but this command's own line stands in the way of an input: a sentence for people.
    pub(super) fn not_now(&self, input: &str) -> Fault {
        let (life, workflow) = (self.life(), self.run_workflow().ok());
        let look = Look { workflow: workflow.as_deref(), ..Look::at_work(&life) };
        let place =
            life.state.at().map_or_else(String::new, |at| format!(" in {}", at.phase.name()));
        let says =
            format!("`{input}` is not possible now: the system is {}{place}", life.state.mode());
        let allowed: Vec<String> =
            crate::view::allowed(&look).into_iter().map(|it| it.command).collect();
        let hint = if allowed.is_empty() {
            "changeover status says what it waits for".to_owned()
        } else {
            format!("possible now: {}", allowed.join(", "))
        };
        Fault::new(&crate::fault::E2001, says).hint(hint)
    }

    pub(super) fn told(reason: Option<String>) -> Told {
        (reason, vec![], vec![])
    }
}

/// A typed consent: the name of the site that will be production.
pub(super) fn confirmed(
    given: Option<&crate::model::SiteName>,
    wanted: &crate::model::SiteName,
    command: &str,
) -> Result<(), Fault> {
    match given {
        Some(site) if site == wanted => Ok(()),
        Some(site) => {
            Err(Fault::new(&E2005, format!("this would make {wanted} production, not {site}"))
                .hint(format!("changeover {command} --confirm {wanted}")))
        }
        None => Err(Fault::new(
            &E2005,
            format!("this makes {wanted} production and wants its name typed"),
        )
        .hint(format!("changeover {command} --confirm {wanted}"))),
    }
}

pub(super) fn owned_by(says: &str) -> Fault {
    Fault::new(&E2019, says)
        .because("another Changeover moves these records; two would fight over them")
        .hint("if that one is gone for good: changeover run adopt --reason TEXT")
}

pub(super) fn refused_by(what: &str, found: &Finding, next: Phase) -> Fault {
    let says = found.evidence.iter().map(|it| it.says.as_str()).collect::<Vec<_>>().join("; ");
    if foreign_mark(&found.evidence).is_some() {
        return owned_by(&format!("{} was not entered: {says}", next.name()));
    }
    let verdict = match found.verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "failed",
        Verdict::Unknown => "could not be made",
    };
    Fault::new(&E2002, format!("{} was not entered: {what} ({verdict})", next.name()))
        .because(says)
        .unknown(found.verdict == Verdict::Unknown)
        .hint("put it right, then run the same command again")
}
