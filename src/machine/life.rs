//! The chart itself: one match for the leaves, one for the regions, one for what each state wants.

use statig::Outcome::{self, Super, Transition};
use statig::blocking::{IntoStateMachine, State as Leaf, Superstate};

use crate::machine::doors::Effect;
use crate::machine::entry::Owed;
use crate::machine::input::{Begin, Ended, Input};
use crate::machine::path::{RegionName, path, region_of};
use crate::machine::record::Record;
use crate::machine::rules::Rules;
use crate::machine::state::{At, Region, State, Steps};
use crate::model::{Kind, Phase, Roles, Way};

/// What a handler may read and an entry action may want.
#[derive(Debug)]
pub struct Turn<'r> {
    /// What the journal says is true.
    pub record: &'r Record,
    /// The whole wanted set, filled by entry actions.
    pub wanted: Vec<Effect>,
}

impl IntoStateMachine for Rules {
    type Event<'e> = Input;
    type Context<'c> = Turn<'c>;
    type State = State;
    type Superstate<'s> = Region;

    fn initial() -> State {
        State::Steady
    }
}

/// The state on entering this group of this phase.
fn enter(rules: &Rules, record: &Record, at: At) -> State {
    match rules.phase(at.phase).and_then(|it| it.groups.get(usize::from(at.group))) {
        Some(&left) => State::Doing { at, left, failed: 0, unknown: 0 },
        None if is_last(at, record) => State::Steady,
        None => State::Ready { at },
    }
}

/// The next phase of this path that has something to do here.
pub fn following(at: At, record: &Record) -> Option<Phase> {
    let path = path(at.kind, at.way);
    let here = path.iter().position(|it| *it == at.phase)?;
    path.get(here + 1..)?.iter().copied().find(|phase| needed(at.way, *phase, record))
}

/// Giving up before anything went onto the standby needs no renewal of it.
fn needed(way: Way, phase: Phase, record: &Record) -> bool {
    !(way == Way::Abort && phase == Phase::Renew && !record.owed.contains(&Owed::Standby))
}

fn is_last(at: At, record: &Record) -> bool {
    following(at, record).is_none()
}

fn begin(rules: &Rules, record: &Record, kind: Kind, way: Way) -> State {
    if way == Way::Abort && record.owed.is_empty() {
        return State::Steady;
    }
    match path(kind, way).first() {
        Some(&phase) => enter(rules, record, At { kind, way, phase, group: 0, tried: 1 }),
        None => State::Steady,
    }
}

fn onward(rules: &Rules, record: &Record, at: At) -> State {
    match following(at, record) {
        Some(phase) => enter(rules, record, At { phase, group: 0, tried: 1, ..at }),
        None => State::Steady,
    }
}

/// A group ends when its last step has ended; a failing step never hides the others.
fn tally(
    rules: &Rules,
    record: &Record,
    at: At,
    left: Steps,
    failed: Steps,
    unknown: Steps,
) -> State {
    if left != 0 {
        State::Doing { at, left, failed, unknown }
    } else if failed | unknown != 0 {
        State::Halted { at, failed, unknown }
    } else {
        enter(rules, record, At { group: at.group.saturating_add(1), tried: 1, ..at })
    }
}

fn may_start(record: &Record, begin: &Begin) -> bool {
    let roles_fit = match &record.roles {
        Some(Roles::Settled { production }) => *production == begin.production,
        Some(Roles::Moving { .. }) | None => false,
    };
    let urgent = begin.kind == Kind::Failover;
    let mending = urgent || begin.kind == Kind::Rejoin;
    roles_fit
        && begin.production != begin.standby
        && (!urgent || begin.loss_accepted)
        && (urgent || !record.frozen)
        && (mending || record.owed.is_empty())
        && (urgent || record.quarantined.is_none() || begin.kind == Kind::Rejoin)
}

/// Whether this approval is the last one needed.
fn enough(rules: &Rules, record: &Record, by: &str, groups: &[String]) -> bool {
    let Some(gate) = &rules.gate else { return true };
    let again = record.approvals.iter().any(|it| it.by == by);
    gate.approvers.iter().all(|(group, count)| {
        let more = usize::from(!again && groups.contains(group));
        record.approvals_of(group) + more >= usize::from(*count)
    })
}

/// Whether the gate has what it needs, for exactly the current packet.
pub fn approved(rules: &Rules, record: &Record) -> bool {
    rules.gate.is_none() || record.packet.is_some() && enough(rules, record, "", &[])
}

