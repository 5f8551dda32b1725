//! `release`: bring a release into production, one phase at a time.

use clap::{Args, Subcommand};

use crate::cli::args::{Change, Opening, Reasoned, step_id};
use crate::cli::order::{Typed, carry_out};
use crate::cli::{Outcome, Scene, runs};
use crate::conductor::Command;
use crate::fault::{E2008, E2015, Fault};
use crate::model::{Digest, Kind, SiteName, StepId};

/// The verbs of a release.
#[derive(Debug, Subcommand)]
pub enum Release {
    /// Open a release and make every check that can be made now; changes nothing yet
    Start(Start),
    /// List releases
    List,
    /// Show one release as phases against time
    Show(Number),
    /// Do exactly one phase
    Next(Next),
    /// Approve what was shown
    Approve(Approve),
    /// Refuse what was shown
    Reject(Why),
    /// The release stays; writes are allowed next
    Accept(Plainly),
    /// Move users back
    Rollback(Rollback),
    /// Give up before the swap and put back what was changed
    Abort(Why),
}

impl Release {
    /// Whether it changes nothing.
    pub(super) const fn only_reads(&self) -> bool {
        matches!(self, Self::List | Self::Show(_))
    }
}

/// A run's number.
#[derive(Debug, Args)]
pub struct Number {
    /// The run; the last one when absent
    run: Option<u32>,
}

/// Opens a release.
#[derive(Debug, Args)]
pub struct Start {
    /// The release, as its tag is called
    version: String,
    #[command(flatten)]
    opening: Opening,
    #[command(flatten)]
    change: Change,
}

/// Does one phase.
#[derive(Debug, Args)]
pub struct Next {
    /// The run; refused when another one is open
    run: Option<u32>,
    /// Go on by itself to the next gate, swap or soak
    #[arg(long)]
    auto: bool,
    /// Before a swap: the site that will be production
    #[arg(long, value_name = "SITE")]
    confirm: Option<String>,
    /// Go on without this check; wants --reason
    #[arg(long, value_name = "ID", value_parser = step_id, requires = "reason")]
    waive: Vec<StepId>,
    #[command(flatten)]
    change: Change,
}

/// Approves.
#[derive(Debug, Args)]
pub struct Approve {
    /// The run; refused when another one is open
    run: Option<u32>,
    /// What you looked at
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// The digest of what you were shown, or its first 12 digits
    #[arg(long, value_name = "DIGEST")]
    packet: Option<String>,
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

/// A command that may have a reason.
#[derive(Debug, Args)]
pub struct Plainly {
    /// The run; refused when another one is open
    run: Option<u32>,
    #[command(flatten)]
    change: Change,
}

/// Moves users back.
#[derive(Debug, Args)]
pub struct Rollback {
    /// The run; refused when another one is open
    run: Option<u32>,
    /// The site that will be production
    #[arg(long, value_name = "SITE")]
    confirm: Option<String>,
    /// Accept the loss of writes made since they were allowed
    #[arg(long)]
    accept_data_loss: bool,
    #[command(flatten)]
    change: Reasoned,
}

pub(super) async fn run(release: Release, scene: &mut Scene<'_>) -> Outcome {
    let typed = match release {
        Release::List => return runs::list(Some(Kind::Release), scene),
        Release::Show(number) => return runs::show(number.run, Some(Kind::Release), scene),
        Release::Start(it) => {
            let (version, Opening { auto, confirm, waive }) = (it.version, it.opening);
            Typed::new(Command::Start { version, auto, confirm, waive }, it.change)
        }
        Release::Next(it) => {
            let (auto, confirm, waive) = (it.auto, it.confirm.map(SiteName), it.waive);
            Typed::new(Command::Next { auto, confirm, waive }, it.change).of(it.run)
        }
        Release::Approve(it) => {
            let packet = Some(shown(it.packet.as_deref(), scene)?);
            let command = Command::Approve { comment: it.comment, packet };
            Typed::new(command, it.change).of(it.run)
        }
        Release::Reject(it) => Typed::new(Command::Reject, it.change).of(it.run),
        Release::Accept(it) => Typed::new(Command::Accept, it.change).of(it.run),
        Release::Rollback(it) => {
            let (confirm, accept_data_loss) = (it.confirm.map(SiteName), it.accept_data_loss);
            let command = Command::Rollback { confirm, accept_data_loss };
            Typed::new(command, it.change).of(it.run)
        }
        Release::Abort(it) => Typed::new(Command::Abort, it.change).of(it.run),
    };
    carry_out(typed, scene).await
}

/// The packet that an approval is bound to: what the person saw, which must be what lies there now.
fn shown(given: Option<&str>, scene: &Scene<'_>) -> Result<Digest, Fault> {
    let system = scene.desk.pick(None)?;
    let current = scene.desk.glance(&system)?.life.record.packet.unwrap_or_default();
    let Some(given) = given else { return Ok(current) };
    if given.len() < 12 || !given.chars().all(|it| it.is_ascii_hexdigit()) {
        let says = format!("`{given}` is no digest: 12 to 64 hexadecimal digits");
        return Err(Fault::new(&E2015, says));
    }
    if !current.to_string().starts_with(&given.to_lowercase()) {
        let says = format!("what you were shown ({given}) is not what lies there now");
        return Err(Fault::new(&E2008, says)
            .hint("look again: changeover status shows the packet to approve"));
    }
    Ok(current)
}
