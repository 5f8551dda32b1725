//! `run`: look at runs, and mend one that halted.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::args::{Change, Reasoned, step_id};
use crate::cli::order::{Typed, carry_out};
use crate::cli::{Outcome, Scene, consent, done, runs};
use crate::conductor::Command;
use crate::fault::{E1001, Fault};
use crate::model::{SiteName, StepId};

/// The verbs of a run.
#[derive(Debug, Subcommand)]
pub enum Run {
    /// List runs
    List,
    /// Show one run as phases against time
    Show(Number),
    /// Show the journal's lines of one run
    Logs(Logs),
    /// Look again, and try again what failed
    Retry(Plainly),
    /// Go on without a failed step; the workflow must allow it
    Skip(Skip),
    /// Say how a step of unknown outcome ended
    Resolve(Resolve),
    /// Start nothing new
    Pause(Plainly),
    /// Go on after a pause or a crash
    Resume(Plainly),
    /// Change the rules for what has not begun
    Amend(Amend),
    /// Take over a run that nobody drives, or a foreign mark
    Adopt(Adopt),
    /// Go on though a site that users have left does not serve
    Without(Without),
    /// End a run with something owed: halted in closing; a failover whose users have arrived; a drill
    Close(Why),
}

impl Run {
    /// Whether it changes nothing, or stands outside the journal.
    pub(super) const fn only_reads(&self) -> bool {
        match self {
            Self::List | Self::Show(_) | Self::Logs(_) => true,
            Self::Adopt(it) => it.cut_tail,
            Self::Retry(_)
            | Self::Skip(_)
            | Self::Resolve(_)
            | Self::Pause(_)
            | Self::Resume(_)
            | Self::Amend(_)
            | Self::Without(_)
            | Self::Close(_) => false,
        }
    }
}

/// A run's number.
#[derive(Debug, Args)]
pub struct Number {
    /// The run; the last one when absent
    run: Option<u32>,
}

/// A run's lines.
#[derive(Debug, Args)]
pub struct Logs {
    /// The run; the last one when absent
    run: Option<u32>,
    /// Only lines of this step
    #[arg(long, value_name = "ID")]
    step: Option<String>,
}

/// A command that may have a reason.
#[derive(Debug, Args)]
pub struct Plainly {
    /// The run; refused when another one is open
    run: Option<u32>,
    #[command(flatten)]
    change: Change,
}

/// A command that wants a reason.
#[derive(Debug, Args)]
pub struct Why {
    /// The run; refused when another one is open
    run: Option<u32>,
    #[command(flatten)]
    change: Reasoned,
}

/// Goes on without a site.
#[derive(Debug, Args)]
pub struct Without {
    /// The site that users have left and that does not serve
    site: String,
    #[command(flatten)]
    change: Reasoned,
}

/// Takes over.
#[derive(Debug, Args)]
pub struct Adopt {
    /// The run; refused when another one is open
    run: Option<u32>,
    /// Cut bytes off the end of the journal that may or may not have been a line (E4004); they are kept
    #[arg(long, conflicts_with = "run")]
    cut_tail: bool,
    /// Append what `failover --journal DIR` wrote there while this journal's disk was dead
    #[arg(long, value_name = "DIR", conflicts_with_all = ["run", "cut_tail"])]
    journal: Option<PathBuf>,
    #[command(flatten)]
    change: Reasoned,
}

/// Goes on without a step.
#[derive(Debug, Args)]
pub struct Skip {
    /// The step
    #[arg(value_parser = step_id)]
    step: StepId,
    #[command(flatten)]
    change: Reasoned,
}

/// Says how a step ended.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("end").required(true))]
pub struct Resolve {
    /// The step
    #[arg(value_parser = step_id)]
    step: StepId,
    /// Its end is true; you have seen it
    #[arg(long, group = "end")]
    done: bool,
    /// Its end is not true and cannot become so by itself
    #[arg(long, group = "end")]
    not_done: bool,
    #[command(flatten)]
    change: Reasoned,
}

/// New rules.
#[derive(Debug, Args)]
pub struct Amend {
    /// The new workflow file; only steps not yet begun may differ
    #[arg(long, value_name = "FILE")]
    workflow: PathBuf,
    #[command(flatten)]
    change: Reasoned,
}

pub(super) async fn run(run: Run, scene: &mut Scene<'_>) -> Outcome {
    let typed = match run {
        Run::List => return runs::list(None, scene),
        Run::Show(it) => return runs::show(it.run, None, scene),
        Run::Logs(it) => return runs::logs(it.run, it.step.as_deref(), scene),
        Run::Retry(it) => Typed::new(Command::Retry, it.change).of(it.run),
        Run::Skip(it) => Typed::new(Command::Skip { step: it.step }, it.change),
        Run::Resolve(it) => {
            Typed::new(Command::Resolve { step: it.step, done: it.done && !it.not_done }, it.change)
        }
        Run::Pause(it) => Typed::new(Command::Pause, it.change).of(it.run),
        Run::Resume(it) => Typed::new(Command::Resume, it.change).of(it.run),
        Run::Amend(it) => {
            let file = it.workflow.display().to_string();
            let text = std::fs::read_to_string(&it.workflow).map_err(|error| {
                Fault::new(&E1001, format!("{file} cannot be read")).because(error)
            })?;
            Typed::new(Command::Amend { text, file }, it.change)
        }
        Run::Adopt(it) if it.cut_tail => return cut_tail(it.change.into(), scene),
        Run::Adopt(Adopt { journal: Some(from), change, .. }) => {
            return join(&from, change.into(), scene);
        }
        Run::Adopt(it) => Typed::new(Command::Adopt, it.change).of(it.run),
        Run::Without(it) => Typed::new(Command::Without { site: SiteName(it.site) }, it.change),
        Run::Close(it) => Typed::new(Command::Close, it.change).of(it.run),
    };
    carry_out(typed, scene).await
}

/// What was written elsewhere comes behind the journal's last line.
fn join(from: &std::path::Path, change: Change, scene: &mut Scene<'_>) -> Outcome {
    let system = scene.desk.pick(None)?;
    if change.dry_run {
        let says = format!("would append the lines of {} that follow here", from.display());
        scene.streams.answer(&says)?;
        return done();
    }
    consent::yes("Append what was written elsewhere?", change.yes, scene.streams)?;
    let says = scene.desk.join(&system, from, change.reason.unwrap_or_default())?;
    scene.streams.answer(&says)?;
    done()
}

/// The journal cannot be folded here, so nothing of a run is asked.
fn cut_tail(change: Change, scene: &mut Scene<'_>) -> Outcome {
    let system = scene.desk.pick(None)?;
    if change.dry_run {
        scene
            .streams
            .answer("would cut the bytes after the last whole line and keep them under cut/")?;
        return done();
    }
    consent::yes("Cut the bytes after the journal's last whole line?", change.yes, scene.streams)?;
    let says = scene.desk.cut_tail(&system, change.reason.unwrap_or_default())?;
    scene.streams.answer(&says)?;
    done()
}
