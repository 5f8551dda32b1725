//! `runbook`: write the page with which people do the switch by hand.

use clap::Args;

use crate::cli::args::Change;
use crate::cli::order::{Typed, carry_out};
use crate::cli::{Outcome, Scene};
use crate::conductor::Command;

/// Writes `runbook.md` into the system's state folder: the exact commands of a switch without this program,
/// with the values of this moment. Changes nothing outside. Keep a copy elsewhere.
#[derive(Debug, Args)]
pub struct Runbook {
    /// The system; needless when there is one
    system: Option<String>,
    #[command(flatten)]
    change: Change,
}

pub(super) async fn run(args: Runbook, scene: &mut Scene<'_>) -> Outcome {
    let typed = Typed { system: args.system, ..Typed::new(Command::Runbook, args.change) };
    carry_out(typed, scene).await
}
