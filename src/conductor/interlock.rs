//! Interlocks: what the engine looks at by itself, whatever a workflow's steps look at. Embargoes hold, both
//! databases are alike before users are moved, and the switch is asked just before data is overwritten.

use crate::conductor::Conductor;
use crate::conductor::guard::refused_by;
use crate::conductor::without::LEFT;
use crate::fault::{E2015, E2031, E2032, Fault};
use crate::machine::{At, Embargo, Fact, State};
use crate::model::{Actor, Evidence, Kind, Phase, Roles, SiteName, Time, Verdict, Way};
use crate::port::{Call, Finding, Seen};
use crate::workflow::Lasting;
use crate::workflow::step::Params;
use crate::workflow::step::params::{EmbargoHolds, EmbargoOn, SwitchWhole};

/// How often a laid embargo is looked for before it is given up.
const LOOKS: u32 = 5;

impl Conductor {
    /// Before each later phase: what the journal calls an embargo is one (V5). Ways back and out are not
    /// kept from lifting, only from overwriting.
    pub(super) async fn guard_embargo(&self, next: Phase, way: Way) -> Result<(), Fault> {
        let forth = way == Way::Forth || next == Phase::Renew;
        if !forth || !self.embargo_is_enforced()? {
            return Ok(());
        }
        let holds = Params::EmbargoHolds(EmbargoHolds {});
        let Some(call) = self.extra_call(next, holds)? else { return Ok(()) };
        let found = Box::pin(self.look_once(call)).await;
        if found.verdict == Verdict::Pass {
            return Ok(());
        }
        let says: Vec<&str> = found
            .evidence
            .iter()
            .filter(|it| it.data.get("code").is_some())
            .map(|it| it.says.as_str())
            .collect();
        let verdict = match found.verdict {
            Verdict::Pass | Verdict::Fail => "writes are not refused where they must be",
            Verdict::Unknown => "nobody can say whether writes are refused",
        };
        Err(Fault::new(&E2031, format!("{} was not entered: {verdict}", next.name()))
            .because(says.join("; "))
            .unknown(found.verdict == Verdict::Unknown)
            .hint(match found.verdict {
                Verdict::Pass | Verdict::Fail => {
                    "changeover run retry puts the embargo on again; then run the same command"
                }
                Verdict::Unknown => LEFT,
            }))
    }

    /// Whether there is an embargo that this run relies on. A failover cannot ask the lost site.
    fn embargo_is_enforced(&self) -> Result<bool, Fault> {
        let record = self.life().record;
        let kind = record.run.as_ref().is_some_and(|run| match run.kind {
            Kind::Release | Kind::Switchover | Kind::Rejoin => true,
            Kind::Failover | Kind::Drill => false,
        });
        Ok(kind && !record.embargoes.is_empty() && self.run_workflow()?.embargo.is_some())
    }

    /// Lays every embargo of the record again where somebody lifted it by hand. True if one was.
    ///
    /// # Errors
    /// It does not hold afterwards, or the journal could not be written.
    pub(super) async fn lay_again(
        &self,
        by: &Actor,
        reason: Option<&String>,
    ) -> Result<bool, Fault> {
        let (life, mut laid) = (self.life(), false);
        let Some(at) = life.state.at() else { return Ok(false) };
        // Where one is being laid or lifted, its step goes on with it.
        let lifting = match life.state {
            State::Ready { .. } | State::Asking { .. } => false,
            State::Halted { at, .. } => {
                matches!(at.phase, Phase::Embargo | Phase::Lift | Phase::Renew)
            }
            State::Steady | State::Doing { .. } | State::Settling { .. } => true,
        };
        if lifting || !self.embargo_is_enforced()? {
            return Ok(false);
        }
        for (site, embargo) in life.record.embargoes {
            let lasting = embargo.until.seconds_since(embargo.since);
            let expires = Lasting::seconds(u64::try_from(lasting).unwrap_or_default());
            let scope = embargo.scope.clone();
            let params = Params::EmbargoOn(EmbargoOn { scope, expires });
            let Some(call) = self.extra_call(at.phase, params)? else { continue };
            let call = Call { on: Some(site.clone()), ..call };
            // On the heap: futures of whole commands lie inside one another on the stack.
            laid |= Box::pin(self.lay_one(by, &site, call, reason)).await?;
        }
        Ok(laid)
    }

    async fn lay_one(
        &self,
        by: &Actor,
        site: &SiteName,
        call: Call,
        reason: Option<&String>,
    ) -> Result<bool, Fault> {
        let (timeout, poll) = (call.workflow.limits.call.0, call.workflow.limits.poll.0);
        let action = self.world.action(call);
        let Seen::Todo { changes, evidence } = self.observe_once(timeout, &*action).await else {
            return Ok(false);
        };
        // The line is the intent: laying it sets values, and whoever finds it unlaid lays it again.
        let text = format!("the embargo on {site} does not hold: it is laid again");
        self.book().note(by, text, reason.cloned(), evidence, vec![])?;
        let mut said = self.apply_once(timeout, &*action, &changes).await.into_evidence();
        for _ in 0..LOOKS {
            let seen = self.observe_once(timeout, &*action).await;
            if matches!(seen, Seen::Done { .. }) {
                let text = format!("the embargo on {site} holds again");
                // Writes came in meanwhile for all anybody knows: going back asks for consent to their loss.
                let lies = self.life().record.embargoes.get(site).cloned();
                let off = Fact::EmbargoOff { site: site.clone() };
                let on = lies.map(|embargo| Fact::EmbargoOn { site: site.clone(), embargo });
                let facts = [off].into_iter().chain(on).collect();
                self.book().note(by, text, None, seen.into_evidence(), facts)?;
                return Ok(true);
            }
            said = seen.into_evidence();
            self.clock.sleep(poll).await;
        }
        let says: Vec<String> = said.into_iter().map(|it| it.says).collect();
        Err(Fault::new(&E2031, format!("the embargo on {site} could not be laid again"))
            .because(says.join("; "))
            .hint("put it right on the site, then changeover run retry"))
    }

