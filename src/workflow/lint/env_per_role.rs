//! ENV-PER-ROLE: what stands under `variables` depends on the role.

use super::Look;
use crate::workflow::path::Path;

pub(super) fn look(look: &mut Look<'_>) {
    for (name, value) in &look.draft.workflow.variables {
        if value.production == value.standby {
            let place = Path::of("variables").key(name);
            let message = format!("`{name}` has one value for both roles");
            let help = "leave it to the projects, or write what the standby is to have";
            look.say_with(
                &place.key("standby"),
                message,
                help,
                &place.key("production"),
                "the same here",
            );
        }
    }
}
