//! `init`: put a system under a journal.

use clap::Args;

use crate::cli::args::Change;
use crate::cli::order::{Typed, carry_out};
use crate::cli::{Outcome, Scene};
use crate::conductor::Command;

/// Reads who is production and which release each site answers with, and sets the first marks.
#[derive(Debug, Args)]
pub struct Init {
    /// The system; needless when there is one
    system: Option<String>,
    #[command(flatten)]
    change: Change,
}

pub(super) async fn run(args: Init, scene: &mut Scene<'_>) -> Outcome {
    let typed = Typed { system: args.system, ..Typed::new(Command::Init, args.change) };
    carry_out(typed, scene).await
}