fn may_approve(rules: &Rules, record: &Record, by: &str, groups: &[String]) -> bool {
    let requester = record.run.as_ref().is_some_and(|run| run.requester == by);
    rules.gate.as_ref().is_some_and(|gate| {
        (gate.requester_may || !requester)
            && groups.iter().any(|it| gate.approvers.contains_key(it))
    })
}

/// New rules may differ only in what has not begun.
fn amendable(old: &Rules, new: &Rules, at: At) -> bool {
    let path = path(at.kind, at.way);
    let Some(here) = path.iter().position(|it| *it == at.phase) else { return false };
    path.iter().take(here + 1).all(|phase| old.phase(*phase) == new.phase(*phase))
}

fn doing(rules: &Rules, record: &Record, state: State, step: u8, ended: Ended) -> Outcome<State> {
    let State::Doing { at, left, failed, unknown } = state else { return Super };
    let bit = 1_u64.checked_shl(u32::from(step)).unwrap_or(0);
    if left & bit == 0 {
        return Super;
    }
    let left = left & !bit;
    Transition(match ended {
        Ended::Done => tally(rules, record, at, left, failed, unknown),
        Ended::Failed => tally(rules, record, at, left, failed | bit, unknown),
        Ended::Unknown => tally(rules, record, at, left, failed, unknown | bit),
    })
}

fn ready(rules: &Rules, record: &Record, at: At, input: &Input) -> Outcome<State> {
    match input {
        Input::Next if at.phase == Phase::Validate && !approved(rules, record) => {
            let lasts = rules.gate.as_ref().map_or(0, |gate| gate.lasts_seconds);
            Transition(State::Asking { at, until: record.now.plus_seconds(lasts) })
        }
        Input::Next if at.phase == Phase::Soak => Super,
        Input::Next => Transition(onward(rules, record, at)),
        Input::Accept if at.phase == Phase::Soak => Transition(onward(rules, record, at)),
        Input::Voided if at.phase == Phase::Validate => {
            Transition(enter(rules, record, At { group: 0, tried: 1, ..at }))
        }
        Input::Amend { rules: new, .. } if amendable(rules, new, at) => {
            Transition(State::Ready { at })
        }
        Input::Start(_)
        | Input::Approve { .. }
        | Input::Reject
        | Input::Accept
        | Input::Abort
        | Input::Rollback { .. }
        | Input::Failover { .. }
        | Input::Retry
        | Input::Skip { .. }
        | Input::Resolve { .. }
        | Input::Amend { .. }
        | Input::Close
        | Input::Step { .. }
        | Input::Settled
        | Input::Voided
        | Input::Due => Super,
    }
}

fn asking(
    rules: &Rules,
    record: &Record,
    at: At,
    until: crate::model::Time,
    input: &Input,
) -> Outcome<State> {
    match input {
        Input::Approve { packet, by, groups }
            if Some(*packet) == record.packet && may_approve(rules, record, by, groups) =>
        {
            Transition(if enough(rules, record, by, groups) {
                State::Ready { at }
            } else {
                State::Asking { at, until }
            })
        }
        Input::Reject | Input::Due => Transition(State::Halted { at, failed: 0, unknown: 0 }),
        Input::Voided => Transition(enter(rules, record, At { group: 0, tried: 1, ..at })),
        Input::Amend { rules: new, .. } if amendable(rules, new, at) => {
            Transition(State::Ready { at })
        }
        Input::Start(_)
        | Input::Next
        | Input::Approve { .. }
        | Input::Accept
        | Input::Abort
        | Input::Rollback { .. }
        | Input::Failover { .. }
        | Input::Retry
        | Input::Skip { .. }
        | Input::Resolve { .. }
        | Input::Amend { .. }
        | Input::Close
        | Input::Step { .. }
        | Input::Settled => Super,
    }
}

