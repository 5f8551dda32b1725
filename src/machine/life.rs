//! The chart itself: one match for the leaves, one for the regions, one for what each state wants.

use statig::Outcome::{self, Super, Transition};
use statig::blocking::{IntoStateMachine, State as Leaf, Superstate};

use crate::machine::doors::Effect;
use crate::machine::entry::Owed;
use crate::machine::gate::{approved, enough, may_approve};
use crate::machine::guard::{
    amendable, arrived, frozen_out, knows_failover, leaves_drill, may_close, may_skip, may_start,
    outlived, staying, stays, swap_untouched,
};
use crate::machine::input::{Ended, Input};
use crate::machine::path::{RegionName, path, region_of};
use crate::machine::record::Record;
use crate::machine::rules::Rules;
use crate::machine::state::{At, Region, State, Steps};
use crate::model::{Kind, Phase, Time, Way};

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
        None if following(at, record).is_none() => State::Steady,
        None => State::Ready { at },
    }
}

/// Where the walk goes after this phase.
pub fn following(at: At, record: &Record) -> Option<At> {
    let path = path(at.kind, at.way);
    let here = path.iter().position(|it| *it == at.phase)?;
    let rest = path.get(here + 1..).unwrap_or_default();
    let next = rest.iter().find(|phase| needed(at, **phase, record));
    match next {
        Some(&phase) => Some(At { phase, group: 0, tried: 1, ..at }),
        // A drill ends where it began: what it moved is moved back.
        None if at.kind == Kind::Drill && at.way == Way::Forth => first(at.kind, Way::Back),
        None => None,
    }
}

/// Where a walk begins.
fn first(kind: Kind, way: Way) -> Option<At> {
    path(kind, way).first().map(|&phase| At { kind, way, phase, group: 0, tried: 1 })
}

/// Closing leaves out what this walk has nothing to do for.
fn needed(at: At, phase: Phase, record: &Record) -> bool {
    // Giving up before anything went onto the standby needs no renewal of it.
    let as_it_was =
        at.way == Way::Abort && phase == Phase::Renew && !record.owed.contains(&Owed::Standby);
    // Rejoin mends the standby; production only if an earlier run or its own `sync_off` owes there.
    let whole = at.kind == Kind::Rejoin
        && at.way == Way::Forth
        && phase == Phase::Lift
        && !record.owes_on_production();
    // The lost site is fenced beside the swap, unless the diagnosis demands it before.
    let beside =
        phase == Phase::Fence && record.failing_over().is_some_and(|it| !it.consent.fence_first);
    !(as_it_was || whole || beside)
}

fn begin(rules: &Rules, record: &Record, kind: Kind, way: Way) -> State {
    let nothing_changed = way == Way::Abort && record.owed.is_empty();
    match first(kind, way) {
        Some(at) if !nothing_changed => enter(rules, record, at),
        Some(_) | None => State::Steady,
    }
}

fn onward(rules: &Rules, record: &Record, at: At) -> State {
    following(at, record).map_or(State::Steady, |next| enter(rules, record, next))
}

