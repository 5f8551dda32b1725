//! The three doors: decide one input, fold a journal, say what a state wants now.

use serde::{Deserialize, Serialize};
use statig::Outcome;
use statig::blocking::{State as _, StateExt};

use crate::machine::entry::{Body, Entry, Fact};
use crate::machine::input::Input;
use crate::machine::life::Turn;
use crate::machine::record::Record;
use crate::machine::rules::Rules;
use crate::machine::state::{At, State};
use crate::model::{Digest, Evidence, Time};

/// One thing wanted now. The conductor starts what is missing of the whole set and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// This step is to be worked on.
    Run {
        /// Where.
        at: At,
        /// Which step.
        step: u8,
    },
    /// Open intents are to become known.
    Settle,
    /// People are to be asked about this packet.
    Ask(Digest),
    /// The machine is to be told when this time has come.
    Wake(Time),
    /// People are to be told that a run has halted here.
    Tell(At),
}

/// An input was not wanted in this state. Nothing changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The input's name.
    pub input: &'static str,
    /// The state it was given in.
    pub state: State,
}

/// What an input led to. Nothing has been adopted yet: write the entry first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turned {
    /// The line to write.
    pub entry: Entry,
    /// The record after that line.
    pub record: Record,
    /// The state after that line.
    pub state: State,
    /// What that state wants.
    pub wanted: Vec<Effect>,
}

/// What comes with an input: the person's reason, what was read, what else becomes true.
pub type Told = (Option<String>, Vec<Evidence>, Vec<Fact>);

/// Decides one input and changes nothing.
///
/// # Errors
/// The state does not want this input.
pub fn step(
    rules: &Rules,
    record: &Record,
    from: State,
    input: Input,
    by: &str,
    at: Time,
    (reason, evidence, facts): Told,
) -> Result<Turned, Refused> {
    let told = Record { now: at, ..record.clone() };
    let (mut seen, mut state) = (rules.clone(), from);
    let mut turn = Turn { record: &told, wanted: vec![] };
    let to = match state.handle(&mut seen, &input, &mut turn) {
        Outcome::Transition(to) => to,
        Outcome::Handled | Outcome::Super => {
            return Err(Refused { input: input.name(), state: from });
        }
    };
    debug_assert!(
        state == from && seen == *rules && turn.wanted.is_empty(),
        "handlers decide only"
    );
    let entry = Entry { at, body: Body::Decided { input, from, to, reason, evidence, facts } };
    let record = record.after(&entry, by);
    let wanted = resume(rules, &record, to);
    Ok(Turned { entry, record, state: to, wanted })
}

/// What a state wants now, whole; after a restart the same as after the step that led there.
pub fn resume(rules: &Rules, record: &Record, state: State) -> Vec<Effect> {
    let (mut seen, mut state) = (rules.clone(), state);
    let mut turn = Turn { record, wanted: vec![] };
    state.call_entry_action(&mut seen, &mut turn);
    turn.wanted
}

/// A journal does not say what the machine would have said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diverged {
    /// Where the entry says it led.
    pub recorded: State,
    /// What the machine says.
    pub computed: Option<State>,
}

/// Everything the machine is: what a journal folds to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Life {
    /// The rules of the open run, or of the last one.
    pub rules: Rules,
    /// Where it stands.
    pub state: State,
    /// What the journal says is true.
    pub record: Record,
}

impl Default for Life {
    fn default() -> Self {
        let rules = Rules { phases: vec![], gate: None, soak_seconds: 0 };
        Self { rules, state: State::Steady, record: Record::default() }
    }
}

/// Folds one more entry, checking that it leads where it says it led.
///
/// # Errors
/// The entry does not follow from what was before it; nothing is folded then.
pub fn replay(life: &mut Life, entry: &Entry, by: &str) -> Result<(), Diverged> {
    let Body::Decided { input, from, to, reason, evidence, facts } = &entry.body else {
        life.record = life.record.after(entry, by);
        return Ok(());
    };
    let rules = match input {
        Input::Start(begin) => &begin.rules,
        Input::Next
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
        | Input::Due => &life.rules,
    };
    let told = (reason.clone(), evidence.clone(), facts.clone());
    let (record, state) = (&life.record, life.state);
    let turned = step(rules, record, state, input.clone(), by, entry.at, told)
        .map_err(|_| Diverged { recorded: *to, computed: None })?;
    if turned.state != *to || *from != state {
        return Err(Diverged { recorded: *to, computed: Some(turned.state) });
    }
    let rules =
        if let Input::Amend { rules: new, .. } = input { (**new).clone() } else { rules.clone() };
    *life = Life { rules, state: turned.state, record: turned.record };
    Ok(())
}

/// The inputs of people that would be decided here, by name. Faces show these and derive nothing.
pub fn allowed(rules: &Rules, record: &Record, state: State) -> Vec<&'static str> {
    let mut names = vec![];
    let packet = record.packet.unwrap_or_default();
    let groups: Vec<String> = rules
        .gate
        .as_ref()
        .map(|gate| gate.approvers.keys().cloned().collect())
        .unwrap_or_default();
    let (failed, unknown) = match state {
        State::Halted { failed, unknown, .. } => (failed, unknown),
        State::Steady
        | State::Doing { .. }
        | State::Ready { .. }
        | State::Asking { .. }
        | State::Settling { .. } => (0, 0),
    };
    let skippable = state.at().and_then(|at| rules.phase(at.phase)).map_or(0, |it| it.skippable);
    let some_unknown = u8::try_from(unknown.trailing_zeros()).unwrap_or(0);
    let tried = [
        Input::Next,
        Input::Approve { packet, by: String::new(), groups },
        Input::Reject,
        Input::Accept,
        Input::Abort,
        Input::Rollback { loss_accepted: true },
        Input::Failover { loss_accepted: true },
        Input::Retry,
        Input::Skip { steps: failed & skippable },
        Input::Resolve { step: some_unknown, done: true },
        Input::Close,
    ];
    for input in tried {
        if matches!(input, Input::Skip { steps: 0 }) {
            continue;
        }
        let name = input.name();
        if step(rules, record, state, input, "", record.now, Told::default()).is_ok() {
            names.push(name);
        }
    }
    names
}
