//! The table: where each shape of state is led by each input, found by asking the machine.

use std::collections::{BTreeMap, BTreeSet};

use crate::chart::sample;
use crate::machine::{At, RegionName, State, Told, region_of, step};
use crate::model::{Phase, Time, Way};

/// The inputs, as the columns of the table.
pub const INPUTS: [&str; 17] = [
    "start", "next", "approve", "reject", "accept", "abort", "rollback", "failover", "retry",
    "skip", "resolve", "amend", "close", "step", "settled", "voided", "due",
];

/// Where an input leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lead {
    /// The run is over.
    Steady,
    /// Steps are worked on.
    Doing,
    /// A phase is done.
    Ready,
    /// The gate waits.
    Asking,
    /// Settles, then gives up.
    Abort,
    /// Settles, then goes back.
    Back,
    /// Settles, then fails over.
    Failover,
    /// Halted.
    Halted,
}

impl Lead {
    /// Its sign in the table.
    pub const fn sign(self) -> char {
        match self {
            Self::Steady => 'S',
            Self::Doing => 'D',
            Self::Ready => 'R',
            Self::Asking => 'A',
            Self::Abort => 'a',
            Self::Back => 'b',
            Self::Failover => 'f',
            Self::Halted => 'H',
        }
    }
}

/// One field of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Where it leads; nowhere means refused.
    pub leads: BTreeSet<Lead>,
    /// Whether a guard may refuse it.
    pub guarded: bool,
}

impl Cell {
    /// As it stands in the table.
    pub fn text(&self) -> String {
        if self.leads.is_empty() {
            return "·".to_owned();
        }
        let signs: String = self.leads.iter().map(|it| it.sign()).collect();
        if self.guarded { signs + "?" } else { signs }
    }
}

/// One row of the table: a shape of states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The shape's name.
    pub name: &'static str,
    /// By input, in the order of [`INPUTS`].
    pub cells: Vec<Cell>,
}

const ROWS: [&str; 18] = [
    "steady",
    "doing preparing",
    "doing cutover",
    "doing closing",
    "doing, way out",
    "ready preparing",
    "ready validate",
    "ready cutover",
    "ready soak",
    "ready closing",
    "ready, way out",
    "asking",
    "settling",
    "settling, failover",
    "halted preparing",
    "halted cutover",
    "halted closing",
    "halted, way out",
];

/// The row a state belongs to.
pub fn row_of(state: &State) -> &'static str {
    match *state {
        State::Steady => "steady",
        State::Doing { at, .. } => {
            by_place(at, ["doing preparing", "doing cutover", "doing closing", "doing, way out"])
        }
        State::Ready { at } if at.way == Way::Forth && at.phase == Phase::Validate => {
            "ready validate"
        }
        State::Ready { at } if at.way == Way::Forth && at.phase == Phase::Soak => "ready soak",
        State::Ready { at } => {
            by_place(at, ["ready preparing", "ready cutover", "ready closing", "ready, way out"])
        }
        State::Asking { .. } => "asking",
        State::Settling { failover: false, .. } => "settling",
        State::Settling { failover: true, .. } => "settling, failover",
        State::Halted { at, .. } => by_place(
            at,
            ["halted preparing", "halted cutover", "halted closing", "halted, way out"],
        ),
    }
}

fn by_place(at: At, [preparing, cutover, closing, out]: [&'static str; 4]) -> &'static str {
    match (at.way, region_of(at.phase)) {
        (Way::Back | Way::Abort, _) => out,
        (Way::Forth, RegionName::Preparing) => preparing,
        (Way::Forth, RegionName::Cutover) => cutover,
        (Way::Forth, RegionName::Closing) => closing,
    }
}

/// How the table names the state that an input led to.
pub const fn lead_of(state: &State) -> Lead {
    match *state {
        State::Steady => Lead::Steady,
        State::Doing { .. } => Lead::Doing,
        State::Ready { .. } => Lead::Ready,
        State::Asking { .. } => Lead::Asking,
        State::Settling { failover: true, .. } => Lead::Failover,
        State::Settling { to: Way::Back, .. } => Lead::Back,
        State::Settling { to: Way::Abort | Way::Forth, .. } => Lead::Abort,
        State::Halted { .. } => Lead::Halted,
    }
}

/// Every shape of state against every input.
pub fn table() -> Vec<Row> {
    let rules = sample::rules();
    let records = sample::records();
    let mut cells: BTreeMap<(&str, &str), Cell> = BTreeMap::new();
    for state in sample::states() {
        for input in sample::inputs(&rules, state) {
            let cell = cells.entry((row_of(&state), input.name())).or_default();
            for record in &records {
                let at: Time = record.now;
                let told = Told::default();
                match step(&rules, record, state, input.clone(), "", at, told) {
                    Ok(turned) => {
                        cell.leads.insert(lead_of(&turned.state));
                    }
                    Err(_) => cell.guarded = true,
                }
            }
        }
    }
    let row = |name| Row {
        name,
        cells: INPUTS
            .iter()
            .map(|input| cells.get(&(name, *input)).cloned().unwrap_or_default())
            .collect(),
    };
    ROWS.into_iter().map(row).collect()
}

/// What the signs of the table mean.
pub const fn legend() -> &'static str {
    "S steady, D doing, R ready, A asking, H halted; settling towards: a abort, b way back, f failover; \
     ? if a guard holds; · refused"
}

/// The table as Markdown, readable as it stands.
pub fn table_text() -> String {
    let rows = table();
    let mut text = String::new();
    let mut line = |name: &str, fields: &[String]| {
        text.push_str(&format!("| {name:<18} |"));
        for (field, input) in fields.iter().zip(INPUTS) {
            let width = input.len().max(4);
            text.push_str(&format!(" {field:<width$} |"));
        }
        text.push('\n');
    };
    line("", &INPUTS.map(str::to_owned));
    line(&"-".repeat(18), &INPUTS.map(|it| "-".repeat(it.len().max(4))));
    for row in &rows {
        line(row.name, &row.cells.iter().map(Cell::text).collect::<Vec<_>>());
    }
    text
}
