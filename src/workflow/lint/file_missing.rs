//! FILE-MISSING: preflight looks whether the scripts that will be run are there.

use std::collections::BTreeSet;

use super::Look;
use super::deed::Deed;
use super::scripts::{commands, script_of};
use crate::model::Phase;
use crate::workflow::path::Path;

pub(super) fn look(look: &mut Look<'_>) {
    let draft = look.draft;
    let mut looked: BTreeSet<&str> = BTreeSet::new();
    for (_, deed) in draft.deeds_of(Phase::Preflight) {
        if let Deed::FileLook(paths) = deed {
            looked.extend(paths.iter().map(String::as_str));
        }
    }
    let mut told = BTreeSet::new();
    for command in commands(draft) {
        let Some((name, script)) = script_of(draft.workflow, &command.argv) else { continue };
        if !looked.contains(script.path.as_str()) && told.insert(name) {
            let message =
                format!("nobody looks whether `{}` is there before it is needed", script.path);
            let help = "add it to the `paths` of a `host.file` check in `release.preflight`";
            look.say_with(
                &Path::of("scripts").key(name).key("path"),
                message,
                help,
                &command.place,
                "run here",
            );
        }
    }
}
