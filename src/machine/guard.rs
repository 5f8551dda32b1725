//! The guards of the chart: what must hold before an input is taken.

use crate::machine::input::{Begin, Input};
use crate::machine::path::{RegionName, path, region_of};
use crate::machine::record::Record;
use crate::machine::rules::Rules;
use crate::machine::state::{At, Steps};
use crate::model::{Kind, Phase, Roles, Way};

/// Whether users are where this walk takes them. A drill moves names that no users are on.
pub(super) fn arrived(record: &Record, at: At) -> bool {
    let (Some(Roles::Settled { production }), Some(run)) = (&record.roles, &record.run) else {
        return false;
    };
    if at.kind == Kind::Drill {
        return true;
    }
    match at.way {
        Way::Forth => *production == run.standby,
        Way::Back | Way::Abort => *production == run.production,
    }
}

/// Whether going back may be given up: the site it leads to may be lost by now.
pub(super) fn stays(record: &Record, at: At) -> bool {
    let back = at.kind != Kind::Drill && at.way == Way::Back && at.phase == Phase::Swap;
    back && !arrived(record, at)
}

/// Where a run goes on that has given going back up: users are still where the way forth had brought them, or
/// whoever was moved is moved there again, or it is seen that all had gone back already.
pub(super) fn staying(record: &Record, at: At) -> At {
    let here = At { phase: Phase::Sanity, group: 0, tried: 1, ..at };
    let forth = At { way: Way::Forth, ..here };
    if arrived(record, at) {
        here
    } else if arrived(record, forth) {
        forth
    } else {
        At { phase: Phase::Swap, ..forth }
    }
}

/// Whether a halted run may be ended with something owed.
pub(super) fn may_close(record: &Record, at: At) -> bool {
    region_of(at.phase) == RegionName::Closing || outlived(record, at)
}

/// Whether a failover has brought users where it led and waits there: if that site is lost as well, it is ended
/// with what is owed, and another one may begin.
pub(super) fn outlived(record: &Record, at: At) -> bool {
    at.kind == Kind::Failover
        && matches!(at.phase, Phase::Sanity | Phase::Soak)
        && arrived(record, at)
}

/// Whether this run may be opened.
pub(super) fn may_start(record: &Record, begin: &Begin) -> bool {
    let roles_fit = match &record.roles {
        Some(Roles::Settled { production }) => *production == begin.production,
        Some(Roles::Moving { .. }) | None => false,
    };
    let kind_fits = match begin.kind {
        Kind::Failover => begin.loss_accepted && knows_failover(&begin.rules),
        // Rejoin pays what earlier runs owe; what it may replace is the lost site alone.
        Kind::Rejoin => {
            !record.frozen && record.quarantined.as_ref().is_none_or(|it| *it == begin.standby)
        }
        Kind::Release | Kind::Switchover | Kind::Drill => {
            !record.frozen && record.owed.is_empty() && record.quarantined.is_none()
        }
    };
    roles_fit && kind_fits && begin.production != begin.standby
}

/// A drill keeps nothing waiting: it owes nothing to production, so it may be ended wherever it stands. What its
/// names are left as, the next one finds.
pub(super) fn leaves_drill(at: At, input: &Input) -> bool {
    at.kind == Kind::Drill && *input == Input::Close
}

/// Whether the workflow says how production is given up.
pub(super) fn knows_failover(rules: &Rules) -> bool {
    rules.phase(Phase::Assess).is_some()
}

/// Whether a freeze keeps this place from being entered. It never stops a failover, a way back or closing.
pub fn frozen_out(record: &Record, to: At) -> bool {
    record.frozen
        && to.way == Way::Forth
        && to.kind != Kind::Failover
        && (to.phase == Phase::Swap || region_of(to.phase) == RegionName::Preparing)
}

/// Whether the swap has not asked for anything yet, so that it can still be left for validate.
pub(super) fn swap_untouched(record: &Record, at: At) -> bool {
    let validated = path(at.kind, at.way).contains(&Phase::Validate);
    let at_rest = match (&record.roles, &record.run) {
        (Some(Roles::Settled { production }), Some(run)) => *production == run.production,
        (Some(Roles::Settled { .. } | Roles::Moving { .. }) | None, _) => false,
    };
    at.phase == Phase::Swap
        && validated
        && at_rest
        && record.intents.keys().all(|(phase, _)| *phase != Phase::Swap)
}

/// New rules may differ only in what has not begun, and never in who must agree.
pub(super) fn amendable(old: &Rules, new: &Rules, record: &Record, at: At) -> bool {
    let path = path(at.kind, at.way);
    let walked = path.iter().take_while(|it| **it != at.phase).copied();
    let entered = record.run.iter().flat_map(|run| run.entered.keys().copied());
    let open = record.intents.keys().map(|(phase, _)| *phase);
    old.gate == new.gate
        && walked
            .chain(entered)
            .chain(open)
            .chain([at.phase])
            .all(|phase| old.phase(phase) == new.phase(phase))
}

/// Only what failed in a known state, and only what the workflow marks so.
pub(super) fn may_skip(rules: &Rules, at: At, failed: Steps, steps: Steps) -> bool {
    let skippable = rules.phase(at.phase).map_or(0, |it| it.skippable);
    steps != 0 && steps & !(failed & skippable) == 0
}
