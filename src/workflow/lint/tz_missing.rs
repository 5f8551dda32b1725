//! TZ-MISSING: a time of the day that people read says in which zone.

use regex_lite::Regex;

use super::Look;
use super::deed::Deed;

pub(super) fn look(look: &mut Look<'_>) {
    let time = Regex::new(r"(?i)\b([01]?[0-9]|2[0-3])(:[0-5][0-9]|\s?[ap]m)\b");
    let zone = Regex::new(
        r"(?i)([0-9]z\b|\b(utc|gmt|[a-z]{1,4}[sd]?t|cest|local time)\b|[+-][0-9]{2}:?[0-9]{2}\b)",
    );
    let (Ok(time), Ok(zone)) = (time, zone) else { return };
    for (placed, deed) in look.draft.deeds() {
        let Deed::Tells(text) = deed else { continue };
        if let Some(found) = time.find(text).filter(|_| !zone.is_match(text)) {
            let message = format!("`{}` is another moment for each reader", found.as_str());
            let help = format!("write `{} UTC`", found.as_str());
            look.say(&placed.path.key("with").key("text"), message, help);
        }
    }
}
