//! What stands in the way of a command, found by walking the command's own way over a world that is only
//! looked at and a journal that is thrown away: the guards of the command are the only list of guards.

mod lift;

use serde::Serialize;

use crate::conductor::command::{Command, GivenUp, MayLose, Order, PlannedStep};
use crate::conductor::plan::refuses;
use crate::conductor::{Conductor, Parts};
use crate::fault::{E2001, E2005, E2006, E2010, E2011, Exit, Fault};
use crate::machine::State;
use crate::model::{Actor, Evidence, SiteName, Time};
use crate::view::{Look, target};

/// What was read, and how old that is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Aged {
    /// What was read.
    #[serde(flatten)]
    pub read: Evidence,
    /// Seconds since then.
    pub age_seconds: i64,
}

/// One thing that stands in the way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Blocker {
    /// The code of its error, or of what was read.
    pub code: String,
    /// One sentence.
    pub says: String,
    /// Why, if that is another sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// Nobody could see whether it holds.
    pub unknown: bool,
    /// What it rests on; never empty.
    pub evidence: Vec<Aged>,
    /// The person, the group or the time that lifts it.
    pub who: String,
    /// What to type; the nearest first.
    pub commands: Vec<String>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WhyNot {
    /// When it was looked.
    pub now: Time,
    /// The command, with what has to be typed for it.
    pub command: String,
    /// Nothing keeps it from being carried out.
    pub free: bool,
    /// What does, in the order in which the command would meet it.
    pub blockers: Vec<Blocker>,
    /// What is wrong besides, and stops nothing.
    pub notes: Vec<String>,
}

impl WhyNot {
    /// The status that asking ends with: 0 when nothing stands in the way, else that of a refusal.
    pub fn exit(&self) -> Exit {
        if self.free { Exit::Done } else { Exit::Refused }
    }
}

/// Finds what stands in the way of a command. `make` gives the parts of a conductor whose journal is thrown
/// away; it is asked twice, since what would be done is looked at from where the command is given.
///
/// # Errors
/// There is no such command here, or the journal cannot be read.
pub async fn why_not(
    make: &(dyn Fn() -> Result<Parts, Fault> + Sync),
    order: &Order,
    who: &Actor,
    look: &Look<'_>,
) -> Result<WhyNot, Fault> {
    let granted = granted(order, look);
    let asked = Conductor::rehearsing(make()?);
    let before = asked.life().state;
    let outcome = Box::pin(asked.accept_order(&granted, who)).await;
    let mut blockers = vec![];
    let met = asked.met.as_deref().map(|it| {
        it.answered(outcome.map(|_| ()));
        it.taken()
    });
    for (fault, read) in met.into_iter().flatten() {
        if fault.exit() == Exit::Usage && ![&E2005, &E2006].contains(&fault.code) {
            return Err(fault);
        }
        let by_machine = fault.code == &E2001;
        if by_machine && !blockers.is_empty() {
            // What was met first speaks; that the machine refuses as well follows from it.
        } else if by_machine && matches!(before, State::Halted { .. }) {
            blockers.extend(lift::halted(look));
        } else {
            blockers.push(lift::fault(&fault, read, order, look));
        }
    }
    if matches!((before, &order.command), (State::Asking { .. }, Command::Next { .. })) {
        blockers.extend(lift::gate(look));
    }
    let begins = matches!(asked.life().state, State::Doing { .. } | State::Settling { .. });
    if begins && asked.life().state != before {
        blockers.extend(planned(make()?, (order, granted), look, &blockers).await);
    }
    let status = crate::view::status(look);
    // What is owed is not said twice.
    let owed = blockers.iter().any(|it| it.code == E2010.id);
    let said = |it: &String| owed && it.starts_with("owed, ");
    let notes = status.faults.into_iter().filter(|it| !said(it)).chain(status.warnings).collect();
    Ok(WhyNot {
        now: look.now,
        command: lift::typed(order, look),
        free: blockers.is_empty(),
        blockers,
        notes,
    })
}