    /// At the swap's first intent the two databases must still be alike, by the queries of `reset`: a write
    /// that came in between would be lost to users.
    pub(super) async fn guard_counts(&self, at: At) -> Result<(), Fault> {
        if at.kind == Kind::Failover {
            // The lost site cannot be asked; what the copy lacks was accepted.
            return Ok(());
        }
        let at = At { phase: Phase::Reset, group: 0, ..at };
        for (position, step) in self.machine_steps(Phase::Reset)?.iter().enumerate() {
            let Ok(position) = u8::try_from(position) else { continue };
            if step.kind() != "database.equal" {
                continue;
            }
            let found = match self.call(at, position, step)? {
                Ok(call) => Box::pin(self.look_once(call)).await,
                Err(evidence) => {
                    Finding { verdict: Verdict::Unknown, evidence: vec![evidence], facts: vec![] }
                }
            };
            if found.verdict != Verdict::Pass {
                let what = "both databases must answer alike when users are moved";
                return Err(refused_by(what, &found, Phase::Swap));
            }
        }
        Ok(())
    }

    /// Just before the intent to overwrite data the switch itself says who is production (V2). What stands
    /// in the way, or nothing.
    async fn guard_load(&self, call: &Call) -> Option<Vec<Evidence>> {
        let Params::HostRun(with) = &call.params else { return None };
        if !with.destructive {
            return None;
        }
        let whole = Params::SwitchWhole(SwitchWhole { owned: false });
        let timeout = call.workflow.limits.action.0;
        let call = Call { params: whole, timeout, ..call.clone() };
        let found = Box::pin(self.look_once(call)).await;
        (found.verdict != Verdict::Pass).then_some(found.evidence)
    }

    /// What stands in the way of this very intent, or nothing.
    pub(super) async fn guard_last(&self, call: &Call) -> Option<Vec<Evidence>> {
        match self.guard_load(call).await {
            None => self.guard_move(call).await,
            against => against,
        }
    }

    /// Just before the intent that moves users forth: embargoes hold and both databases are alike. A swap that
    /// halted before it and is tried again hours later was entered by guards that are hours old.
    async fn guard_move(&self, call: &Call) -> Option<Vec<Evidence>> {
        let planned = match call.at.kind {
            Kind::Release | Kind::Switchover => call.at.way == Way::Forth,
            Kind::Failover | Kind::Rejoin | Kind::Drill => false,
        };
        let here = Roles::Settled { production: call.production.clone() };
        let first = self.life().record.roles.as_ref() == Some(&here);
        if !matches!(call.params, Params::Move(_)) || !planned || !first {
            return None;
        }
        let held = async {
            self.guard_embargo(Phase::Swap, Way::Forth).await?;
            self.guard_counts(call.at).await
        };
        let fault = Box::pin(held).await.err()?;
        let why = fault.cause.map(|it| format!(": {it}")).unwrap_or_default();
        Some(vec![self.evidence(&format!("{}{why}", fault.message))])
    }

    /// An embargo may last longer; nothing else about it changes.
    pub(super) fn extend(
        &self,
        by: &Actor,
        site: Option<&SiteName>,
        until: Option<Time>,
        seconds: Option<i64>,
        reason: Option<String>,
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        let until = until.or_else(|| seconds.map(|it| now.plus_seconds(it)));
        let until = until.filter(|until| *until > now).ok_or_else(|| {
            Fault::new(&E2015, "an embargo is extended to a time that is still to come")
                .hint("--for 2h, or --until 2026-11-21T18:00:00Z")
        })?;
        let lie = self.life().record.embargoes;
        let found: Vec<(SiteName, Embargo)> =
            lie.into_iter().filter(|(on, _)| site.is_none_or(|it| it == on)).collect();
        if found.is_empty() {
            let place = site.map_or_else(|| "anywhere".to_owned(), |it| format!("on {it}"));
            return Err(Fault::new(&E2032, format!("no embargo lies {place}"))
                .hint("changeover embargo show"));
        }
        let mut facts = vec![];
        for (site, embargo) in found {
            if until <= embargo.until {
                let says = format!("the embargo on {site} lasts until {}", embargo.until.screen());
                return Err(Fault::new(&E2015, format!("{says} already"))
                    .hint("nothing shortens one: it ends when its run lifts it"));
            }
            facts.push(Fact::EmbargoOn { site, embargo: Embargo { until, ..embargo } });
        }
        let text = format!("the embargo may last until {}", until.screen());
        self.book().note(by, text, reason, vec![], facts)
    }

    /// A kept copy is given up before its time: nothing is deleted, it is only promised no longer.
    pub(super) fn give_up(
        &self,
        by: &Actor,
        name: &str,
        reason: Option<String>,
    ) -> Result<(), Fault> {
        let copies = self.life().record.copies;
        let Some(kept) = copies.get(name) else {
            return Err(Fault::new(&E2032, format!("no copy `{name}` is kept"))
                .hint("changeover keep show"));
        };
        let text = format!(
            "{name}, a copy of {} of {}, is given up before {}",
            kept.instance,
            kept.site,
            kept.until.screen()
        );
        let facts = vec![Fact::GivenUp { name: name.to_owned() }];
        self.book().note(by, text, reason, vec![], facts)
    }
}
