//! FQDN-PATTERN: the names of the switch follow the declared patterns.

use super::Look;
use super::pattern::misfit;
use crate::workflow::path::Path;

pub(super) fn look(look: &mut Look<'_>) {
    let workflow = look.draft.workflow;
    for (at, record) in workflow.cloudflare().records.iter().enumerate() {
        let place = Path::of("switch.cloudflare.records").index(at);
        for (role, name) in [("production", &record.production), ("standby", &record.standby)] {
            let key = format!("{role}_fqdn");
            let Some(pattern) = workflow.names.get(&key) else { continue };
            if let Some(help) = misfit(pattern, name) {
                let message = format!("`{name}` is not how {role} names are made");
                let declared = Path::of("names").key(&key);
                look.say_with(&place.key(role), message, help, &declared, "the pattern");
            }
        }
    }
}
