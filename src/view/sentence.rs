//! One sentence for each state: what is going on, and what going back would cost.

use crate::machine::{At, Life, RegionName, State, region_of};
use crate::model::{Phase, Roles, StepId, Time, Way};
use crate::view::Look;
use crate::view::gate::gate;
use crate::view::story::bits;
use crate::view::words::{count, from_now, lasting, minute, way_name};

/// What is going on, in one sentence.
pub fn sentence(look: &Look<'_>) -> String {
    let life = look.life;
    if life.record.journal.is_empty() {
        return format!("{} is not under a journal yet", look.system);
    }
    let said = match life.state {
        State::Steady => steady(look),
        State::Doing { at, left, .. } => doing(look, at, left.count_ones()),
        State::Ready { at } => ready(look, at),
        State::Asking { until, .. } => asking(look, until),
        State::Settling { at, to, failover } => {
            let goal = match (failover, to) {
                (true, _) => "a failover",
                (false, Way::Back) => "going back",
                (false, Way::Forth | Way::Abort) => "giving up",
            };
            let open = count(life.record.intents.len(), "open intent");
            format!("{} is being left for {goal}: nothing new starts, {open} to settle", named(at))
        }
        State::Halted { at, failed, unknown } => halted(life, at, failed, unknown),
    };
    if life.record.paused { format!("paused: {said}") } else { said }
}

fn named(at: At) -> String {
    let way = way_name(at.way);
    if way.is_empty() {
        at.phase.name().to_owned()
    } else {
        format!("{} ({way})", at.phase.name())
    }
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

fn doing(look: &Look<'_>, at: At, left: u32) -> String {
    let left = count(usize::try_from(left).unwrap_or(usize::MAX), "step");
    let phase = named(at);
    if look.holder.is_some() {
        return format!("{phase} is being done, {left} of its group to end");
    }
    let since = lasting(look.now.seconds_since(look.life.record.now));
    format!("{phase} was begun and nobody works on it; the last line is {since} old")
}

fn ready(look: &Look<'_>, at: At) -> String {
    let record = &look.life.record;
    let site = || record.production().map(ToString::to_string).unwrap_or_default();
    if at.phase == Phase::Soak {
        let entered = record.run.as_ref().and_then(|run| run.entered.get(&Phase::Soak));
        let end = entered.copied().unwrap_or(look.now).plus_seconds(look.life.rules.soak_seconds);
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
    format!("{} is done", named(at))
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

fn halted(life: &Life, at: At, failed: u64, unknown: u64) -> String {
    let ids = |steps: u64| {
        let ids: Vec<_> = bits(steps)
            .filter_map(|step| life.rules.step(at.phase, step))
            .map(StepId::to_string)
            .collect();
        ids.join(", ")
    };
    let phase = named(at);
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

/// What going back would cost now, in one sentence; `None` when no run is open.
pub fn way_back(look: &Look<'_>) -> Option<String> {
    let (record, at) = (&look.life.record, look.life.state.at()?);
    let run = record.run.as_ref()?;
    if at.way != Way::Forth {
        return Some(match record.roles {
            Some(Roles::Moving { .. }) => {
                format!("users are on their way back to {}", run.production)
            }
            Some(Roles::Settled { .. }) | None => {
                format!("nothing to go back from: {} is production", run.production)
            }
        });
    }
    if record.renewed {
        return Some(format!(
            "no way back: {}'s data is being replaced; start a release instead",
            run.production
        ));
    }
    Some(match region_of(at.phase) {
        RegionName::Preparing => {
            "free: users have not been moved; abort puts back what was changed".to_owned()
        }
        RegionName::Cutover | RegionName::Closing if record.writes_since_swap => {
            format!("costs every write made on {} since writes were allowed there", run.standby)
        }
        RegionName::Cutover | RegionName::Closing => {
            format!("free: no write was allowed since the swap; users go back to {}", run.production)
        }
    })
}
