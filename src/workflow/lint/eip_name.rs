//! EIP-NAME: the address a record leads to is named as `names.eip` says, for each site.

use regex_lite::Regex;

use super::Look;
use crate::workflow::path::Path;
use crate::workflow::suggest;
use crate::workflow::types::Workflow;

pub(super) fn look(look: &mut Look<'_>) {
    let workflow = look.draft.workflow;
    if let Some(pattern) = workflow.names.get("eip") {
        let place = Path::of("switch.cloudflare.records");
        for (at, record) in workflow.cloudflare().records.iter().enumerate() {
            for site in workflow.sites.keys() {
                let name = workflow.eip_name(record, site).unwrap_or_default();
                if let Some(help) = misfit(workflow, pattern, site.as_str(), &name) {
                    let path = place.index(at).key("target").key("eip");
                    look.say(
                        &path,
                        format!("`{name}` is not how an address of `{site}` is named"),
                        help,
                    );
                }
            }
        }
    }
    if let (Some(pattern), Some(_)) = (workflow.names.get("rds"), &workflow.database) {
        for site in workflow.sites.keys() {
            let name = workflow.rds(site).unwrap_or_default();
            if let Some(help) = misfit(workflow, pattern, site.as_str(), &name) {
                let path = Path::of("database.rds");
                look.say(
                    &path,
                    format!("`{name}` is not how a database of `{site}` is named"),
                    help,
                );
            }
        }
    }
}

/// What to write instead, if the name does not fit the pattern with this site's variables filled in.
fn misfit(workflow: &Workflow, pattern: &str, site: &str, name: &str) -> Option<String> {
    let vars = workflow.sites.get(&site.into()).map(|it| &it.vars);
    let filled = vars.into_iter().flatten().fold(pattern.to_owned(), |pattern, (var, value)| {
        pattern.replace(&format!("{{{var}}}"), value)
    });
    let Ok(regex) = Regex::new(&format!("^(?:{filled})$")) else {
        return Some(format!("`{pattern}` under `names` is not a pattern"));
    };
    if regex.is_match(name) {
        return None;
    }
    let fits: Vec<String> = possible(&filled);
    let near = suggest::nearest(name, fits.iter());
    Some(
        near.map_or_else(
            || format!("it must fit `{filled}`"),
            |it| format!("did you mean `{it}`?"),
        ),
    )
}

/// The names that a pattern with optional groups can make: `a(-b|-c)?-d`.
fn possible(pattern: &str) -> Vec<String> {
    let group = pattern.find('(').zip(pattern.find(")?"));
    let Some((open, close)) = group.filter(|(open, close)| open < close) else {
        return vec![pattern.to_owned()];
    };
    let choices = pattern[open + 1..close].split('|').chain([""]);
    choices
        .flat_map(|it| possible(&format!("{}{it}{}", &pattern[..open], &pattern[close + 2..])))
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn groups_are_spelt_out() {
        assert_eq!(super::possible("a(-b|-c)?-d"), ["a-b-d", "a-c-d", "a-d"]);
        assert_eq!(super::possible("a"), ["a"]);
    }
}
