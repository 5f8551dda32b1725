//! LIFT-TOLD: who was told that writes are refused is told when they are allowed again.

use super::Look;
use super::deed::Deed;
use crate::model::Phase;
use crate::workflow::draft::path_of;

pub(super) fn look(look: &mut Look<'_>) {
    let draft = look.draft;
    let tells = |phase: Phase| draft.deeds_of(phase).find(|it| matches!(it.1, Deed::Tells(_)));
    if let Some((told, _)) = tells(Phase::Embargo)
        && tells(Phase::Lift).is_none()
    {
        let message = "people are told of the embargo and never of its end";
        let help = "add an `announce` step to `closing.lift`";
        look.say_with(&path_of(Phase::Lift), message, help, &told.path, "told here");
    }
}
