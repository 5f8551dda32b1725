//! `embargo`: where writes are refused, and until when.

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::cli::args::Reasoned;
use crate::cli::order::{Typed, carry_out};
use crate::cli::{Outcome, Scene, done};
use crate::conductor::Command;
use crate::model::{SiteName, Time};
use crate::view::{self, EmbargoView, render};
use crate::workflow::Lasting;

/// The verbs of an embargo.
#[derive(Debug, Subcommand)]
pub enum Embargo {
    /// Show where writes are refused, by whom, why and until when
    Show,
    /// Let an embargo last longer; nothing ends one but its run
    Extend(Extend),
}

impl Embargo {
    /// Whether it changes nothing.
    pub(super) const fn only_reads(&self) -> bool {
        matches!(self, Self::Show)
    }
}

/// Lets an embargo last longer.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("end").required(true))]
pub struct Extend {
    /// The site; all embargoes that lie when absent
    site: Option<String>,
    /// Until this moment, for example `2026-11-21T18:00:00Z`
    #[arg(long, group = "end", value_name = "TIME", value_parser = time)]
    until: Option<Time>,
    /// For this long from now, for example `2h`
    #[arg(long = "for", group = "end", value_name = "DURATION", value_parser = lasting)]
    lasting: Option<i64>,
    #[command(flatten)]
    change: Reasoned,
}

fn time(text: &str) -> Result<Time, String> {
    Time::parse(text).ok_or_else(|| "not a time such as 2026-11-21T18:00:00Z".to_owned())
}

fn lasting(text: &str) -> Result<i64, String> {
    let read: Result<Lasting, serde_json::Error> = serde_json::from_value(text.into());
    read.map(Lasting::as_seconds).map_err(|_| "not a duration such as 2h".to_owned())
}

#[derive(Serialize)]
struct Embargoes {
    embargoes: Vec<EmbargoView>,
}

pub(super) async fn run(verb: Embargo, scene: &mut Scene<'_>) -> Outcome {
    match verb {
        Embargo::Show => show(scene),
        Embargo::Extend(it) => {
            let site = it.site.map(|site| SiteName::from(site.as_str()));
            let command = Command::Extend { site, until: it.until, seconds: it.lasting };
            carry_out(Typed::new(command, it.change), scene).await
        }
    }
}

fn show(scene: &mut Scene<'_>) -> Outcome {
    let glance = scene.desk.glance(&scene.desk.pick(None)?)?;
    let embargoes = view::embargoes(&glance.look());
    if scene.streams.json {
        scene.streams.document("changeover.embargoes/v1", Embargoes { embargoes })?;
    } else {
        let text = render::embargoes(&embargoes, glance.now, scene.streams.paper);
        scene.streams.answer(&text)?;
    }
    done()
}
