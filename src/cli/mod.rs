//! The commands: parse, ask the person where it is dangerous, order, show. One file a verb.
//!
//! Standard output carries the answer, standard error everything else. [`run`] is the whole of it behind a
//! [`Desk`] and [`Streams`], so that tests can stand on either side.

mod args;
mod arm;
mod audit;
mod chart;
mod completions;
mod consent;
mod desk;
mod drift;
mod drill;
mod embargo;
mod explain;
mod failback;
mod failover;
mod init;
mod keep;
mod ledger;
mod lint;
mod order;
mod problem;
mod progress;
mod rehearse;
mod rejoin;
mod release;
mod run;
mod runbook;
mod runs;
mod schema;
mod status;
mod streams;
mod switchover;
mod version;
mod watch;
mod whynot;

pub use args::{Change, Cli, Color, Global, Verb};
pub use desk::{Desk, Program};
pub use progress::Plain;
pub use streams::{Aside, Prompt, Streams, Terminal};

use std::ffi::OsString;
use std::io::IsTerminal;

use anstream::ColorChoice;

use crate::app::{Flags, Settings};
use crate::fault::{E2015, Exit, Fault};
use crate::view::render::Paper;

/// The status of a command that was interrupted, as shells have it.
const INTERRUPTED: u8 = 130;

/// How a verb ends: the process's status, or what went wrong.
type Outcome = Result<u8, Fault>;

/// One command with its surroundings.
struct Scene<'a> {
    desk: &'a dyn Desk,
    streams: &'a mut Streams,
    /// What would be ordered is asked about instead.
    asks: bool,
}

/// The process: parse, run, print, exit status.
pub fn main(typed: &[OsString]) -> u8 {
    let cli = match Cli::read(typed) {
        Ok(cli) => cli,
        Err(error) => return problem::unparsed(&error, typed),
    };
    color(cli.global.color);
    tell(cli.global.verbose);
    let typed = typed.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let mut streams = surroundings(&cli.global, typed);
    let flags = Flags {
        state: cli.global.state.clone(),
        workflows: cli.global.workflows.clone(),
        system: cli.global.system.clone(),
        as_name: cli.global.as_name.clone(),
    };
    let settings = Settings::read(flags).and_then(|it| failover::settled(it, &cli.verb));
    let ran = settings.map(Program).and_then(|desk| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime
            .map_err(|error| Fault::new(&E2015, "the runtime cannot start").because(error))?;
        let status = runtime.block_on(run(cli, &desk, &mut streams));
        // A step that was interrupted may be waiting for the world; its journal line is written.
        runtime.shutdown_background();
        Ok(status)
    });
    ran.unwrap_or_else(|fault| problem::told(&fault, &streams))
}

/// Runs one parsed command and tells what went wrong. Returns the exit status.
pub async fn run(cli: Cli, desk: &dyn Desk, streams: &mut Streams) -> u8 {
    let mut scene = Scene { desk, streams, asks: false };
    match verb(cli.verb, &mut scene).await {
        Ok(status) => status,
        Err(fault) => problem::told(&fault, scene.streams),
    }
}

async fn verb(typed: Verb, scene: &mut Scene<'_>) -> Outcome {
    match typed {
        Verb::Init(it) => init::run(it, scene).await,
        Verb::Status(it) => status::run(&it, scene).await,
        Verb::Watch(it) => watch::run(&it, scene).await,
        Verb::Drift(it) => drift::run(it, scene).await,
        Verb::Lint(it) => lint::run(&it, scene),
        Verb::WhyNot(it) => {
            scene.asks = true;
            Box::pin(verb(whynot::asked(it)?, scene)).await
        }
        Verb::Runbook(it) => runbook::run(it, scene).await,
        Verb::Release(it) => release::run(it, scene).await,
        Verb::Switchover(it) => switchover::run(it, scene).await,
        Verb::Arm(it) => arm::run(it, scene).await,
        Verb::Failover(it) => failover::run(it, scene).await,
        Verb::Rejoin(it) => rejoin::run(it, scene).await,
        Verb::Drill(it) => drill::run(it, scene).await,
        Verb::Failback(it) => failback::run(it, scene).await,
        Verb::Rehearse(it) => rehearse::run(it, scene),
        Verb::Ledger(it) => ledger::run(&it, scene),
        Verb::Run(it) => run::run(it, scene).await,
        Verb::Embargo(it) => embargo::run(it, scene).await,
        Verb::Keep(it) => keep::run(it, scene).await,
        Verb::Audit(it) => audit::run(&it, scene),
        Verb::Chart(it) => chart::run(&it, scene),
        Verb::Explain(it) => explain::run(&it, scene),
        Verb::Schema => schema::run(scene),
        Verb::Completions(it) => completions::run(&it, scene),
        Verb::Version => version::run(scene),
    }
}

const fn done() -> Outcome {
    Ok(Exit::Done.status())
}

fn color(color: Color) {
    match color {
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    }
    .write_global();
}

/// What the program says of itself goes to standard error.
fn tell(verbose: u8) {
    let level = match verbose {
        0 => tracing::Level::WARN,
        1 => tracing::Level::INFO,
        _ => tracing::Level::DEBUG,
    };
    let told = tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(level);
    if told.without_time().try_init().is_err() {
        tracing::debug!("somebody else listens already");
    }
}

fn surroundings(global: &Global, typed: Vec<String>) -> Streams {
    let aside = Aside::new(anstream::stderr());
    let asked = std::io::stdin().is_terminal() && !global.no_input;
    let screen = std::io::stdout().is_terminal();
    let width = terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0));
    Streams {
        out: Box::new(anstream::stdout()),
        person: if asked { Some(Box::new(Terminal(aside.clone()))) } else { None },
        aside,
        paper: Paper { width: width.clamp(40, 120), ascii: global.ascii },
        screen,
        live: std::io::stderr().is_terminal(),
        json: global.json,
        quiet: global.quiet,
        verbose: global.verbose > 0,
        typed,
        gone: false,
    }
}
