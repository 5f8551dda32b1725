//! VAR-DNS-MATCH: host names in role variables are names of the switch, of the same role and the same record.

use super::Look;
use crate::workflow::path::Path;
use crate::workflow::suggest;

pub(super) fn look(look: &mut Look<'_>) {
    let workflow = look.draft.workflow;
    let records = &workflow.cloudflare().records;
    for (name, value) in &workflow.variables {
        let place = Path::of("variables").key(name);
        let [(scheme, production), (other, standby)] =
            [&value.production, &value.standby].map(|it| host(it));
        let is_host = |host: &str| workflow.zone_of(host).is_some();
        if scheme != other && is_host(production) {
            let message = format!(
                "`{name}` is {} on production and {} on the standby",
                written(scheme),
                written(other)
            );
            look.say(&place.key("standby"), message, format!("write {} on both", written(scheme)));
        }
        let record = records.iter().find(|it| it.production == production);
        match record {
            Some(record) if record.standby != standby => {
                let message = format!("`{standby}` is not the standby name of `{}`", record.id);
                look.say(
                    &place.key("standby"),
                    message,
                    format!("did you mean `{}`?", record.standby),
                );
            }
            None if is_host(production) => {
                let names = records.iter().map(|it| it.production.as_str());
                let message = format!("`{production}` is no production name of the switch");
                look.say(
                    &place.key("production"),
                    message,
                    suggest::hint(production, names.collect::<Vec<_>>()),
                );
            }
            Some(_) | None => (),
        }
    }
}

fn written(scheme: Option<&str>) -> String {
    scheme.map_or_else(|| "a bare name".to_owned(), |it| format!("`{it}`"))
}

/// Scheme and host of an address; the text itself if it is a bare name.
fn host(text: &str) -> (Option<&str>, &str) {
    match text.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest.split(['/', ':']).next().unwrap_or(rest)),
        None => (None, text),
    }
}
