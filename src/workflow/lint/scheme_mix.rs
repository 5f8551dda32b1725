//! SCHEME-MIX: an address in a role variable has one scheme in both roles.

use super::{Look, host};
use crate::workflow::path::Path;

pub(super) fn look(look: &mut Look<'_>) {
    for (name, value) in &look.draft.workflow.variables {
        let place = Path::of("variables").key(name);
        let [(one, first), (other, second)] =
            [&value.production, &value.standby].map(|it| host(it));
        // Values that are no names have no scheme to agree on.
        let names = [first, second].iter().all(|it| it.contains('.'));
        if one != other && names {
            let message = format!(
                "`{name}` is {} on production and {} on the standby",
                written(one),
                written(other)
            );
            let production = place.key("production");
            let help = format!("write {} on both", written(one));
            look.say_with(&place.key("standby"), message, help, &production, "the other role's");
        }
    }
}

fn written(scheme: Option<&str>) -> String {
    scheme.map_or_else(|| "a bare name".to_owned(), |it| format!("`{it}`"))
}
