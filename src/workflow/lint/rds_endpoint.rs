//! RDS-ENDPOINT: a database endpoint written out is the declared database of a site, in that site's region.

use regex_lite::Regex;

use super::Look;
use crate::workflow::path::{Path, Turn};
use crate::workflow::suggest;

pub(super) fn look(look: &mut Look<'_>) {
    let workflow = look.draft.workflow;
    let shape = r"([a-z0-9-]+)\.[a-z0-9]+\.([a-z0-9-]+)\.rds\.amazonaws\.com";
    let Ok(shape) = Regex::new(shape) else { return };
    let declared: Vec<(String, &str, &str)> = workflow
        .sites
        .iter()
        .filter_map(|(site, it)| {
            Some((workflow.rds(site).ok()?, it.aws.region.as_str(), site.as_str()))
        })
        .collect();
    for (path, text) in look.texts() {
        let own = match path.turns() {
            [Turn::Key(top), Turn::Key(site), ..] if top == "sites" => Some(site.as_str()),
            _ => None,
        };
        for found in shape.captures_iter(&text) {
            let (name, region) = (&found[1], &found[2]);
            let meant = declared
                .iter()
                .find(|(_, _, site)| own == Some(*site))
                .or_else(|| declared.iter().find(|it| own.is_none() && it.0 == name));
            let place = Path::of("database.rds");
            if let Some((wanted, own_region, site)) = meant {
                if name != wanted {
                    let message = format!("`{name}` is not the database of `{site}`");
                    look.say_with(
                        &path,
                        message,
                        format!("did you mean `{wanted}`?"),
                        &place,
                        "declared here",
                    );
                } else if region != *own_region {
                    let message = format!("`{region}` is not the region of `{site}`");
                    let region = Path::of("sites").key(*site).key("aws").key("region");
                    let help = format!("did you mean `{own_region}`?");
                    look.say_with(&path, message, help, &region, "declared here");
                }
            } else if !declared.is_empty() {
                let message = format!("`{name}` is no declared database");
                let names: Vec<&str> = declared.iter().map(|it| it.0.as_str()).collect();
                look.say_with(&path, message, suggest::hint(name, names), &place, "declared here");
            }
        }
    }
}
