//! `status`: one screen, or the same for programs.

use clap::{Args, ValueEnum};

use crate::cli::{Outcome, Scene, done, look};
use crate::fault::{E2012, Fault};
use crate::view::{self, render};

/// Who is production, is it true, what runs, what next. Reads the journal and locks nothing.
#[derive(Debug, Args)]
pub struct Status {
    /// The system; needless when there is one
    system: Option<String>,
    /// A screen, the handbook's table, one document, or metrics
    #[arg(long, value_name = "FORMAT", default_value = "text", conflicts_with = "json")]
    format: Format,
}

/// How the status is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A screen for people
    Text,
    /// The table of sites: project, profile, region, role, release, status
    Markdown,
    /// One document, as with --json
    Json,
    /// Prometheus's text format
    Prometheus,
}

pub(super) fn run(args: &Status, scene: &mut Scene<'_>) -> Outcome {
    let system = scene.desk.pick(args.system.as_deref())?;
    let glance = scene.desk.glance(&system)?;
    let mut view = view::status(&look(&glance));
    view.armed.clone_from(&glance.armed);
    match args.format {
        Format::Text if !scene.streams.json => {
            let mut screen = render::status(&view, scene.streams.paper);
            if scene.streams.verbose && !view.outside.is_empty() {
                screen.push_str(&render::outside(&view.outside, scene.streams.paper));
            }
            scene.streams.answer(&screen)?;
        }
        Format::Text | Format::Json => scene.streams.document("changeover.status/v1", view)?,
        Format::Markdown => {
            let workflow = glance.workflow.as_deref().ok_or_else(|| {
                Fault::new(&E2012, "the workflow file cannot be read, and names the columns")
                    .hint("changeover lint")
            })?;
            let table = view::table(workflow, &glance.life, None, glance.now);
            scene.streams.answer(&table.markdown())?;
        }
        Format::Prometheus => scene.streams.answer(&render::prometheus(&view))?,
    }
    done()
}
