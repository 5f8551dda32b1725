//! SNAPSHOT-ID: RDS takes letters, digits and single hyphens; a version has dots.

use super::Look;
use crate::workflow::step::Params;
use crate::workflow::template::{Part, parts};

pub(super) fn look(look: &mut Look<'_>) {
    let mut found = vec![];
    for placed in &look.draft.steps {
        let Some(Params::AwsRdsSnapshot(it)) = &placed.params else { continue };
        let place = placed.path.key("with").key("name");
        for part in parts(&it.name) {
            match part {
                Part::Name { path, .. }
                    if path.ends_with("version") || path.ends_with("release") =>
                {
                    let message =
                        format!("`{path}` has dots, which a snapshot's name may not have");
                    found.push((place.clone(), message));
                }
                Part::Text(text) if !fits(text) => {
                    found.push((
                        place.clone(),
                        format!("`{text}` may not stand in a snapshot's name"),
                    ));
                }
                Part::Name { .. } | Part::Text(_) | Part::Broken { .. } => (),
            }
        }
        if !it.name.starts_with(|it: char| it.is_ascii_alphabetic()) {
            found.push((place, "a snapshot's name begins with a letter".to_owned()));
        }
    }
    let help = "letters, digits and single hyphens; `{{ run.id }}` makes it unique";
    found.into_iter().for_each(|(place, message)| look.say(&place, message, help));
}

fn fits(text: &str) -> bool {
    text.chars().all(|it| it.is_ascii_alphanumeric() || it == '-') && !text.contains("--")
}
