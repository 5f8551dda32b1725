//! `version`: print the version.

use serde::Serialize;

use crate::cli::{Outcome, Scene, done};

#[derive(Serialize)]
struct Version {
    name: &'static str,
    version: &'static str,
}

pub(super) fn run(scene: &mut Scene<'_>) -> Outcome {
    let (name, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    if scene.streams.json {
        scene.streams.document("changeover.version/v1", Version { name, version })?;
    } else {
        scene.streams.answer(&format!("{name} {version}"))?;
    }
    done()
}
