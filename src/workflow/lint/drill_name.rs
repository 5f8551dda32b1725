//! DRILL-NAME: no name that users are on is moved by a drill.

use super::Look;
use super::host;
use super::pattern::misfit;
use crate::workflow::path::Path;

pub(super) fn look(look: &mut Look<'_>) {
    let workflow = look.draft.workflow;
    let records = workflow.drill.iter().flat_map(|it| it.records.iter().enumerate());
    let named: Vec<(Path, &str)> = records
        .flat_map(|(at, record)| {
            let place = Path::of("drill.records").index(at);
            [
                (place.key("production"), record.production.as_str()),
                (place.key("standby"), record.standby.as_str()),
            ]
        })
        .collect();
    let patterns: Vec<(&str, &String)> = ["production_fqdn", "standby_fqdn"]
        .into_iter()
        .filter_map(|key| Some((key, workflow.names.get(key)?)))
        .collect();
    for (place, name) in &named {
        let fits = patterns.iter().find(|(_, pattern)| misfit(pattern, name).is_none());
        if let Some((key, _)) = fits {
            let message = format!("`{name}` is made as the names are that a release moves");
            let declared = Path::of("names").key(*key);
            look.say_with(place, message, HELP, &declared, "the pattern");
        }
    }
    for (placed, at, text) in look.step_texts() {
        let (_, host) = host(&text);
        if let Some((place, name)) = named.iter().find(|(_, it)| *it == host && !placed.drills()) {
            let message = format!("`{}` asks `{name}`, which is moved by drills", placed.step.id);
            look.say_with(&at, message, HELP, place, "the drill's name");
        }
    }
}

/// What to write instead.
const HELP: &str = "drill on names of their own, such as staging's";
