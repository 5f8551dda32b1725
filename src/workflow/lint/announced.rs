//! LIFT-TOLD: who was told that writes are refused is told when they are allowed again.

use super::Look;
use crate::model::Phase;
use crate::workflow::draft::path_of;
use crate::workflow::step::Params;

pub(super) fn look(look: &mut Look<'_>) {
    let tells = |phase: Phase, look: &Look<'_>| {
        look.draft.phase(phase).any(|it| matches!(it.params, Some(Params::Announce(_))))
    };
    if tells(Phase::Embargo, look) && !tells(Phase::Lift, look) {
        let message = "people are told of the embargo and never of its end";
        look.say(&path_of(Phase::Lift), message, "add an `announce` step to `closing.lift`");
    }
}
