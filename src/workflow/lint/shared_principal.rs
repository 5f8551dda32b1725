//! SHARED-PRINCIPAL: who takes one site's keys must not have the other site too.

use super::Look;
use crate::workflow::path::Path;

pub(super) fn look(look: &mut Look<'_>) {
    let sites: Vec<_> = look.draft.workflow.sites.iter().collect();
    let [(first, one), (name, two)] = sites[..] else { return };
    let same = [
        ("profile", one.aws.profile == two.aws.profile),
        ("principal", one.aws.principal == two.aws.principal),
    ];
    let place = |site: &str, key: &str| Path::of("sites").key(site).key("aws").key(key);
    for (key, _) in same.into_iter().filter(|it| it.1) {
        let message = format!("both sites use the same {key}: one lost key would lose both");
        let help = "give each site an IAM user of its own";
        let other = place(first.as_str(), key);
        look.say_with(&place(name.as_str(), key), message, help, &other, "the other site's");
    }
}
