//! VERSION-NAME: phases that also serve a rollback or a failover ask for what production answers with.

use super::Look;
use crate::model::Phase;

/// Whether the phase serves other ways than a release's way forth.
const fn shared(phase: Phase) -> bool {
    match phase {
        Phase::Assess
        | Phase::Fence
        | Phase::Swap
        | Phase::Sanity
        | Phase::Lift
        | Phase::Renew
        | Phase::SyncOn => true,
        Phase::Preflight
        | Phase::Deploy
        | Phase::Embargo
        | Phase::SyncOff
        | Phase::Backup
        | Phase::Reset
        | Phase::Validate
        | Phase::Soak => false,
    }
}

pub(super) fn look(look: &mut Look<'_>) {
    for (placed, place, text) in look.step_texts() {
        if shared(placed.phase) && text.contains("release.version") {
            let phase = placed.phase.name();
            let message =
                format!("`{phase}` also serves a rollback, which goes back to the version before");
            look.say(&place, message, "write `{{ production.release }}`");
        }
    }
}
