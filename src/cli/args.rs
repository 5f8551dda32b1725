//! What can be typed: the verbs and the flags that every verb takes.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::cli::{
    arm, audit, chart, completions, drift, drill, embargo, explain, failback, failover, init, keep,
    ledger, lint, rehearse, rejoin, release, run, runbook, status, switchover, watch, whynot,
};
use crate::model::{SiteName, StepId};

const AFTER: &str = "\
Examples:
  changeover init gigadb                          read the world, put it under a journal
  changeover release start v4.4.0                 open a release and make every check
  changeover release next                         do exactly one phase
  changeover release next --confirm sydney        move users: the name is the consent
  changeover failover --dry-run                   production is down: what is seen, what it costs
  changeover why-not release next                 what stands in its way, and who can lift it
  changeover release rollback --confirm hk --reason 'search is broken'
  changeover status --json | jq .next             what to do next, for programs

Exit status:
  0  done, or nothing to do                  5  conflict: stale plan, other run, lock
  1  failed; stopped in a known state        6  outcome unknown: look, then `run retry`
  2  wrong usage; nothing changed            7  waiting for people
  3  refused by a check, policy or gate      8  differences found (--exit-code)
  4  this person may not do that             9  verification failed
  130  interrupted; the journal knows what was begun

Environment: CHANGEOVER_STATE, CHANGEOVER_WORKFLOWS, CHANGEOVER_SYSTEM, CHANGEOVER_USER, NO_COLOR";

/// Keeps two sites of a service apart and swaps their roles safely.
#[derive(Debug, Parser)]
#[command(name = "changeover", version, after_help = AFTER, disable_help_subcommand = true)]
#[command(subcommand_required = true, arg_required_else_help = true, max_term_width = 100)]
pub struct Cli {
    /// Flags of every verb.
    #[command(flatten)]
    pub global: Global,
    /// The verb.
    #[command(subcommand)]
    pub verb: Verb,
}

impl Cli {
    /// Reads what was typed. What is only asked about needs no reason: it is read as a dry run is.
    ///
    /// # Errors
    /// The words make no command, or ask for help.
    pub fn read<T: Into<OsString> + Clone>(typed: &[T]) -> Result<Self, clap::Error> {
        let read = Self::try_parse_from(typed.iter().cloned());
        let Err(error) = read else { return read };
        let words = typed.iter().cloned().map(Into::into).chain(["--dry-run".into()]);
        match Self::try_parse_from::<_, OsString>(words) {
            Ok(asked) if matches!(asked.verb, Verb::WhyNot(_)) => Ok(asked),
            Ok(_) | Err(_) => Err(error),
        }
    }
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` says otherwise.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Flags of every verb, before or after it.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that people type")]
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Where journals lie [env: `CHANGEOVER_STATE`] [default: state]
    #[arg(long, global = true, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Where workflow files lie [env: `CHANGEOVER_WORKFLOWS`] [default: workflows]
    #[arg(long, global = true, value_name = "DIR")]
    pub workflows: Option<PathBuf>,
    /// The system; needless when there is one [env: `CHANGEOVER_SYSTEM`]
    #[arg(short, long, global = true, value_name = "NAME")]
    pub system: Option<String>,
    /// Who you are; claimed, and written down as such [env: `CHANGEOVER_USER`]
    #[arg(long = "as", global = true, value_name = "NAME")]
    pub as_name: Option<String>,
    /// One document for programs on standard output
    #[arg(long, global = true)]
    pub json: bool,
    /// Never ask: what would be asked must be a flag
    #[arg(long, global = true)]
    pub no_input: bool,
    /// When to colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// No signs outside ASCII
    #[arg(long, global = true)]
    pub ascii: bool,
    /// No hints and no progress
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more on standard error; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// Flags of every command that changes something.
#[derive(Clone, Debug, Default, Args)]
pub struct Change {
    /// Only show the plan
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Answer [y/N] questions with yes; never a typed confirmation
    #[arg(short, long)]
    pub yes: bool,
    /// Why; kept in the journal
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// The same, for commands that want a reason.
#[derive(Clone, Debug, Args)]
pub struct Reasoned {
    /// Only show the plan
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Answer [y/N] questions with yes; never a typed confirmation
    #[arg(short, long)]
    pub yes: bool,
    /// Why; kept in the journal
    #[arg(long, value_name = "TEXT", required_unless_present = "dry_run")]
    pub reason: Option<String>,
}

impl From<Reasoned> for Change {
    fn from(it: Reasoned) -> Self {
        Self { dry_run: it.dry_run, yes: it.yes, reason: it.reason }
    }
}

/// How far a run that is opened goes by itself, and without which checks.
#[derive(Debug, Args)]
pub(super) struct Opening {
    /// Go on by itself to the gate
    #[arg(long)]
    pub(super) auto: bool,
    /// With --auto: the consent to the swap, given in advance
    #[arg(long, value_name = "SITE", value_parser = site_name, requires = "auto")]
    pub(super) confirm: Option<SiteName>,
    /// Go on without this check; wants --reason
    #[arg(long, value_name = "ID", value_parser = step_id, requires = "reason")]
    pub(super) waive: Vec<StepId>,
}

fn site_name(text: &str) -> Result<SiteName, std::convert::Infallible> {
    Ok(SiteName::from(text))
}

/// Reads a step's id.
pub(super) fn step_id(text: &str) -> Result<StepId, std::convert::Infallible> {
    Ok(StepId::from(text))
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Put a system under a journal: read who is production, set the first marks
    Init(init::Init),
    /// Who is production, is it true, what runs, what next
    Status(status::Status),
    /// Follow a run until it ends or waits for people
    Watch(watch::Watch),
    /// Where the world differs from the journal, and what settles it
    Drift(drift::Drift),
    /// What stands in the way of a command, with evidence, and who can lift it
    WhyNot(whynot::WhyNotArgs),
    /// Write the page with which people do the switch by hand
    Runbook(runbook::Runbook),
    /// Check workflow files
    Lint(lint::Lint),
    /// Bring a release into production, one phase at a time
    #[command(subcommand)]
    Release(release::Release),
    /// Change the roles of two healthy sites: a release without a new version
    Switchover(switchover::Switchover),
    /// Keep a failover ready on disk, so that it need not read anything first
    Arm(arm::Arm),
    /// Production is lost: say what that costs, move users, fence the lost site
    Failover(failover::Failover),
    /// Make the lost site a standby again, rebuilt from the new production
    Rejoin(rejoin::Rejoin),
    /// Go back after a failover: rejoin first, then switch over
    Failback(failback::Failback),
    /// Practise the swap and its way back on names that no users are on
    Drill(drill::Drill),
    /// Walk a plan in memory, with the faults you order; calls nobody, changes nothing
    Rehearse(rehearse::Rehearse),
    /// When each step of each plan was last proven, where and how
    Ledger(ledger::Ledger),
    /// Look at runs and mend a halted one
    #[command(subcommand)]
    Run(run::Run),
    /// Where writes are refused, and until when
    #[command(subcommand)]
    Embargo(embargo::Embargo),
    /// Copies of databases that are kept
    #[command(subcommand)]
    Keep(keep::Keep),
    /// Read and verify the journal
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Draw the life cycle
    Chart(chart::Chart),
    /// Print the page of an error code or of a kind of drift
    Explain(explain::Explain),
    /// Print the JSON Schema of workflow files
    Schema,
    /// Print completions for a shell
    Completions(completions::Completions),
    /// Print the version
    Version,
}
