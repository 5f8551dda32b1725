//! `status`: one screen.

use clap::Args;

use crate::cli::{Outcome, Scene, done, look};
use crate::view::{self, render};

/// Who is production, is it true, what runs, what next. Reads the journal and locks nothing.
#[derive(Debug, Args)]
pub struct Status {
    /// The system; needless when there is one
    system: Option<String>,
}

pub(super) fn run(args: &Status, scene: &mut Scene<'_>) -> Outcome {
    let system = scene.desk.pick(args.system.as_deref())?;
    let glance = scene.desk.glance(&system)?;
    let view = view::status(&look(&glance));
    if scene.streams.json {
        scene.streams.document("changeover.status/v1", view)?;
    } else {
        let mut screen = render::status(&view, scene.streams.paper);
        if scene.streams.verbose && !view.outside.is_empty() {
            screen.push_str(&render::outside(&view.outside, scene.streams.paper));
        }
        scene.streams.answer(&screen)?;
    }
    done()
}
