//! VAR-DNS-MATCH: host names in role variables are names of the switch, of the same role and the same record.

use super::{Look, host};
use crate::workflow::path::Path;
use crate::workflow::suggest;

pub(super) fn look(look: &mut Look<'_>) {
    let workflow = look.draft.workflow;
    let records = &workflow.cloudflare().records;
    for (name, value) in &workflow.variables {
        let place = Path::of("variables").key(name);
        let [production, standby] = [&value.production, &value.standby].map(|it| host(it).1);
        if workflow.zone_of(production).is_none() {
            continue;
        }
        match records.iter().position(|it| it.production == production) {
            Some(at) if records[at].standby != standby => {
                let record = &records[at];
                let message = format!("`{standby}` is not the standby name of `{}`", record.id);
                let zone = workflow.zone_of(&record.standby);
                // FQDN-ZONE says which of the two is wrong.
                let help = if zone == workflow.cloudflare().zones.last() {
                    format!("did you mean `{}`?", record.standby)
                } else {
                    format!(
                        "the switch has `{}`, in the wrong zone: correct it there",
                        record.standby
                    )
                };
                let declared = Path::of("switch.cloudflare.records").index(at).key("standby");
                look.say_with(&place.key("standby"), message, help, &declared, "its name there");
            }
            Some(_) => (),
            None => {
                let names: Vec<&str> = records.iter().map(|it| it.production.as_str()).collect();
                let message = format!("`{production}` is no production name of the switch");
                look.say(&place.key("production"), message, suggest::hint(production, names));
            }
        }
    }
}
