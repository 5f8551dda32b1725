//! `schema`: print the JSON Schema of workflow files.

use crate::app;
use crate::cli::{Outcome, Scene, done};
use crate::fault::{E2020, Fault};

pub(super) fn run(scene: &mut Scene<'_>) -> Outcome {
    let text = serde_json::to_string_pretty(&app::schema())
        .map_err(|error| Fault::new(&E2020, "the schema cannot be written").because(error))?;
    scene.streams.answer(&text)?;
    done()
}
