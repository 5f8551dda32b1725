//! VERSION-NAME: phases that also serve a rollback or a failover ask for what production answers with.

use super::Look;
use crate::model::Phase;
use crate::workflow::path::Path;

const SHARED: [Phase; 7] = [
    Phase::Assess,
    Phase::Fence,
    Phase::Swap,
    Phase::Sanity,
    Phase::Lift,
    Phase::Renew,
    Phase::SyncOn,
];

pub(super) fn look(look: &mut Look<'_>) {
    let mut found = vec![];
    for placed in look.draft.steps.iter().filter(|it| SHARED.contains(&it.phase)) {
        let with = placed.path.key("with");
        let Some(node) = look.spans.root.at(&with) else { continue };
        node.each_scalar(&with, &mut |path: &Path, _, text| {
            if text.contains("release.version") {
                found.push((path.clone(), placed.phase.name()));
            }
        });
    }
    for (place, phase) in found {
        let message =
            format!("`{phase}` also serves a rollback, which goes back to the version before");
        look.say(&place, message, "write `{{ production.release }}`");
    }
}
