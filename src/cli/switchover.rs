//! `switchover`: a planned change of roles; the release's walk without deploy.

use clap::Args;

use crate::cli::args::{Change, Opening};
use crate::cli::order::{Typed, carry_out};
use crate::cli::{Outcome, Scene};
use crate::conductor::Command;

/// Opens a switchover.
#[derive(Debug, Args)]
pub struct Switchover {
    /// The system; needless when there is one
    system: Option<String>,
    #[command(flatten)]
    opening: Opening,
    #[command(flatten)]
    change: Change,
}

pub(super) async fn run(it: Switchover, scene: &mut Scene<'_>) -> Outcome {
    let Opening { auto, confirm, waive } = it.opening;
    let command = Command::Switchover { auto, confirm, waive };
    carry_out(Typed { system: it.system, ..Typed::new(command, it.change) }, scene).await
}
