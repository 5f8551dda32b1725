//! LIVE-REF: what is deployed live is an annotated tag, never a branch.

use super::Look;
use super::deed::Deed;
use crate::model::Phase;
use crate::workflow::draft::path_of;
use crate::workflow::path::Path;
use crate::workflow::template::{Part, parts};

pub(super) fn look(look: &mut Look<'_>) {
    let draft = look.draft;
    let mut deployed: Option<Path> = None;
    for (placed, deed) in draft.deeds() {
        let Deed::Deploys(play) = deed else { continue };
        let place = placed.path.key("with").key("ref");
        let version = parts(&play.r#ref).into_iter().all(|part| match part {
            Part::Name { path, .. } => path.ends_with(".version") || path.ends_with(".release"),
            Part::Text(_) | Part::Broken { .. } => false,
        });
        if !version {
            let message = format!("`{}` is not the tag that this run brings", play.r#ref);
            let help = if placed.phase == Phase::Renew {
                "write `{{ production.release }}`"
            } else {
                "write `{{ release.version }}`"
            };
            look.say(&place, message, help);
        }
        deployed.get_or_insert(place);
    }
    let annotated = draft
        .deeds_of(Phase::Preflight)
        .any(|(_, deed)| matches!(deed, Deed::TagLook(it) if it.annotated));
    if let Some(play) = deployed.filter(|_| !annotated) {
        let message = "nobody looks whether the version is an annotated tag: a branch of that name, or a \
                       tag that moves, would be deployed";
        let help = "add `check: gitlab.tag` with `annotated: true` to `release.preflight`";
        look.say_with(&path_of(Phase::Preflight), message, help, &play, "deployed here");
    }
}
