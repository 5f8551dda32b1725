//! State charts in Mermaid: the modes of any phase, the paths of a kind of run, the place of one run.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::chart::table::{INPUTS, Lead, table};
use crate::machine::{Life, RegionName, State, path, region_of};
use crate::model::{Kind, Phase, Way};

/// The modes of any phase and the inputs that lead from one to another, drawn from the table.
pub fn mermaid() -> String {
    let mut edges: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for row in table() {
        let from = row.name.split([' ', ',']).next().unwrap_or_default();
        for (cell, input) in row.cells.iter().zip(INPUTS) {
            for lead in &cell.leads {
                let inputs = edges.entry((from, mode(*lead))).or_default();
                if !inputs.contains(&input) {
                    inputs.push(input);
                }
            }
        }
    }
    let mut text = "stateDiagram-v2\n    [*] --> steady\n".to_owned();
    for ((from, to), inputs) in edges {
        add(&mut text, format_args!("    {from} --> {to}: {}", inputs.join(", ")));
    }
    text
}

const fn mode(lead: Lead) -> &'static str {
    match lead {
        Lead::Steady => "steady",
        Lead::Doing => "doing",
        Lead::Ready => "ready",
        Lead::Asking => "asking",
        Lead::Abort | Lead::Back | Lead::Failover => "settling",
        Lead::Halted => "halted",
    }
}

/// The paths of a kind of run: forth through its regions, and its ways out.
pub fn mermaid_kind(kind: Kind) -> String {
    let mut text = "stateDiagram-v2\n    direction LR\n    [*] --> steady\n".to_owned();
    let forth = path(kind, Way::Forth);
    for region in [RegionName::Preparing, RegionName::Cutover, RegionName::Closing] {
        let phases: Vec<Phase> =
            forth.iter().copied().filter(|it| region_of(*it) == region).collect();
        composite(&mut text, region_name(region), Way::Forth, &phases);
    }
    for (name, way) in [("rollback", Way::Back), ("abort", Way::Abort)] {
        composite(&mut text, name, way, path(kind, way));
    }
    for (from, to) in joints(kind) {
        add(&mut text, format_args!("    {from} --> {to}"));
    }
    for (from, to, input) in exits(kind) {
        add(&mut text, format_args!("    {from} --> {to}: {input}"));
    }
    text
}

/// The chart of the open run's kind, with the walked phases and the place it stands at coloured.
pub fn mermaid_run(life: &Life) -> String {
    let Some(at) = life.state.at() else { return mermaid_kind(Kind::Release) };
    let mut text = mermaid_kind(at.kind);
    text.push_str("    classDef walked fill:#d5e8d4,stroke:#4d7a4a\n");
    text.push_str("    classDef here fill:#fff2cc,stroke:#a8862c,stroke-width:3px\n");
    text.push_str("    classDef halted fill:#f8cecc,stroke:#a33a34,stroke-width:3px\n");
    for phase in path(at.kind, at.way).iter().take_while(|it| **it != at.phase) {
        add(&mut text, format_args!("    class {} walked", id(at.way, *phase)));
    }
    let class = if matches!(life.state, State::Halted { .. }) { "halted" } else { "here" };
    add(&mut text, format_args!("    class {} {class}", id(at.way, at.phase)));
    text
}

/// One composite state with its phases in a row; a way out of this name, if the kind has it.
fn composite(text: &mut String, name: &str, way: Way, phases: &[Phase]) {
    if phases.is_empty() {
        return;
    }
    add(text, format_args!("    state {name} {{"));
    for phase in phases {
        add(text, format_args!("        state \"{}\" as {}", phase.name(), id(way, *phase)));
    }
    for pair in phases.windows(2) {
        if let [from, to] = pair {
            add(text, format_args!("        {} --> {}", id(way, *from), id(way, *to)));
        }
    }
    add(text, format_args!("    }}"));
}

/// The steps between composite states, without an input of their own.
fn joints(kind: Kind) -> Vec<(String, String)> {
    let mut joints = vec![];
    for way in [Way::Forth, Way::Back, Way::Abort] {
        let path = path(kind, way);
        let (Some(first), Some(last)) = (path.first(), path.last()) else { continue };
        if way == Way::Forth {
            joints.push(("steady".to_owned(), id(way, *first)));
        }
        for pair in path.windows(2) {
            if let [from, to] = pair
                && way == Way::Forth
                && region_of(*from) != region_of(*to)
            {
                joints.push((id(way, *from), id(way, *to)));
            }
        }
        let turns = kind == Kind::Drill && way == Way::Forth;
        let end = if turns { id(Way::Back, Phase::Swap) } else { "steady".to_owned() };
        joints.push((id(way, *last), end));
    }
    joints
}

/// Which composite states people leave by which command.
fn exits(kind: Kind) -> Vec<(&'static str, &'static str, &'static str)> {
    let has = |way| !path(kind, way).is_empty();
    let walks = |region| path(kind, Way::Forth).iter().any(|it| region_of(*it) == region);
    let mut exits = vec![];
    if walks(RegionName::Preparing) {
        exits.push(("preparing", if has(Way::Abort) { "abort" } else { "steady" }, "abort"));
    }
    if walks(RegionName::Cutover) {
        exits.push(("cutover", "rollback", "rollback"));
        if walks(RegionName::Closing) {
            exits.push(("closing", "rollback", "rollback, before renew"));
        }
    }
    exits
}

const fn region_name(region: RegionName) -> &'static str {
    match region {
        RegionName::Preparing => "preparing",
        RegionName::Cutover => "cutover",
        RegionName::Closing => "closing",
    }
}

/// Names of states are unique in a chart: the way is part of them.
fn id(way: Way, phase: Phase) -> String {
    match way {
        Way::Forth => phase.name().to_owned(),
        Way::Back => format!("back_{}", phase.name()),
        Way::Abort => format!("abort_{}", phase.name()),
    }
}

fn add(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing into a `String` cannot fail.
    let _written = writeln!(text, "{line}");
}