/// The same checks that a dry run makes of what the command would begin with.
async fn planned(
    parts: Parts,
    (order, granted): (&Order, Order),
    look: &Look<'_>,
    met: &[Blocker],
) -> Vec<Blocker> {
    let conductor = Conductor::rehearsing(parts);
    let granted = Order { dry_run: true, ..granted };
    // A plan that cannot be made was refused by what is told already.
    let Ok(reply) = Box::pin(conductor.plan(&granted)).await else { return vec![] };
    let Ok(workflow) = conductor.run_workflow() else { return vec![] };
    let told = |step: &PlannedStep| {
        let read = |it: &Evidence| {
            met.iter().flat_map(|it| &it.evidence).any(|old| old.read.says == it.says)
        };
        !step.evidence.is_empty() && step.evidence.iter().all(read)
    };
    let steps = reply.plan.map(|it| it.steps).unwrap_or_default();
    let bad = steps.into_iter().filter(refuses).filter(|it| !told(it));
    bad.map(|it| lift::step(&it, &workflow, order, look)).collect()
}

/// The command with everything that a person types to it: what is only not typed yet stands in no way.
fn granted(order: &Order, look: &Look<'_>) -> Order {
    let life = look.life;
    let named = |given: &Option<SiteName>, back| {
        given.clone().or_else(|| target(life, back).map(|it| it.site))
    };
    let mut order = Order { dry_run: false, ..order.clone() };
    if order.reason.is_none() && order.command.wants_reason() {
        order.reason = Some("asked what stands in the way".to_owned());
    }
    if let Command::Next { confirm, .. } = &mut order.command {
        *confirm = named(confirm, false);
    } else if let Command::Rollback { confirm, accept_data_loss } = &mut order.command {
        *confirm = named(confirm, true);
        *accept_data_loss |= target(life, true).is_some_and(|it| it.loses_writes);
    } else if let Command::Failover(it) = &mut order.command {
        let to = look.standby().cloned();
        *it = GivenUp {
            confirm: it.confirm.clone().or(to),
            accept_data_loss: it.accept_data_loss.or(Some(MayLose::Unknown)),
            ..it.clone()
        };
    } else if let Command::DriftAdopt { confirm } = &mut order.command {
        let there = || look.standby().or_else(|| life.record.production()).cloned();
        *confirm = confirm.clone().or_else(there);
    }
    order
}

impl Blocker {
    fn aged(evidence: Vec<Evidence>, now: Time) -> Vec<Aged> {
        let aged = |read: Evidence| Aged { age_seconds: now.seconds_since(read.at).max(0), read };
        evidence.into_iter().map(aged).collect()
    }

    /// That people are waited for.
    fn waits(says: String, evidence: Vec<Evidence>, who: String, look: &Look<'_>) -> Self {
        Self {
            code: E2011.id.to_owned(),
            says,
            because: None,
            unknown: false,
            evidence: Self::aged(evidence, look.now),
            who,
            commands: crate::view::commands_for(look, &["approve", "reject"]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::lift;
    use crate::conductor::command::{Command, Order};
    use crate::fault::{E2002, E2031, Fault};
    use crate::machine::Life;
    use crate::view::Look;

    /// What is unknown is said by the guard that saw it, not by the words of its sentence.
    #[test]
    fn unknown_is_what_a_guard_says_is_unknown() {
        let (life, order) =
            (Life::default(), Order { command: Command::Accept, reason: None, dry_run: false });
        let unknown =
            |fault: &Fault| lift::fault(fault, vec![], &order, &Look::at_work(&life)).unknown;
        let says = "hk could not be made to refuse writes, and nobody can say why";
        assert!(!unknown(&Fault::new(&E2002, says)));
        assert!(unknown(&Fault::new(&E2031, "no answer").unknown(true)));
    }
}
