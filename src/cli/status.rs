//! `status`: one screen, or the same for programs.

use clap::{Args, ValueEnum};

use crate::cli::{Outcome, Scene, Streams, done};
use crate::fault::{E2012, E2015, Fault};
use crate::view::{self, StatusView, render};

/// Who is production, is it true, what runs, what next. Reads the journal, with --look the world too; changes and
/// locks nothing. The exit status is 0 whatever is seen.
#[derive(Debug, Args)]
pub struct Status {
    /// The system; needless when there is one
    system: Option<String>,
    /// A screen, the handbook's table, one document, or metrics
    #[arg(long, value_name = "FORMAT", default_value = "text", conflicts_with = "json")]
    format: Format,
    /// Ask now who sees production and the standby serve, as a failover would, and what that amounts to
    #[arg(long)]
    look: bool,
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

pub(super) async fn run(args: &Status, scene: &mut Scene<'_>) -> Outcome {
    if args.look && args.format == Format::Markdown {
        return Err(Fault::new(&E2015, "the table of sites is by the journal alone")
            .hint("--look goes with --format text, json and prometheus"));
    }
    let system = scene.desk.pick(args.system.as_deref())?;
    let (glance, heard) = if args.look {
        let looked = scene.desk.look(&system).await?;
        (looked.glance, Some(looked.heard))
    } else {
        (scene.desk.glance(&system)?, None)
    };
    let mut view = view::status(&glance.look());
    view.armed.clone_from(&glance.armed);
    if let Some(heard) = heard {
        view.see(&glance.look(), heard);
    }
    match args.format {
        Format::Text if !scene.streams.json => text(&view, args.look, scene.streams)?,
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

fn text(view: &StatusView, asked: bool, streams: &mut Streams) -> Result<(), Fault> {
    let mut screen = render::status(view, streams.paper);
    if streams.verbose && !view.outside.is_empty() {
        screen.push_str(&render::outside(&view.outside, streams.paper));
    }
    if !asked && !streams.quiet {
        screen.push_str(&render::by_journal(streams.paper));
    }
    streams.answer(&screen)
}
