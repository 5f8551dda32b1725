//! `ledger`: when each step of each plan was last proven, where and how.

use clap::Args;
use serde::Serialize;

use crate::cli::{Outcome, Scene, done};
use crate::model::Kind;
use crate::view::{LedgerRow, render};

/// Shows the ledger.
#[derive(Debug, Args)]
pub struct Ledger {
    /// The system; needless when there is one
    system: Option<String>,
    /// Only this plan: release, switchover, failover, rejoin, drill
    #[arg(long, value_name = "PLAN", value_parser = kind)]
    plan: Option<Kind>,
}

#[derive(Serialize)]
struct Steps {
    steps: Vec<LedgerRow>,
}

pub(super) fn run(it: &Ledger, scene: &mut Scene<'_>) -> Outcome {
    let system = scene.desk.pick(it.system.as_deref())?;
    let (mut steps, now) = scene.desk.ledger(&system)?;
    steps.retain(|row| it.plan.is_none_or(|plan| row.plan == plan));
    if scene.streams.json {
        scene.streams.document("changeover.ledger/v1", Steps { steps })?;
    } else {
        let text = render::ledger(&steps, now, scene.streams.paper);
        scene.streams.answer(&text)?;
    }
    done()
}

/// Reads the name of a kind of run.
pub(super) fn kind(text: &str) -> Result<Kind, String> {
    let all = [Kind::Release, Kind::Switchover, Kind::Failover, Kind::Rejoin, Kind::Drill];
    all.into_iter()
        .find(|it| it.name() == text)
        .ok_or_else(|| format!("`{text}` is none of {}", all.map(Kind::name).join(", ")))
}
