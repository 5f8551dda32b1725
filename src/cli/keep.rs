//! `keep`: copies of databases that are kept, because they hold what was overwritten.

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::cli::args::Reasoned;
use crate::cli::order::{Typed, carry_out};
use crate::cli::{Outcome, Scene, done};
use crate::conductor::Command;
use crate::view::{self, KeptView, render};

/// The verbs of kept copies.
#[derive(Debug, Subcommand)]
pub enum Keep {
    /// Show what is kept, and until when
    Show,
    /// Give a copy up before its time; nothing is deleted by this
    Release(Release),
}

impl Keep {
    /// Whether it changes nothing.
    pub(super) const fn only_reads(&self) -> bool {
        matches!(self, Self::Show)
    }
}

/// Gives a copy up.
#[derive(Debug, Args)]
pub struct Release {
    /// The copy's name
    copy: String,
    #[command(flatten)]
    change: Reasoned,
}

#[derive(Serialize)]
struct Kept {
    kept: Vec<KeptView>,
}

pub(super) async fn run(verb: Keep, scene: &mut Scene<'_>) -> Outcome {
    match verb {
        Keep::Show => show(scene),
        Keep::Release(it) => {
            carry_out(Typed::new(Command::GiveUp { copy: it.copy }, it.change), scene).await
        }
    }
}

fn show(scene: &mut Scene<'_>) -> Outcome {
    let glance = scene.desk.glance(&scene.desk.pick(None)?)?;
    let kept = view::kept(&glance.look());
    if scene.streams.json {
        scene.streams.document("changeover.kept/v1", Kept { kept })?;
    } else {
        let text = render::kept(&kept, glance.now, scene.streams.paper);
        scene.streams.answer(&text)?;
    }
    done()
}
