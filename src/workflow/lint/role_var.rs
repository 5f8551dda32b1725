//! ROLE-VAR: variables whose values depend on the role are written before a site is deployed in that role.

use super::Look;
use super::deed::Deed;
use crate::model::{Phase, Role};

pub(super) fn look(look: &mut Look<'_>) {
    let draft = look.draft;
    if draft.workflow.variables.is_empty() {
        return;
    }
    for phase in [Phase::Deploy, Phase::Renew] {
        let steps: Vec<_> = draft.deeds_of(phase).collect();
        let Some(first) = steps.iter().position(|it| matches!(it.1, Deed::Deploys(_))) else {
            continue;
        };
        let Some(set) = steps.iter().position(|it| matches!(it.1, Deed::Variables(_))) else {
            let name = phase.name();
            let message = format!("`{name}` deploys a site and never writes its role variables");
            let help = "begin it with `action: gitlab.variables` on the standby, `as: production`";
            look.say_key(&steps[first].0.path, message, help);
            continue;
        };
        let place = &steps[set].0.path;
        if set > first {
            let message = "a site reads its variables when it is deployed, and that is before this";
            look.say_key(place, message, "put it before the first `gitlab.play`");
        }
        if matches!(steps[set].1, Deed::Variables(Role::Standby)) {
            let message = "this site would answer as a standby after users are moved to it";
            let help = "write `as: production`: a standby answers to both names";
            look.say(&place.key("with").key("as"), message, help);
        }
    }
}
