//! REGION-HARDCODED: a step takes its region from the role.

use super::Look;
use crate::workflow::path::Path;

pub(super) fn look(look: &mut Look<'_>) {
    for (_, place, text) in look.step_texts() {
        let sites = look.draft.workflow.sites.iter();
        let hit = sites.map(|(site, it)| (site, &it.aws.region)).find(|(_, it)| text.contains(*it));
        if let Some((site, region)) = hit {
            let message = format!("`{region}` is where `{site}` is, and sites alternate roles");
            let help = "write `{{ standby.region }}` or `{{ production.region }}`";
            let declared = Path::of("sites").key(site.as_str()).key("aws").key("region");
            look.say_with(&place, message, help, &declared, "declared here");
        }
    }
}