/// Validate from its first step: new answers, a new gate.
fn validate_again(rules: &Rules, record: &Record, at: At, tried: u8) -> State {
    enter(rules, record, At { phase: Phase::Validate, group: 0, tried, ..at })
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

fn bit(step: u8) -> Steps {
    1_u64.checked_shl(u32::from(step)).unwrap_or(0)
}

fn doing(rules: &Rules, record: &Record, state: State, input: &Input) -> Outcome<State> {
    let State::Doing { at, left, failed, unknown } = state else { return Super };
    let Input::Step { step, ended } = input else { return Super };
    let bit = bit(*step);
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

fn next(rules: &Rules, record: &Record, at: At) -> Outcome<State> {
    if at.phase == Phase::Validate && !approved(rules, record) {
        let lasts = rules.gate.as_ref().map_or(0, |gate| gate.lasts_seconds);
        return Transition(State::Asking { at, until: record.now.plus_seconds(lasts) });
    }
    // Soak ends with `accept`, never by itself.
    let waits = at.phase == Phase::Soak
        // What follows would be done to a site of which nobody knows whether users are on it.
        || at.phase == Phase::Swap && !arrived(record, at)
        || following(at, record).is_some_and(|to| frozen_out(record, to));
    if waits { Super } else { Transition(onward(rules, record, at)) }
}

fn ready(rules: &Rules, record: &Record, at: At, input: &Input) -> Outcome<State> {
    match input {
        Input::Next => next(rules, record, at),
        Input::Accept if at.phase == Phase::Soak => Transition(onward(rules, record, at)),
        // The steps of the swap ended well and yet nobody said that users have arrived: look again.
        Input::Retry if at.phase == Phase::Swap && !arrived(record, at) => {
            let tried = at.tried.saturating_add(1);
            Transition(enter(rules, record, At { group: 0, tried, ..at }))
        }
        Input::Voided if at.phase == Phase::Validate => {
            Transition(validate_again(rules, record, at, 1))
        }
        Input::Close if outlived(record, at) => Transition(State::Steady),
        Input::Amend { rules: new, .. } if amendable(rules, new, record, at) => {
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

fn asking(rules: &Rules, record: &Record, at: At, until: Time, input: &Input) -> Outcome<State> {
    let expired = record.now >= until;
    match input {
        Input::Approve { packet, by, groups }
            if !expired
                && Some(*packet) == record.packet
                && may_approve(rules, record, by, groups) =>
        {
            Transition(if enough(rules, record, Some((by, groups))) {
                State::Ready { at }
            } else {
                State::Asking { at, until }
            })
        }
        Input::Reject => Transition(State::Halted { at, failed: 0, unknown: 0 }),
        Input::Due if expired => Transition(State::Halted { at, failed: 0, unknown: 0 }),
        Input::Voided => Transition(validate_again(rules, record, at, 1)),
        Input::Amend { rules: new, .. } if amendable(rules, new, record, at) => {
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
        | Input::Settled
        | Input::Due => Super,
    }
}

fn halted(rules: &Rules, record: &Record, state: State, input: &Input) -> Outcome<State> {
    let State::Halted { at, failed, unknown } = state else { return Super };
    let tried = at.tried.saturating_add(1);
    match input {
        // Only a gate that people refused or let expire halts without a bad step.
        Input::Retry if failed | unknown == 0 => {
            Transition(validate_again(rules, record, at, tried))
        }
        // What is unknown is looked at before it may run again: its intent is still open.
        Input::Retry => Transition(State::Doing {
            at: At { tried, ..at },
            left: failed | unknown,
            failed: 0,
            unknown: 0,
        }),
        Input::Skip { steps } if may_skip(rules, at, failed, *steps) => {
            Transition(tally(rules, record, at, 0, failed & !steps, unknown))
        }
        Input::Resolve { step, done } if unknown & bit(*step) != 0 => {
            let failed = if *done { failed } else { failed | bit(*step) };
            Transition(tally(rules, record, at, 0, failed, unknown & !bit(*step)))
        }
        Input::Close if may_close(record, at) => Transition(State::Steady),
        Input::Amend { rules: new, .. } if amendable(rules, new, record, at) => {
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
        | Input::Resolve { .. }
        | Input::Amend { .. }
        | Input::Close
        | Input::Step { .. }
        | Input::Settled
        | Input::Voided
        | Input::Due => Super,
    }
}

fn steady(rules: &Rules, record: &Record, input: &Input) -> Outcome<State> {
    let Input::Start(begin_with) = input else { return Super };
    if !may_start(record, begin_with) {
        return Super;
    }
    Transition(begin(rules, record, begin_with.kind, Way::Forth))
}

fn settling(rules: &Rules, record: &Record, state: State, input: &Input) -> Outcome<State> {
    let State::Settling { at, to, failover } = state else { return Super };
    if !failover && fails_over(rules, at, input) {
        return Transition(State::Settling { at, to: Way::Forth, failover: true });
    }
    if !failover && leaves_drill(at, input) {
        return Transition(State::Steady);
    }
    // A failover bounds its wait; what is still unknown then stays open.
    let settled = *input == Input::Settled && (failover || record.intents.is_empty());
    if !settled {
        return Super;
    }
    if at.way == Way::Back && to == Way::Forth && !failover {
        return Transition(enter(rules, record, staying(record, at)));
    }
    let kind = if failover { Kind::Failover } else { at.kind };
    Transition(begin(rules, record, kind, to))
}

/// Whether this input gives production up, from here.
fn fails_over(rules: &Rules, at: At, input: &Input) -> bool {
    *input == Input::Failover { loss_accepted: true }
        && at.kind != Kind::Failover
        && knows_failover(rules)
}

impl Leaf<Rules> for State {
    fn call_handler(
        &mut self,
        rules: &mut Rules,
        input: &Input,
        turn: &mut Turn<'_>,
    ) -> Outcome<Self> {
        let (rules, record) = (&*rules, turn.record);
        match *self {
            Self::Steady => steady(rules, record, input),
            Self::Doing { .. } => doing(rules, record, *self, input),
            Self::Ready { at } => ready(rules, record, at, input),
            Self::Asking { at, until } => asking(rules, record, at, until, input),
            Self::Settling { .. } => settling(rules, record, *self, input),
            Self::Halted { .. } => halted(rules, record, *self, input),
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

    /// While a run settles it has been told where to go: only a failover is heard, by the leaf itself.
    fn superstate(&mut self) -> Option<Region> {
        let at = match *self {
            Self::Steady | Self::Settling { .. } => return None,
            Self::Doing { at, .. }
            | Self::Ready { at }
            | Self::Asking { at, .. }
            | Self::Halted { at, .. } => at,
        };
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
        rules: &mut Rules,
        input: &Input,
        turn: &mut Turn<'_>,
    ) -> Outcome<State> {
        let (rules, record) = (&*rules, turn.record);
        let (Self::Preparing(at) | Self::Cutover(at) | Self::Closing(at)) = *self;
        if leaves_drill(at, input) {
            return Transition(State::Steady);
        }
        if fails_over(rules, at, input) {
            return Transition(State::Settling { at, to: Way::Forth, failover: true });
        }
        if *input == Input::Abort && stays(record, at) {
            return Transition(State::Settling { at, to: Way::Forth, failover: false });
        }
        if at.way != Way::Forth {
            return Super;
        }
        let leave = |to| Transition(State::Settling { at, to, failover: false });
        match *self {
            // A failover may stand here while users are between the sites: then forward or nothing.
            Self::Preparing(_) if *input == Input::Abort && !record.moving() => leave(Way::Abort),
            Self::Cutover(_) if *input == Input::Voided && swap_untouched(record, at) => {
                Transition(validate_again(rules, record, at, 1))
            }
            Self::Cutover(_) if goes_back(input, record.writes_since_swap) => leave(Way::Back),
            // In lift an unknown outcome may already have let writes in: always with consent.
            Self::Closing(_)
                if at.kind != Kind::Rejoin && !record.renewed && goes_back(input, true) =>
            {
                leave(Way::Back)
            }
            Self::Preparing(_) | Self::Cutover(_) | Self::Closing(_) => Super,
        }
    }
}

/// Whether this input is a rollback that has the consent it needs.
fn goes_back(input: &Input, costs_writes: bool) -> bool {
    let Input::Rollback { loss_accepted } = *input else { return false };
    loss_accepted || !costs_writes
}
