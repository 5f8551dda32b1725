//! NAME-DRIFT: a name of the switch is spelt alike wherever it stands.

use regex_lite::Regex;

use super::Look;
use crate::workflow::path::Path;
use crate::workflow::suggest;

pub(super) fn look(look: &mut Look<'_>) {
    let workflow = look.draft.workflow;
    let records = &workflow.cloudflare().records;
    let names: Vec<&str> =
        records.iter().flat_map(|it| [it.production.as_str(), it.standby.as_str()]).collect();
    let Ok(host) = Regex::new(r"[a-z0-9-]+(\.[a-z0-9-]+)+") else { return };
    for (_, place, text) in look.step_texts() {
        for found in host.find_iter(&text).map(|it| it.as_str()) {
            let within = workflow.zone_of(found).is_some();
            let near = suggest::nearest(found, names.iter().copied());
            if let Some(near) = near.filter(|it| within && slip(it, found)) {
                let message = format!("`{found}` is no name of the switch, and nearly one");
                let help = format!("did you mean `{near}`?");
                look.say_with(
                    &place,
                    message,
                    help,
                    &Path::of("switch.cloudflare.records"),
                    "names of the switch",
                );
            }
        }
    }
}

/// One or two letters apart, in names long enough for that to be a slip.
fn slip(one: &str, other: &str) -> bool {
    one.len() >= 8 && (1..=2).contains(&strsim::damerau_levenshtein(one, other))
}
