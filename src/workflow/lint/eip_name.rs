//! EIP-NAME: the address a record leads to is named as `names.eip` says, for each site; databases by `names.rds`.

use super::Look;
use super::pattern::{filled, misfit};
use crate::workflow::path::Path;

pub(super) fn look(look: &mut Look<'_>) {
    let workflow = look.draft.workflow;
    let records = &workflow.cloudflare().records;
    let mut named: Vec<(&str, &str, Path, Vec<_>)> = vec![];
    for (at, record) in records.iter().enumerate() {
        let place = Path::of("switch.cloudflare.records").index(at).key("target").key("eip");
        let names = workflow.sites.keys().map(|site| (site, workflow.eip_name(record, site)));
        named.push(("eip", "an address", place, names.collect()));
    }
    if workflow.database.is_some() {
        let names = workflow.sites.keys().map(|site| (site, workflow.rds(site)));
        named.push(("rds", "a database", Path::of("database.rds"), names.collect()));
    }
    for (key, thing, place, names) in named {
        let Some(pattern) = workflow.names.get(key) else { continue };
        // One definition serves both sites; the first that it is wrong for says it.
        let wrong = names.into_iter().find_map(|(site, name)| {
            let name = name.ok()?;
            let help = misfit(&filled(workflow, pattern, site), &name)?;
            Some((format!("`{name}` is not how {thing} of `{site}` is named"), help))
        });
        if let Some((message, help)) = wrong {
            let declared = Path::of("names").key(key);
            look.say_with(&place, message, help, &declared, "names are declared here");
        }
    }
}
