//! `chart`: draw the life cycle.

use clap::Args;

use crate::chart::{self, Letters};
use crate::cli::{Outcome, Scene, done};
use crate::machine::State;
use crate::model::Kind;

/// As text, with the place of the open run; as Mermaid for documents.
#[derive(Debug, Args)]
pub struct Chart {
    /// As Mermaid
    #[arg(long, conflicts_with = "text")]
    mermaid: bool,
    /// As text; the default
    #[arg(long)]
    text: bool,
}

pub(super) fn run(args: &Chart, scene: &mut Scene<'_>) -> Outcome {
    if args.mermaid && !args.text {
        scene.streams.answer(&chart::mermaid())?;
        return done();
    }
    // Without a system the chart is drawn all the same, with no place marked.
    let glance = scene.desk.pick(None).and_then(|system| scene.desk.glance(&system)).ok();
    let ascii = scene.streams.paper.ascii;
    let state = glance.map_or(State::Steady, |it| it.life.state);
    let kind = state.at().map_or(Kind::Release, |at| at.kind);
    let letters = if ascii { Letters::Ascii } else { Letters::Unicode };
    let text = chart::text(kind, &state, letters);
    scene.streams.answer(&text)?;
    done()
}
