//! The three doors: decide one input, fold a journal, say what a state wants now.

use serde::{Deserialize, Serialize};
use statig::Outcome;
use statig::blocking::{State as _, StateExt};

use crate::machine::entry::{Body, Entry, Fact};
use crate::machine::guard::may_start;
use crate::machine::input::{Begin, Input};
use crate::machine::life::Turn;
use crate::machine::record::Record;
use crate::machine::rules::{PhaseRule, Rules};
use crate::machine::state::{At, State};
use crate::model::{Digest, Evidence, Kind, Phase, Roles, SiteName, Time};

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
    /// Open intents are to become known; `settled` is heard when none is open, in a failover always.
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

/// The rules an input brings with it: those of a new run, or amended ones.
fn ruled_by(input: &Input) -> Option<&Rules> {
    if let Input::Start(begin) = input {
        Some(&begin.rules)
    } else if let Input::Amend { rules, .. } = input {
        Some(rules)
    } else {
        None
    }
}

/// Decides one input and changes nothing. A run that starts is decided by the rules it brings.
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
    let brought = if let Input::Start(begin) = &input { Some(begin.rules.clone()) } else { None };
    let rules = brought.as_ref().unwrap_or(rules);
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
        let rules =
            Rules { phases: vec![], gate: None, soak_seconds: 0, failover_soak_seconds: None };
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
    let told = (reason.clone(), evidence.clone(), facts.clone());
    let (record, state) = (&life.record, life.state);
    let turned = step(&life.rules, record, state, input.clone(), by, entry.at, told)
        .map_err(|_| Diverged { recorded: *to, computed: None })?;
    if turned.state != *to || *from != state {
        return Err(Diverged { recorded: *to, computed: Some(turned.state) });
    }
    let rules = match ruled_by(input) {
        Some(new) => new.clone(),
        None => life.rules.clone(),
    };
    *life = Life { rules, state: turned.state, record: turned.record };
    Ok(())
}

/// What people may do here, by name. Faces show these and derive nothing.
///
/// In steady these are the kinds of runs that could be opened (where the workflow has them), otherwise
/// inputs. Consent and approval are taken as given; times are those of the last entry.
pub fn allowed(rules: &Rules, record: &Record, state: State) -> Vec<&'static str> {
    if state == State::Steady {
        return startable(record);
    }
    let decided = |input: &Input| {
        step(rules, record, state, input.clone(), "", record.now, Told::default()).is_ok()
    };
    people_inputs(rules, record, state).iter().filter(|it| decided(it)).map(Input::name).collect()
}

fn people_inputs(rules: &Rules, record: &Record, state: State) -> [Input; 12] {
    let gate = rules.gate.as_ref();
    let groups = gate.map(|it| it.approvers.keys().cloned().collect()).unwrap_or_default();
    let (failed, unknown) = match state {
        State::Halted { failed, unknown, .. } => (failed, unknown),
        State::Steady
        | State::Doing { .. }
        | State::Ready { .. }
        | State::Asking { .. }
        | State::Settling { .. } => (0, 0),
    };
    let skippable = state.at().and_then(|at| rules.phase(at.phase)).map_or(0, |it| it.skippable);
    let workflow = record.run.as_ref().map(|it| it.workflow).unwrap_or_default();
    [
        Input::Next,
        Input::Approve { packet: record.packet.unwrap_or_default(), by: String::new(), groups },
        Input::Reject,
        Input::Accept,
        Input::Abort,
        Input::Rollback { loss_accepted: true },
        Input::Failover { loss_accepted: true },
        Input::Retry,
        Input::Skip { steps: failed & skippable },
        Input::Resolve { step: u8::try_from(unknown.trailing_zeros()).unwrap_or(64), done: true },
        Input::Amend { rules: Box::new(rules.clone()), workflow },
        Input::Close,
    ]
}

fn startable(record: &Record) -> Vec<&'static str> {
    let Some(Roles::Settled { production }) = &record.roles else { return vec![] };
    let other = SiteName(format!("not {production}"));
    let begin = |kind| Begin {
        kind,
        version: None,
        production: production.clone(),
        standby: record.quarantined.clone().unwrap_or_else(|| other.clone()),
        workflow: Digest::default(),
        rules: Rules {
            phases: vec![PhaseRule {
                phase: Phase::Assess,
                steps: vec![],
                groups: vec![],
                skippable: 0,
            }],
            gate: None,
            soak_seconds: 0,
            failover_soak_seconds: None,
        },
        outside: vec![],
        loss_accepted: true,
    };
    [Kind::Release, Kind::Switchover, Kind::Failover, Kind::Rejoin, Kind::Drill]
        .into_iter()
        .filter(|kind| may_start(record, &begin(*kind)))
        .map(Kind::name)
        .collect()
}
