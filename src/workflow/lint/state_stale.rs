//! STATE-STALE: roles and releases are read from the world; typed ones are wrong after the next release.

use super::Look;
use crate::workflow::path::Path;

const ROLES: [&str; 9] = [
    "production",
    "standby",
    "stand-by",
    "hot stand-by",
    "current production",
    "primary",
    "secondary",
    "active",
    "passive",
];

pub(super) fn look(look: &mut Look<'_>) {
    for (site, it) in &look.draft.workflow.sites {
        for (var, value) in &it.vars {
            let place = Path::of("sites").key(site.as_str()).key("vars").key(var);
            let name = var.to_lowercase();
            let words: Vec<&str> = name.split(['_', '-']).collect();
            if words.contains(&"role") || ROLES.contains(&value.to_lowercase().as_str()) {
                let message =
                    format!("`{value}` is typed: after the next swap it is the other site's role");
                let help = "leave it out: which site has which role is read from the records";
                look.say(&place, message, help);
            } else if words.contains(&"release") || words.contains(&"version") || is_version(value)
            {
                let message =
                    format!("`{value}` is typed: after the next release `{site}` has another one");
                let help = "leave it out; a step writes `{{ production.release }}` or `{{ standby.release }}`";
                look.say(&place, message, help);
            }
        }
    }
}

/// `v4.3.3`, `4.3.3-rc1`.
fn is_version(text: &str) -> bool {
    let text = text.strip_prefix('v').unwrap_or(text);
    let numbers = text.split('-').next().unwrap_or(text);
    numbers.split('.').count() == 3
        && numbers.split('.').all(|it| !it.is_empty() && it.chars().all(|it| it.is_ascii_digit()))
}
