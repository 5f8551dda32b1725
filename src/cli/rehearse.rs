//! `rehearse`: a plan walked in memory, in virtual time, with the faults a person orders.

use std::collections::BTreeMap;

use clap::Args;

use crate::app::{Happened, Rehearsed, Trouble, Wanted};
use crate::cli::{Outcome, Scene, ledger};
use crate::model::{Kind, StepId};
use crate::view::render::{Page, Paper};
use crate::view::words::{lasting, named};

/// Rehearses a plan.
#[derive(Debug, Args)]
pub struct Rehearse {
    /// The plan: release, switchover, failover, rejoin, drill
    #[arg(value_name = "PLAN", value_parser = ledger::kind)]
    plan: Kind,
    /// The system; needless when there is one
    system: Option<String>,
    /// What goes wrong on the way forth: STEP=fails, STEP=unknown or STEP=slow; may be given again
    #[arg(long, value_name = "STEP=KIND", value_parser = fault)]
    fault: Vec<(StepId, Trouble)>,
    /// The release that a rehearsed release brings
    #[arg(long, value_name = "VERSION", default_value = "next")]
    release: String,
}

pub(super) fn run(it: Rehearse, scene: &mut Scene<'_>) -> Outcome {
    let system = scene.desk.pick(it.system.as_deref())?;
    let faults: BTreeMap<StepId, Trouble> = it.fault.into_iter().collect();
    let wanted = Wanted { kind: it.plan, release: it.release, faults };
    let rehearsed = scene.desk.rehearse(&system, &wanted)?;
    let exit = rehearsed.exit.status();
    if scene.streams.json {
        scene.streams.document("changeover.rehearsal/v1", rehearsed)?;
    } else {
        let text = shown(&rehearsed, scene.streams.paper);
        scene.streams.answer(&text)?;
        scene.streams.hint(&format!("next: {}", rehearsed.next));
    }
    Ok(exit)
}

fn fault(text: &str) -> Result<(StepId, Trouble), String> {
    let kinds = [("fails", Trouble::Fails), ("unknown", Trouble::Unknown), ("slow", Trouble::Slow)];
    let (step, kind) = text.split_once('=').ok_or("write STEP=fails, STEP=unknown or STEP=slow")?;
    let found = kinds.into_iter().find(|(name, _)| *name == kind);
    let (_, trouble) = found.ok_or_else(|| format!("`{kind}` is none of fails, unknown, slow"))?;
    Ok((StepId::from(step), trouble))
}

fn shown(it: &Rehearsed, paper: Paper) -> String {
    let mut page = Page::new(paper);
    page.line(&format!(
        "REHEARSAL of a {} from {}, in memory: nothing outside was called, nothing is proven",
        it.plan.name(),
        it.from
    ));
    page.line("~ is a time that no run has measured yet");
    for moment in &it.timeline {
        let at = lasting(moment.after);
        match &moment.what {
            Happened::Typed { by, command } => {
                page.gap();
                page.line(&format!("{at:>8}  {by}: {command}"));
            }
            Happened::Phase { phase, way } => {
                page.line(&format!("{at:>8}  {}", named(*phase, *way)));
            }
            Happened::Step { step, mark, took, assumed, says } => {
                let sign = page.sign(*mark);
                let about = if *assumed { "~" } else { " " };
                let took = lasting(*took);
                page.line(&format!("{at:>8}    {sign} {step:<14} {about}{took:<8} {says}"));
            }
        }
    }
    page.gap();
    page.line(&format!("{:>8}  {}", lasting(it.took), it.sentence));
    for step in &it.unmet {
        page.line(&format!("          the fault ordered for {step} was never met"));
    }
    page.into_text()
}
