//! ROLE-HARDCODED: a step names a role; a site's own name would be right for every second release only.

use super::Look;
use crate::workflow::path::Path;

/// Shorter values (a region's colour, a country) stand in other words by chance.
const LETTERS_MIN: usize = 5;

pub(super) fn look(look: &mut Look<'_>) {
    let workflow = look.draft.workflow;
    let mut own: Vec<(String, String, Path)> = vec![];
    for (site, it) in &workflow.sites {
        let place = Path::of("sites").key(site.as_str());
        let vars = it
            .vars
            .iter()
            .map(|(var, value)| (value.clone(), var.clone(), place.key("vars").key(var)));
        let rds =
            workflow.rds(site).ok().map(|it| (it, "rds".to_owned(), Path::of("database.rds")));
        own.extend(vars.chain([(site.0.clone(), "name".to_owned(), place.clone())]).chain(rds));
    }
    // The system's own name is no site's, even when a site's variable has that value; nor is a value of both.
    let both = |value: &str| {
        let mut sites = workflow.sites.values();
        sites.all(|it| it.vars.values().any(|own| own == value))
    };
    own.retain(|(value, ..)| {
        value.len() >= LETTERS_MIN && *value != workflow.system.0 && !both(value)
    });
    for (_, place, text) in look.step_texts() {
        let words = |it: char| it.is_whitespace() || matches!(it, '"' | '\'' | ':' | ',' | '=');
        let hit = own.iter().find(|(value, ..)| text.split(words).any(|word| word == value));
        if let Some((value, var, declared)) = hit {
            let message = format!("`{value}` is one site's, and sites alternate roles");
            let help = format!("write `{{{{ standby.{var} }}}}` or `{{{{ production.{var} }}}}`");
            look.say_with(&place, message, help, declared, "that site's");
        }
    }
}
