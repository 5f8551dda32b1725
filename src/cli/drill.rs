//! `drill`: the same walk on names that no users are on, there and back.

use clap::Args;

use crate::cli::args::{Change, step_id};
use crate::cli::order::{Typed, carry_out};
use crate::cli::{Outcome, Scene};
use crate::conductor::Command;
use crate::model::StepId;

/// Opens a drill and walks it to its end.
#[derive(Debug, Args)]
pub struct Drill {
    /// The system; needless when there is one
    system: Option<String>,
    /// The plan that was shown, by its digest or the first digits of it
    #[arg(long, value_name = "DIGEST")]
    plan: Option<String>,
    /// Go on without this check; wants --reason
    #[arg(long, value_name = "ID", value_parser = step_id, requires = "reason")]
    waive: Vec<StepId>,
    #[command(flatten)]
    change: Change,
}

pub(super) async fn run(it: Drill, scene: &mut Scene<'_>) -> Outcome {
    let command = Command::Drill { waive: it.waive, plan: it.plan };
    carry_out(Typed { system: it.system, ..Typed::new(command, it.change) }, scene).await
}
