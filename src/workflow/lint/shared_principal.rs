//! SHARED-PRINCIPAL: who takes one site's keys must not have the other site too.

use super::Look;
use crate::workflow::path::Path;

pub(super) fn look(look: &mut Look<'_>) {
    let sites: Vec<_> = look.draft.workflow.sites.iter().collect();
    let [(_, one), (name, two)] = sites[..] else { return };
    let same = [
        ("profile", one.aws.profile == two.aws.profile),
        ("principal", one.aws.principal == two.aws.principal),
    ];
    let place = Path::of("sites").key(name.as_str()).key("aws");
    for (key, _) in same.into_iter().filter(|it| it.1) {
        let message = format!("both sites use the same {key}: one lost key would lose both");
        look.say(&place.key(key), message, "give each site an IAM user of its own");
    }
}
