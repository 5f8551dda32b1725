//! `arm`: while all is well a failover is made ready on disk.

use clap::Args;

use crate::cli::args::Change;
use crate::cli::order::{Typed, carry_out};
use crate::cli::{Outcome, Scene};
use crate::conductor::Command;

/// Keeps a failover ready: record ids, values both ways, addresses, checks last passed.
#[derive(Debug, Args)]
pub struct Arm {
    /// The system; needless when there is one
    system: Option<String>,
    #[command(flatten)]
    change: Change,
}

pub(super) async fn run(it: Arm, scene: &mut Scene<'_>) -> Outcome {
    carry_out(Typed { system: it.system, ..Typed::new(Command::Arm, it.change) }, scene).await
}
