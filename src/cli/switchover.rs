//! `switchover`: a planned change of roles; the release's walk without deploy.

use clap::Args;

use crate::cli::args::{Change, step_id};
use crate::cli::order::{Typed, carry_out};
use crate::cli::{Outcome, Scene};
use crate::conductor::Command;
use crate::model::{SiteName, StepId};

/// Opens a switchover.
#[derive(Debug, Args)]
pub struct Switchover {
    /// The system; needless when there is one
    system: Option<String>,
    /// Go on by itself to the gate
    #[arg(long)]
    auto: bool,
    /// With --auto: the consent to the swap, given in advance
    #[arg(long, value_name = "SITE", requires = "auto")]
    confirm: Option<String>,
    /// Go on without this check; wants --reason
    #[arg(long, value_name = "ID", value_parser = step_id, requires = "reason")]
    waive: Vec<StepId>,
    #[command(flatten)]
    change: Change,
}

pub(super) async fn run(it: Switchover, scene: &mut Scene<'_>) -> Outcome {
    let (auto, confirm, waive) = (it.auto, it.confirm.map(SiteName), it.waive);
    let command = Command::Switchover { auto, confirm, waive };
    carry_out(Typed { system: it.system, ..Typed::new(command, it.change) }, scene).await
}
