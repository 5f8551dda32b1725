//! BACKUP-DIRTY: the release's copy of the data is taken while nobody can write.

use super::Look;
use super::deed::Deed;
use crate::model::{Phase, Role};

pub(super) fn look(look: &mut Look<'_>) {
    let draft = look.draft;
    let embargo = draft
        .deeds_of(Phase::Embargo)
        .any(|(it, deed)| matches!(deed, Deed::Refuses) && it.step.on == Some(Role::Production));
    for (placed, deed) in draft.deeds_of(Phase::Backup) {
        if deed.dump().is_some() && !embargo {
            let message = format!("`{}` copies data that users go on changing", placed.step.id);
            let help = "lay `embargo.on` on production in `release.embargo`";
            look.say_key(&placed.path, message, help);
        }
        if let Deed::BackupLook(None) = deed {
            let message = "a backup from before the embargo would pass for this run's";
            let help = "write `with: { newer_than: embargo }`";
            look.say_key(&placed.path, message, help);
        }
    }
}
