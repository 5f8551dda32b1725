//! VERSION-SPLIT: everything deployed in one phase has one version.

use super::Look;
use super::deed::Deed;
use crate::model::Phase;
use crate::workflow::path::Path;

pub(super) fn look(look: &mut Look<'_>) {
    for phase in Phase::ALL {
        let mut first: Option<(Path, &str)> = None;
        for (placed, deed) in look.draft.deeds_of(phase) {
            let Deed::Deploys(play) = deed else { continue };
            let place = placed.path.key("with").key("ref");
            match &first {
                Some((path, version)) if *version != play.r#ref => {
                    let message = format!("`{}` deploys two versions", phase.name());
                    let help = format!("write `{version}`, as above");
                    look.say_with(&place, message, help, path, "another one here");
                }
                Some(_) => (),
                None => first = Some((place, &play.r#ref)),
            }
        }
    }
}
