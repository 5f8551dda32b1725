//! The page on failover: which check each command demands, what each diagnosis is made by, what a failover
//! does to an open run. Made from the code and the workflow; `docs/failover.md` is this text.

use std::fmt::Write as _;

use crate::machine::{Affected, Diagnosis, MAX_AGE_SECONDS, onward_of, path};
use crate::model::{Kind, Phase, Way};
use crate::workflow::Workflow;
use crate::workflow::step::{InFailover, Step};

/// The commands of the table, in its order.
const KINDS: [Kind; 4] = [Kind::Release, Kind::Switchover, Kind::Failover, Kind::Rejoin];

/// Which check each command demands, asks or drops.
pub fn demands(workflow: &Workflow) -> String {
    let mut text = "| phase | step | kind | release | switchover | failover | rejoin |\n| --- | --- | --- | --- | --- | --- | --- |\n".to_owned();
    for phase in Phase::ALL {
        for step in workflow.steps(phase) {
            let cells: Vec<&str> =
                KINDS.iter().map(|kind| demand(workflow, *kind, phase, step)).collect();
            // Writing to a string does not fail.
            let _written = writeln!(
                text,
                "| {} | `{}` | `{}` | {} |",
                phase.name(),
                step.id,
                step.kind(),
                cells.join(" | ")
            );
        }
    }
    text
}

/// One cell: what this command does with this step.
pub fn demand(workflow: &Workflow, kind: Kind, phase: Phase, step: &Step) -> &'static str {
    if !path(kind, Way::Forth).contains(&phase) {
        return "-";
    }
    let drops = workflow.rejoin.as_ref().is_some_and(|it| it.drops.contains(&step.id));
    if kind == Kind::Rejoin && step.is_check() && drops {
        return "dropped";
    }
    if kind != Kind::Failover {
        return "demanded";
    }
    match (phase, step.failover) {
        // What cannot be reached is owed and holds nothing up.
        (Phase::Fence, _) | (_, Some(InFailover::Asked)) => "asked",
        (_, Some(InFailover::Dropped)) => "dropped",
        (_, Some(InFailover::Demanded) | None) => "demanded",
    }
}

/// The diagnoses, in the order in which they are looked for.
pub fn diagnoses() -> String {
    let mut text = format!(
        "The first that fits is the one. A witness older than {MAX_AGE_SECONDS} s says nothing.\n\n| diagnosis | made by | failover | the lost site is fenced |\n| --- | --- | --- | --- |\n"
    );
    for it in Diagnosis::ALL {
        let (may, fence) = match it.actionable() {
            Ok(()) if it.fence_first() => ("yes".to_owned(), "before users are moved"),
            Ok(()) => ("yes".to_owned(), "while users are moved"),
            Err(instead) => (format!("no: {instead}"), "-"),
        };
        let _written = writeln!(text, "| `{}` | {} | {may} | {fence} |", it.name(), it.made_by());
    }
    text
}

/// What a failover does to an open run: its phase against what is lost.
pub fn in_the_way() -> String {
    let mut text = String::new();
    for (way, title) in
        [(Way::Forth, "On the way forth"), (Way::Back, "Going back"), (Way::Abort, "Given up")]
    {
        let heads: Vec<&str> = Affected::ALL.iter().map(|it| it.name()).collect();
        let _written = writeln!(
            text,
            "{title}:\n\n| phase | {} |\n| --- | --- | --- | --- |",
            heads.join(" | ")
        );
        for phase in path(Kind::Release, way) {
            let cells: Vec<&str> =
                Affected::ALL.iter().map(|it| onward_of(*phase, way, *it).words()).collect();
            let _written = writeln!(text, "| {} | {} |", phase.name(), cells.join(" | "));
        }
        text.push('\n');
    }
    text.trim_end().to_owned() + "\n"
}
