//! `failback`: the way home after a failover, one run at a time: rejoin, then switchover.

use clap::Args;

use crate::cli::args::{Change, step_id};
use crate::cli::order::{Typed, carry_out};
use crate::cli::{Outcome, Scene};
use crate::conductor::Command;
use crate::model::StepId;

/// Opens the next run of the way home.
#[derive(Debug, Args)]
pub struct Failback {
    /// The system; needless when there is one
    system: Option<String>,
    /// Go on by itself: the rejoin to its end, the switchover to the gate
    #[arg(long)]
    auto: bool,
    /// Go on without this check; wants --reason
    #[arg(long, value_name = "ID", value_parser = step_id, requires = "reason")]
    waive: Vec<StepId>,
    /// Why so soon after the failover; kept in the journal
    #[arg(long, value_name = "REASON")]
    acknowledge: Option<String>,
    #[command(flatten)]
    change: Change,
}

pub(super) async fn run(it: Failback, scene: &mut Scene<'_>) -> Outcome {
    let (auto, waive, acknowledge) = (it.auto, it.waive, it.acknowledge);
    let command = Command::Failback { auto, waive, acknowledge };
    carry_out(Typed { system: it.system, ..Typed::new(command, it.change) }, scene).await
}
