//! A rehearsal: the real conductor and machine walk a plan in a world in memory, in virtual time, with the faults a
//! person orders. Nothing outside is called, and the journal of the system is only read.

mod walk;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::app::{Settings, folder, read_own, text_of, usual};
use crate::clock::StagedClock;
use crate::fault::{E2001, E2012, Exit, Fault};
use crate::journal;
use crate::machine::State;
use crate::model::{Kind, Phase, SiteName, StepId, SystemName, Way};
use crate::port::Line;
use crate::view::Mark;
use crate::workflow::Workflow;
use world::Stage;

/// What goes wrong with a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// It fails in a known state.
    Fails,
    /// Nobody knows: a check cannot be made, a request gets no answer.
    Unknown,
    /// It takes ten times as long.
    Slow,
}

/// What is to be rehearsed.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The plan.
    pub kind: Kind,
    /// The release it would bring; only a release has one.
    pub release: String,
    /// What goes wrong on the way forth, by step.
    pub faults: BTreeMap<StepId, Trouble>,
}

/// One thing that happened, seconds after the beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Moment {
    /// When it began, seconds after the beginning.
    pub after: i64,
    /// What.
    #[serde(flatten)]
    pub what: Happened,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "happened", rename_all = "snake_case")]
pub enum Happened {
    /// A person gave this command.
    Typed {
        /// Who.
        by: String,
        /// The command.
        command: String,
    },
    /// A phase was entered.
    Phase {
        /// Which.
        phase: Phase,
        /// Which way.
        way: Way,
    },
    /// A step ended.
    Step {
        /// Which.
        step: StepId,
        /// How.
        mark: Mark,
        /// How long it took, seconds.
        took: i64,
        /// Nobody has measured that yet.
        assumed: bool,
        /// What was seen.
        says: String,
    },
}

/// How a rehearsal went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rehearsed {
    /// The plan.
    pub plan: Kind,
    /// The site users were on.
    pub from: SiteName,
    /// What happened, in order.
    pub timeline: Vec<Moment>,
    /// How long it took altogether, seconds.
    pub took: i64,
    /// Where it ended.
    pub state: State,
    /// How the last command would have ended.
    #[serde(skip)]
    pub exit: Exit,
    /// One sentence: where it ended and why.
    pub sentence: String,
    /// The command that goes on.
    pub next: String,
    /// Ordered faults that no step met.
    pub unmet: Vec<StepId>,
}

/// Rehearses a plan of this system's file, from where its journal says users are. Reads the file and the journal;
/// writes nothing and calls nobody.
///
/// # Errors
/// The file or the journal cannot be read, the file does not have that plan, or the plan has no such step.
pub fn rehearse(
    settings: &Settings,
    system: &SystemName,
    wanted: &Wanted,
) -> Result<Rehearsed, Fault> {
    let (text, file) = text_of(settings, system)?;
    let workflow = Arc::new(read_own(system, &text, &file)?);
    known(&workflow, wanted)?;
    let lines = journal::read(&folder(settings, system))?;
    let life = journal::fold(&lines)?;
    let lines: Vec<Line> = lines.into_iter().map(|it| it.line).collect();
    let first = workflow.sites.keys().next().cloned();
    let production = life
        .record
        .production()
        .cloned()
        .or(first)
        .ok_or_else(|| Fault::new(&E2012, format!("{file} names no site")))?;
    let mut releases = life.record.releases;
    for site in workflow.sites.keys() {
        releases.entry(site.clone()).or_insert_with(|| "now".to_owned());
    }
    let clock = StagedClock::new(settings.clock.now());
    let stage = Stage {
        clock: clock.clone(),
        production,
        releases,
        takes: usual(&lines),
        so: Arc::default(),
    };
    let walk = walk::Walk::new(system, workflow, text, stage, &settings.actor.name);
    let ended = clock.run(walk.whole(wanted));
    ended.unwrap_or_else(|| {
        Err(Fault::new(&E2001, "the rehearsal waits for something that never comes")
            .because("an order was given that nothing answers"))
    })
}

/// The plan is in the file, and the steps that shall go wrong are in the plan.
fn known(workflow: &Workflow, wanted: &Wanted) -> Result<(), Fault> {
    let name = wanted.kind.name();
    let absent = match wanted.kind {
        Kind::Release | Kind::Switchover => false,
        Kind::Failover => workflow.failover.is_none(),
        Kind::Rejoin => workflow.rejoin.is_none() || workflow.failover.is_none(),
        Kind::Drill => workflow.drill.is_none(),
    };
    if absent {
        return Err(Fault::new(&E2001, format!("the workflow has no plan for a {name}"))
            .hint(format!("add the section `{name}`")));
    }
    let walked = workflow.clone().walked_as(wanted.kind);
    let phases = crate::machine::path(wanted.kind, Way::Forth);
    let steps: Vec<&StepId> = phases
        .iter()
        .flat_map(|phase| walked.steps(*phase))
        .filter(|it| !it.is_gate() && !walked.dropped(wanted.kind).contains(&it.id))
        .map(|it| &it.id)
        .collect();
    match wanted.faults.keys().find(|id| !steps.contains(id)) {
        None => Ok(()),
        Some(id) => Err(Fault::new(&E2012, format!("a {name} has no step `{id}`"))
            .hint(format!("changeover ledger --plan {name} lists its steps"))),
    }
}
