//! NAME-DERIVED: names of addresses and databases are made from the site they belong to.

use super::Look;
use crate::workflow::path::Path;

pub(super) fn look(look: &mut Look<'_>) {
    let workflow = look.draft.workflow;
    let place = Path::of("switch.cloudflare.records");
    let mut same: Vec<(Path, String)> = vec![];
    let alike = |names: Vec<Option<String>>| match &names[..] {
        [Some(one), Some(two)] if one == two => Some(one.clone()),
        _ => None,
    };
    for (at, record) in workflow.cloudflare().records.iter().enumerate() {
        let names = workflow.sites.keys().map(|site| workflow.eip_name(record, site).ok());
        if let Some(name) = alike(names.collect()) {
            same.push((place.index(at).key("target").key("eip"), name));
        }
    }
    if let Some(name) = alike(workflow.sites.keys().map(|site| workflow.rds(site).ok()).collect()) {
        same.push((Path::of("database.rds"), name));
    }
    let Some((first, name)) = same.first() else { return };
    let more = match same.len() - 1 {
        0 => String::new(),
        more => format!(" ({more} more like it)"),
    };
    let message =
        format!("`{name}` is the name at both sites: who reads it cannot tell which{more}");
    let help =
        "make it from the site: `{{ site.name }}`, or a variable of the site such as its owner";
    look.say(first, message, help);
}
