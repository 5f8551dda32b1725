//! PHASE-MISSING: a phase that is not skipped does what it is for.

use super::Look;
use super::deed::Deed;
use crate::model::{Phase, Role};
use crate::workflow::check;
use crate::workflow::draft::path_of;

/// Whether a deed on a role is the one that a phase is for.
type Does = fn(Deed<'_>, Option<Role>) -> bool;

pub(super) fn look(look: &mut Look<'_>) {
    look.judged(check::lever);
    let draft = look.draft;
    let wanted: [(Phase, Does, &str, &str); 3] = [
        (
            Phase::Embargo,
            |deed, on| matches!(deed, Deed::Refuses) && on == Some(Role::Production),
            "refuses no writes on production",
            "add `action: embargo.on` with `on: production`",
        ),
        (
            Phase::Validate,
            |deed, _| deed.asks(),
            "asks people to agree to what no check has looked at",
            "put an `http` check on the standby before the gate",
        ),
        (
            Phase::Sanity,
            |deed, _| deed.asks(),
            "never asks the names that users use",
            "add an `http` check of a production name",
        ),
    ];
    for (phase, fits, lack, help) in wanted {
        let mut steps = draft.phase(phase).peekable();
        let some = steps.peek().is_some();
        drop(steps);
        if some && !draft.deeds_of(phase).any(|(placed, deed)| fits(deed, placed.step.on)) {
            look.say_key(&path_of(phase), format!("`{}` {lack}", phase.name()), help);
        }
    }
}
