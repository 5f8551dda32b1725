//! `drift`: where the world differs from the journal. Reads only; `drift adopt` records that the world is right.

mod screen;
mod watch;

use std::time::Duration;

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::app::Drift as Looked;
use crate::cli::args::Reasoned;
use crate::cli::order::{Typed, carry_out};
use crate::cli::{Outcome, Scene, consent};
use crate::conductor::Command;
use crate::drift::Difference;
use crate::fault::{E2041, Exit, Fault};
use crate::model::{Evidence, SiteName, SystemName, Time};
use crate::view::Target;
use crate::workflow::Lasting;

/// Reads the switch at its provider and at its authority, where writes are accepted, jobs, marks and releases,
/// and names each disagreement with the journal. What could not be read is unknown, never "no drift".
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Drift {
    /// The system; needless when there is one
    system: Option<String>,
    /// End with 8 when something differs, with 6 when nothing does and something could not be read
    #[arg(long)]
    exit_code: bool,
    /// Look again and again; a line for each change
    #[arg(long)]
    watch: bool,
    /// With --watch: from one look to the next; a source that takes longer is unknown
    #[arg(long, value_name = "DUR", default_value = "5s", value_parser = lasting, requires = "watch")]
    every: Lasting,
    /// With --watch: stop after this time
    #[arg(long = "for", value_name = "DUR", value_parser = lasting, requires = "watch")]
    lasting: Option<Lasting>,
    #[command(subcommand)]
    verb: Option<Verb>,
}

/// What can be done about it.
#[derive(Debug, Subcommand)]
enum Verb {
    /// Record that the world is right: who is production, addresses, releases, marks
    Adopt(Adopt),
}

/// Records that the world is right.
#[derive(Debug, Args)]
struct Adopt {
    /// The system; needless when there is one
    system: Option<String>,
    /// The site that is production by the world
    #[arg(long, value_name = "SITE")]
    confirm: Option<String>,
    #[command(flatten)]
    change: Reasoned,
}

impl Drift {
    /// Whether it changes nothing.
    pub(super) const fn only_reads(&self) -> bool {
        self.verb.is_none()
    }
}

fn lasting(text: &str) -> Result<Lasting, String> {
    serde_json::from_value(text.into()).map_err(|error| error.to_string())
}

pub(super) async fn run(args: Drift, scene: &mut Scene<'_>) -> Outcome {
    if let Some(Verb::Adopt(it)) = args.verb {
        return adopt(it, scene).await;
    }
    let system = scene.desk.pick(args.system.as_deref())?;
    if args.watch {
        let every = args.every.0.max(Duration::from_secs(1));
        return watch::run(&system, (every, args.lasting, args.exit_code), scene).await;
    }
    let looked = scene.desk.drift(&system, None).await?;
    if scene.streams.json {
        scene.streams.document("changeover.drift/v1", Document::of(&system, &looked))?;
    } else {
        let text = screen::screen(&system, &looked, scene.streams.paper);
        scene.streams.answer(&text)?;
    }
    Ok(status(&looked, args.exit_code))
}

/// 8 when something differs, 6 when only something is unknown; 0 unless that was asked for.
fn status(looked: &Looked, asked: bool) -> u8 {
    let exit = match &looked.report {
        _ if !asked => Exit::Done,
        it if !it.differences.is_empty() => Exit::Differences,
        it if !it.unknown.is_empty() => Exit::Unknown,
        _ => Exit::Done,
    };
    exit.status()
}

/// The answer for programs.
#[derive(Serialize)]
struct Document<'a> {
    system: &'a SystemName,
    now: Time,
    /// By the journal.
    recorded: Option<&'a SiteName>,
    /// By every record of the switch.
    observed: Option<&'a SiteName>,
    differences: &'a [Difference],
    unknown: &'a [Evidence],
    notes: &'a [String],
    adoptable: bool,
}

impl<'a> Document<'a> {
    fn of(system: &'a SystemName, looked: &'a Looked) -> Self {
        let report = &looked.report;
        Self {
            system,
            now: looked.glance.now,
            recorded: looked.glance.life.record.production(),
            observed: report.production.as_ref(),
            differences: &report.differences,
            unknown: &report.unknown,
            notes: &report.notes,
            adoptable: looked.adoption.as_ref().is_ok_and(|it| !it.is_empty()),
        }
    }
}

/// The name to type is the site that the world calls production: so the world is looked at first.
async fn adopt(args: Adopt, scene: &mut Scene<'_>) -> Outcome {
    let mut confirm = args.confirm.map(SiteName);
    if confirm.is_none() && !args.change.dry_run && !scene.asks {
        let system = scene.desk.pick(args.system.as_deref())?;
        let looked = scene.desk.drift(&system, None).await?;
        let adoption = looked.adoption.as_ref().map_err(|first| {
            Fault::new(&E2041, "the world cannot be adopted as it is").because(first.join("; "))
        })?;
        let target = Target { site: adoption.production.clone(), loses_writes: false };
        if scene.streams.person.is_some() {
            scene.streams.aside.say(&screen::screen(&system, &looked, scene.streams.paper));
            scene.streams.aside.say(&format!("To be recorded: {}", adoption.says.join("; ")));
        }
        consent::typed(&target, false, scene.streams)?;
        confirm = Some(target.site);
    }
    let command = Command::DriftAdopt { confirm };
    carry_out(Typed { system: args.system, ..Typed::new(command, args.change) }, scene).await
}
