//! SNAPSHOT-ID: RDS takes letters, digits and single hyphens; a version has dots.

use super::Look;
use super::deed::Deed;
use crate::workflow::template::{Part, parts};

pub(super) fn look(look: &mut Look<'_>) {
    for (placed, deed) in look.draft.deeds() {
        let Deed::Snapshot(name) = deed else { continue };
        let place = placed.path.key("with").key("name");
        for message in parts(name).into_iter().filter_map(wrong) {
            look.say(&place, message, HELP);
        }
        if !name.starts_with("{{") && !name.starts_with(|it: char| it.is_ascii_alphabetic()) {
            look.say(&place, "a snapshot's name begins with a letter", HELP);
        }
        if name.ends_with('-') {
            look.say(&place, "a snapshot's name does not end with a hyphen", HELP);
        }
    }
}

const HELP: &str = "letters, digits and single hyphens; `{{ run.id }}` makes it unique";

fn wrong(part: Part<'_>) -> Option<String> {
    match part {
        Part::Name { path, .. } if path.ends_with("version") || path.ends_with("release") => {
            Some(format!("`{path}` has dots, which a snapshot's name may not have"))
        }
        Part::Text(text) if !fits(text) => {
            Some(format!("`{text}` may not stand in a snapshot's name"))
        }
        Part::Name { .. } | Part::Text(_) | Part::Broken { .. } => None,
    }
}

fn fits(text: &str) -> bool {
    text.chars().all(|it| it.is_ascii_alphanumeric() || it == '-') && !text.contains("--")
}