fn halted(rules: &Rules, record: &Record, state: State, input: &Input) -> Outcome<State> {
    let State::Halted { at, failed, unknown } = state else { return Super };
    let tried = at.tried.saturating_add(1);
    match input {
        Input::Retry if failed | unknown == 0 => {
            Transition(enter(rules, record, At { group: 0, tried, ..at }))
        }
        // What is unknown is looked at before it may run again: its intent is still open.
        Input::Retry => Transition(State::Doing {
            at: At { tried, ..at },
            left: failed | unknown,
            failed: 0,
            unknown: 0,
        }),
        Input::Skip { steps }
            if failed != 0
                && *steps & !failed == 0
                && *steps & !rules.phase(at.phase).map_or(0, |it| it.skippable) == 0 =>
        {
            Transition(tally(rules, record, at, 0, failed & !steps, unknown))
        }
        Input::Resolve { step, done } => {
            let bit = 1_u64.checked_shl(u32::from(*step)).unwrap_or(0);
            if unknown & bit == 0 {
                return Super;
            }
            let failed = if *done { failed } else { failed | bit };
            Transition(tally(rules, record, at, 0, failed, unknown & !bit))
        }
        Input::Close if region_of(at.phase) == RegionName::Closing => Transition(State::Steady),
        Input::Amend { rules: new, .. } if amendable(rules, new, at) => {
            Transition(State::Halted { at, failed, unknown })
        }
        Input::Start(_)
        | Input::Next
        | Input::Approve { .. }
        | Input::Reject
        | Input::Accept
        | Input::Abort
        | Input::Rollback { .. }
        | Input::Failover { .. }
        | Input::Skip { .. }
        | Input::Amend { .. }
        | Input::Close
        | Input::Step { .. }
        | Input::Settled
        | Input::Voided
        | Input::Due => Super,
    }
}

impl Leaf<Rules> for State {
    fn call_handler(
        &mut self,
        rules: &mut Rules,
        input: &Input,
        turn: &mut Turn<'_>,
    ) -> Outcome<Self> {
        let (rules, record) = (&*rules, turn.record);
        match (*self, input) {
            (Self::Steady, Input::Start(begin_with)) if may_start(record, begin_with) => {
                Transition(begin(rules, record, begin_with.kind, Way::Forth))
            }
            (Self::Steady, _) => Super,
            (Self::Doing { .. }, Input::Step { step, ended }) => {
                doing(rules, record, *self, *step, *ended)
            }
            (Self::Doing { .. }, _) => Super,
            (Self::Ready { at }, input) => ready(rules, record, at, input),
            (Self::Asking { at, until }, input) => asking(rules, record, at, until, input),
            (Self::Settling { at, to, failover }, Input::Settled) => {
                let kind = if failover { Kind::Failover } else { at.kind };
                Transition(begin(rules, record, kind, to))
            }
            (Self::Settling { .. }, _) => Super,
            (Self::Halted { .. }, input) => halted(rules, record, *self, input),
        }
    }

    fn call_entry_action(&mut self, _: &mut Rules, turn: &mut Turn<'_>) {
        match *self {
            Self::Steady | Self::Ready { .. } => (),
            Self::Doing { at, left, .. } => turn.wanted.extend(
                (0..64).filter(|bit| left >> bit & 1 == 1).map(|step| Effect::Run { at, step }),
            ),
            Self::Asking { until, .. } => {
                turn.wanted.extend(turn.record.packet.map(Effect::Ask));
                turn.wanted.push(Effect::Wake(until));
            }
            Self::Settling { .. } => turn.wanted.push(Effect::Settle),
            Self::Halted { at, .. } => turn.wanted.push(Effect::Tell(at)),
        }
    }

    fn superstate(&mut self) -> Option<Region> {
        let at = self.at()?;
        Some(match region_of(at.phase) {
            RegionName::Preparing => Region::Preparing(at),
            RegionName::Cutover => Region::Cutover(at),
            RegionName::Closing => Region::Closing(at),
        })
    }
}

impl Superstate<Rules> for Region {
    fn call_handler(
        &mut self,
        _: &mut Rules,
        input: &Input,
        turn: &mut Turn<'_>,
    ) -> Outcome<State> {
        let record = turn.record;
        let (Self::Preparing(at) | Self::Cutover(at) | Self::Closing(at)) = *self;
        let leave = |to, failover| Transition(State::Settling { at, to, failover });
        match (*self, input) {
            (Self::Preparing(_), Input::Abort) if at.way == Way::Forth => leave(Way::Abort, false),
            (Self::Cutover(_), Input::Rollback { loss_accepted })
                if at.way == Way::Forth && (*loss_accepted || !record.writes_since_swap) =>
            {
                leave(Way::Back, false)
            }
            (Self::Closing(_), Input::Rollback { loss_accepted: true })
                if at.way == Way::Forth && !record.renewed && at.kind != Kind::Rejoin =>
            {
                leave(Way::Back, false)
            }
            (_, Input::Failover { loss_accepted: true }) if at.kind != Kind::Failover => {
                leave(Way::Forth, true)
            }
            (Self::Preparing(_) | Self::Cutover(_) | Self::Closing(_), _) => Super,
        }
    }
}
