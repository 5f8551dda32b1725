//! One sentence for each state: what is going on, and who still is on the old side.

use crate::machine::{At, Life, RegionName, State, Steps, region_of};
use crate::model::{Phase, StepId, Time, Way};
use crate::view::Look;
use crate::view::commands::soak_end;
use crate::view::gate::gate;
use crate::view::story::bits;
use crate::view::words::{ago, count, from_now, lasting, minute, named};

/// What is going on, in one sentence, told by the conductor at work.
pub fn sentence(life: &Life) -> String {
    says(&Look::at_work(life))
}

/// What is going on, in one sentence.
pub fn says(look: &Look<'_>) -> String {
    let life = look.life;
    if life.record.roles.is_none() {
        return "not initialised: nobody has read yet which site is production".to_owned();
    }
    let said = match life.state {
        State::Steady => steady(look),
        State::Doing { at, left, .. } => doing(look, at, left),
        State::Ready { at } => ready(look, at),
        State::Asking { until, .. } => asking(look, until),
        State::Settling { at, to, failover } => {
            let goal = match (failover, to) {
                (true, _) => "a failover",
                (false, Way::Back) => "going back",
                (false, Way::Forth | Way::Abort) => "giving up",
            };
            let open = count(life.record.intents.len(), "open intent");
            format!(
                "{} is being left for {goal}: nothing new starts, {open} to settle",
                named(at.phase, at.way)
            )
        }
        State::Halted { at, failed, unknown } => halted(life, at, failed, unknown),
    };
    let said = said + &unfenced(&life.record);
    if life.record.paused { format!("paused: {said}") } else { said }
}

/// A lost site that may still act is told with everything else, until it is fenced.
fn unfenced(record: &crate::machine::Record) -> String {
    let left = record.unfenced();
    let Some((_, site)) = left.first() else { return String::new() };
    let parts: Vec<&str> = left.iter().map(|(part, _)| part.as_str()).collect();
    format!("; {site} may still act, not fenced: {}", parts.join(", "))
}

fn steady(look: &Look<'_>) -> String {
    let record = &look.life.record;
    let serves = record.production().map_or_else(String::new, |site| {
        let release = record.releases.get(site);
        let release = release.map(|it| format!(" with {it}")).unwrap_or_default();
        format!("{site} is production{release}")
    });
    if record.owed.is_empty() {
        return format!("steady: no run is open, {serves}");
    }
    let owed = count(record.owed.len(), "thing");
    format!("no run is open, {serves}, and {owed} an earlier run changed must still be put back")
}

fn doing(look: &Look<'_>, at: At, left: Steps) -> String {
    let phase = named(at.phase, at.way);
    if look.holder.is_some() {
        return format!("{phase} is being done, under way: {}", ids(look.life, at, left));
    }
    let since = lasting(look.now.seconds_since(look.life.record.now));
    format!("{phase} was begun and nobody works on it; the last line is {since} old")
}

/// The ids of these steps.
fn ids(life: &Life, at: At, steps: Steps) -> String {
    let ids = bits(steps).filter_map(|step| life.rules.step(at.phase, step));
    ids.map(StepId::to_string).collect::<Vec<_>>().join(", ")
}

fn ready(look: &Look<'_>, at: At) -> String {
    let record = &look.life.record;
    let site = || record.production().map(ToString::to_string).unwrap_or_default();
    if at.phase == Phase::Soak {
        let end = soak_end(look).unwrap_or(look.now);
        let left = if end > look.now {
            format!("planned until {} ({})", minute(end), from_now(look.now, end))
        } else {
            format!("the planned end was {}", from_now(look.now, end))
        };
        return format!("users are on {}, soaking: {left}", site());
    }
    if at.way == Way::Back && at.phase == Phase::Lift {
        return format!("users are back on {}; the run waits so that people can look", site());
    }
    if at.phase == Phase::Validate && record.packet.is_some() {
        let all = gate(look).is_none_or(|gate| gate.tally().0 >= gate.tally().1);
        if all {
            return "everybody who must has approved; users have not been moved".to_owned();
        }
    }
    format!("{} is done", named(at.phase, at.way))
}

fn asking(look: &Look<'_>, until: Time) -> String {
    let (got, needed) = gate(look).map_or((0, 0), |gate| gate.tally());
    let until = if until > look.now {
        format!("the gate expires {}", from_now(look.now, until))
    } else {
        format!("the gate expired {}", from_now(look.now, until))
    };
    format!("waiting for people: {got} of {needed} approvals, {until}")
}

fn halted(life: &Life, at: At, failed: Steps, unknown: Steps) -> String {
    let ids = |steps| ids(life, at, steps);
    let phase = named(at.phase, at.way);
    match (failed, unknown) {
        (0, 0) => format!("{phase} halted: the gate was rejected or expired"),
        (failed, 0) => format!("{phase} halted: {} failed", ids(failed)),
        (0, unknown) => format!("{phase} halted: nobody knows how {} ended", ids(unknown)),
        (failed, unknown) => format!(
            "{phase} halted: {} failed, and nobody knows how {} ended",
            ids(failed),
            ids(unknown)
        ),
    }
}

/// Who still is on the side that users left; `None` when they have not been moved.
pub fn users(look: &Look<'_>) -> Option<String> {
    let record = &look.life.record;
    let (run, at) = (record.run.as_ref()?, look.life.state.at()?);
    let moved = record.production() == Some(&run.standby) && at.way == Way::Forth;
    if !moved || region_of(at.phase) == RegionName::Preparing {
        return None;
    }
    let old = &run.production;
    let all: u64 = record.counts.values().map(|it| it.requests).sum();
    // What was counted before they were moved says nothing.
    let moved = run.entered.get(&Phase::Swap).copied().unwrap_or_default();
    let mut says = match record.counts.get(old).filter(|it| it.at >= moved) {
        Some(it) => {
            let tenths = it.requests.saturating_mul(1000).div_ceil(all.max(1));
            format!(
                "{old} still gets {} requests/min ({}.{} % of all), counted {}",
                it.per_minute(),
                tenths / 10,
                tenths % 10,
                ago(look.now, it.at)
            )
        }
        None if look.workflow.is_some_and(|it| it.counter.is_none()) => {
            format!("no counter is declared: nobody can tell how many are still on {old}")
        }
        None => format!("not counted yet how many are still on {old}"),
    };
    let until = record.caches.as_ref().map(|it| it.at.plus_seconds(i64::from(it.old)));
    if let Some(until) = until.filter(|until| *until > look.now) {
        let left = lasting(until.seconds_since(look.now));
        says.push_str(&format!("; resolvers remember its addresses for {left} more at most"));
    }
    Some(says)
}
