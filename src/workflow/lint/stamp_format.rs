//! STAMP-FORMAT: whoever writes a backup and whoever reads it are given the same stamp, the run's own.

use regex_lite::Regex;

use super::Look;
use super::scripts::script_of;
use crate::workflow::path::Path;

/// What `run.stamp` looks like: year, month, day, hour, minute, UTC.
const STAMP: &str = "202601312359";
const GIVEN: &str = "{{ run.stamp }}";

pub(super) fn look(look: &mut Look<'_>) {
    let draft = look.draft;
    for (placed, deed) in draft.deeds() {
        let Some(run) = deed.load().or_else(|| deed.dump()) else { continue };
        let place = placed.path.key("with").key("argv");
        let at = run.argv.iter().skip(1).position(|it| it == GIVEN).map(|it| it + 1);
        if let Some(at) = at {
            let pattern = script_of(draft.workflow, &run.argv).and_then(|(name, it)| {
                let pattern = it.arguments.as_ref()?.get(at - 1)?;
                let regex = Regex::new(&format!("^(?:{pattern})$")).ok()?;
                (!regex.is_match(STAMP)).then_some((name, pattern))
            });
            if let Some((name, pattern)) = pattern {
                let message = format!(
                    "`{name}` does not take a stamp of date and time: `{STAMP}` does not fit `{pattern}`"
                );
                let declared = Path::of("scripts").key(name).key("arguments").index(at - 1);
                let help = "install a script that takes twelve digits, UTC, and declare it so";
                look.say_with(&place.index(at), message, help, &declared, "what it takes");
            }
        } else {
            let message = match run.argv.iter().skip(1).find(|it| looks_dated(it)) {
                Some(typed) => {
                    format!("`{typed}` is not the run's stamp: writer and reader would differ")
                }
                None => "without a stamp it takes whatever backup is newest".to_owned(),
            };
            let help = "give it the argument `{{ run.stamp }}`: twelve digits, `YYYYMMDDHHMM`, UTC";
            look.say(&place, message, help);
        }
    }
    let Some(backup) = &draft.workflow.backup else { return };
    for (key, text) in [("key", &backup.key), ("restore_key", &backup.restore_key)] {
        let typed = Regex::new("[0-9]{6,}|%[YmdHMS]").ok().and_then(|it| it.find(text));
        let joined = Regex::new(r"[0-9]\{\{ run\.stamp|run\.stamp \}\}[0-9]").ok();
        if let Some(typed) = typed {
            let message = format!("`{}` is a stamp of its own beside the run's", typed.as_str());
            look.say(&Path::of("backup").key(key), message, "write `{{ run.stamp }}` alone");
        } else if joined.is_some_and(|it| it.is_match(text)) {
            let message = "a digit beside the stamp makes it another one";
            look.say(&Path::of("backup").key(key), message, "put `_` or `-` between them");
        }
    }
}

/// Something that stands for a date: digits, a placeholder, a format, `latest`.
fn looks_dated(text: &str) -> bool {
    let text = text.to_lowercase();
    ["date", "time", "latest", "stamp", "yyyy", "%y"].iter().any(|it| text.contains(it))
        || text.chars().filter(char::is_ascii_digit).count() >= 6
}
