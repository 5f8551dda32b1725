//! ROLLBACK-DATA: whoever goes back does not leave users' writes behind unseen.

use super::Look;
use super::deed::Deed;
use crate::model::{Phase, Role};
use crate::workflow::draft::path_of;
use crate::workflow::types::DatabaseKind;

pub(super) fn look(look: &mut Look<'_>) {
    let draft = look.draft;
    let database = draft.workflow.database.as_ref();
    if database.is_none_or(|it| it.kind == DatabaseKind::Shared) {
        return;
    }
    let before = [Phase::Embargo, Phase::SyncOff, Phase::Backup, Phase::Reset, Phase::Validate];
    let frozen = draft.deeds().any(|(placed, deed)| {
        matches!(deed, Deed::Refuses)
            && placed.step.on == Some(Role::Standby)
            && before.contains(&placed.phase)
    });
    if !frozen && draft.phase(Phase::Swap).next().is_some() {
        let message = "a rollback loses writes: the site that users are moved to takes them during soak, \
                       and going back leaves them there";
        let help =
            "end `release.reset` with `action: embargo.on` and `on: standby`; `closing` lifts it";
        let place = path_of(Phase::Soak);
        look.say_with(&place, message, help, &path_of(Phase::Swap), "users are moved here");
    }
    for (at, (placed, deed)) in draft.deeds_of(Phase::Renew).enumerate() {
        let mut earlier = draft.deeds_of(Phase::Renew).take(at);
        let kept = earlier
            .any(|(it, deed)| matches!(deed, Deed::Snapshot(_)) && it.step.on == placed.step.on);
        if deed.load().is_some() && !kept {
            let message = format!(
                "`{}` overwrites a site that may hold writes nobody else has: after a rollback, the \
                 release's own",
                placed.step.id
            );
            let help = "put `action: aws.rds.snapshot` on the same role before it";
            look.say_key(&placed.path, message, help);
        }
    }
}
