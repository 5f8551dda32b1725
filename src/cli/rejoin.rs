//! `rejoin`: the lost site is rebuilt from the new production and becomes standby.

use clap::Args;

use crate::cli::args::{Change, step_id};
use crate::cli::order::{Typed, carry_out};
use crate::cli::{Outcome, Scene};
use crate::conductor::Command;
use crate::model::StepId;

/// Opens a rejoin.
#[derive(Debug, Args)]
pub struct Rejoin {
    /// The system; needless when there is one
    system: Option<String>,
    /// Go on by itself to the end
    #[arg(long)]
    auto: bool,
    /// Go on without this check; wants --reason
    #[arg(long, value_name = "ID", value_parser = step_id, requires = "reason")]
    waive: Vec<StepId>,
    #[command(flatten)]
    change: Change,
}

pub(super) async fn run(it: Rejoin, scene: &mut Scene<'_>) -> Outcome {
    let command = Command::Rejoin { auto: it.auto, waive: it.waive };
    carry_out(Typed { system: it.system, ..Typed::new(command, it.change) }, scene).await
}
