//! ROLE-HARDCODED: a step names a role; a site's own name would be right for every second release only.

use super::Look;
use crate::workflow::path::Path;

/// Shorter values (a region's colour, a country) stand in other words by chance.
const LETTERS_MIN: usize = 5;

pub(super) fn look(look: &mut Look<'_>) {
    let workflow = look.draft.workflow;
    let mut own: Vec<(String, String)> = vec![];
    for (site, it) in &workflow.sites {
        let vars = it.vars.iter().map(|(var, value)| (value.clone(), var.clone()));
        let fixed =
            [(it.aws.region.clone(), "region".to_owned()), (site.0.clone(), "name".to_owned())];
        let rds = workflow.rds(site).ok().map(|it| (it, "rds".to_owned()));
        own.extend(vars.chain(fixed).chain(rds));
    }
    // The system's own name is no site's, even when a site's variable has that value.
    own.retain(|(value, _)| value.len() >= LETTERS_MIN && *value != workflow.system.0);
    let mut found = vec![];
    for placed in &look.draft.steps {
        let with = placed.path.key("with");
        let Some(node) = look.spans.root.at(&with) else { continue };
        node.each_scalar(&with, &mut |path: &Path, _, text| {
            let words = |it: char| it.is_whitespace() || matches!(it, '"' | '\'' | ':' | ',' | '=');
            let hit = own.iter().find(|(value, _)| text.split(words).any(|word| word == value));
            if let Some((value, var)) = hit {
                let message = format!("`{value}` is one site's, and sites alternate roles");
                let help =
                    format!("write `{{{{ standby.{var} }}}}` or `{{{{ production.{var} }}}}`");
                found.push((path.clone(), message, help));
            }
        });
    }
    found.into_iter().for_each(|(place, message, help)| look.say(&place, message, help));
}
