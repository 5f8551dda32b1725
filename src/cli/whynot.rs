//! `why-not`: what stands in the way of a command, with evidence and age, and who can lift it.

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::cli::order::Typed;
use crate::cli::{Outcome, Scene, Verb};
use crate::cli::{
    arm, drift, drill, embargo, failback, failover, init, keep, rejoin, release, run, switchover,
};
use crate::conductor::{Aged, Blocker, Order, WhyNot};
use crate::fault::{E2015, Fault};
use crate::model::SystemName;
use crate::view::render::{Page, Paper};
use crate::view::words::{Mark, count, lasting};

/// Readings shown of one thing; the document has them all.
const SHOWN: usize = 6;

/// Asks instead of doing. Changes nothing, writes nothing, locks nothing; needs neither reason nor consent.
#[derive(Debug, Args)]
pub struct WhyNotArgs {
    #[command(subcommand)]
    asked: Asked,
}

impl WhyNotArgs {
    /// The failover that is asked about.
    pub(super) fn failover(&self) -> Option<&failover::Failover> {
        if let Asked::Failover(it) = &self.asked { Some(it) } else { None }
    }
}

/// The commands that can be asked about: those that change something.
#[derive(Debug, Subcommand)]
enum Asked {
    /// Put a system under a journal
    Init(init::Init),
    /// Record that the world is right: `drift adopt`
    Drift(drift::Drift),
    /// Any verb of a release
    #[command(subcommand)]
    Release(release::Release),
    /// Change the roles of two healthy sites
    Switchover(switchover::Switchover),
    /// Keep a failover ready
    Arm(arm::Arm),
    /// Give production up
    Failover(failover::Failover),
    /// Make the lost site a standby again
    Rejoin(rejoin::Rejoin),
    /// Go back after a failover
    Failback(failback::Failback),
    /// Practise on names that no users are on
    Drill(drill::Drill),
    /// Any verb of a run
    #[command(subcommand)]
    Run(run::Run),
    /// Let an embargo last longer: `embargo extend`
    #[command(subcommand)]
    Embargo(embargo::Embargo),
    /// Give a kept copy up: `keep release`
    #[command(subcommand)]
    Keep(keep::Keep),
}

impl From<Asked> for Verb {
    fn from(asked: Asked) -> Self {
        match asked {
            Asked::Init(it) => Self::Init(it),
            Asked::Drift(it) => Self::Drift(it),
            Asked::Release(it) => Self::Release(it),
            Asked::Switchover(it) => Self::Switchover(it),
            Asked::Arm(it) => Self::Arm(it),
            Asked::Failover(it) => Self::Failover(it),
            Asked::Rejoin(it) => Self::Rejoin(it),
            Asked::Failback(it) => Self::Failback(it),
            Asked::Drill(it) => Self::Drill(it),
            Asked::Run(it) => Self::Run(it),
            Asked::Embargo(it) => Self::Embargo(it),
            Asked::Keep(it) => Self::Keep(it),
        }
    }
}

/// The verb as it would run; where it comes to its order, it is asked about instead.
pub(super) fn asked(args: WhyNotArgs) -> Result<Verb, Fault> {
    let only_reads = match &args.asked {
        Asked::Release(it) => it.only_reads(),
        Asked::Run(it) => it.only_reads(),
        Asked::Drift(it) => it.only_reads(),
        Asked::Embargo(it) => it.only_reads(),
        Asked::Keep(it) => it.only_reads(),
        Asked::Init(_)
        | Asked::Switchover(_)
        | Asked::Arm(_)
        | Asked::Failover(_)
        | Asked::Rejoin(_)
        | Asked::Failback(_)
        | Asked::Drill(_) => false,
    };
    if only_reads {
        return Err(Fault::new(&E2015, "this command only reads: nothing can stand in its way")
            .hint("ask about one that changes something: changeover why-not release next"));
    }
    Ok(args.asked.into())
}

/// Asks about one command.
pub(super) async fn answer(typed: Typed, system: &SystemName, scene: &mut Scene<'_>) -> Outcome {
    let order = Order { command: typed.command, reason: typed.change.reason, dry_run: false };
    let found = scene.desk.why_not(system, &order).await?;
    let exit = found.exit().status();
    if scene.streams.json {
        scene
            .streams
            .document("changeover.why-not/v1", Document { system, exit, found: &found })?;
    } else {
        let text = screen(system, &found, scene.streams.paper);
        scene.streams.answer(&text)?;
    }
    Ok(exit)
}

#[derive(Serialize)]
struct Document<'a> {
    system: &'a SystemName,
    exit: u8,
    #[serde(flatten)]
    found: &'a WhyNot,
}

fn screen(system: &SystemName, found: &WhyNot, paper: Paper) -> String {
    let mut page = Page::new(paper);
    if found.free {
        page.line(&format!("nothing: {}", found.command));
        found.notes.iter().for_each(|it| page.block("BESIDES", it));
        return page.into_text();
    }
    page.ends(&format!("WHY NOT {system}"), &format!("{} UTC", found.now.screen()));
    page.command("COMMAND", &found.command);
    for it in &found.blockers {
        page.gap();
        one(&mut page, it);
    }
    page.gap();
    for (i, it) in found.notes.iter().enumerate() {
        page.block(if i == 0 { "BESIDES" } else { "" }, it);
    }
    let unknown = found.blockers.iter().filter(|it| it.unknown).count();
    let unknown = if unknown == 0 { String::new() } else { format!(", {unknown} of them unknown") };
    let many = count(found.blockers.len(), "thing");
    let stand = if found.blockers.len() == 1 { "stands" } else { "stand" };
    page.line(&format!("{many} {stand} in the way{unknown}; nothing was changed"));
    page.into_text()
}

fn one(page: &mut Page, it: &Blocker) {
    let sign = page.sign(if it.unknown { Mark::Unknown } else { Mark::Failed });
    page.hang(&format!("{sign} "), 2, &format!("[{}] {}", it.code, it.says));
    if let Some(because) = &it.because {
        page.block("  because", because);
    }
    for read in it.evidence.iter().take(SHOWN) {
        page.block("  read", &aged(read));
    }
    if it.evidence.len() > SHOWN {
        page.block("", &format!("and {} more", it.evidence.len() - SHOWN));
    }
    page.block("  lifted by", &it.who);
    for (i, command) in it.commands.iter().enumerate() {
        page.command(if i == 0 { "  run" } else { "  or" }, command);
    }
}

fn aged(it: &Aged) -> String {
    format!("{}: {} ({} ago)", it.read.source, it.read.says, lasting(it.age_seconds))
}
