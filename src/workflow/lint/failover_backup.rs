//! FAILOVER-BACKUP: a failover asks for no backup: the region that was lost may be the one that keeps them.

use super::Look;
use super::deed::Deed;
use crate::model::Phase;

pub(super) fn look(look: &mut Look<'_>) {
    let draft = look.draft;
    if draft.workflow.failover.is_none() {
        return;
    }
    // These three serve a release too; what stands in them is done in a failover as well.
    for phase in [Phase::Assess, Phase::Fence, Phase::Swap, Phase::Sanity, Phase::Lift] {
        let steps: Vec<_> = draft.deeds_of(phase).collect();
        for (placed, deed) in steps {
            let looks = matches!(deed, Deed::BackupLook(_) | Deed::DailyLook);
            if looks || deed.dump().is_some() {
                let message = format!(
                    "`{}` asks for a backup during a failover: the region that is lost may be the one \
                     that keeps it",
                    placed.step.id
                );
                let help =
                    "remove it: a failover moves users without the bucket; look in `preflight`";
                look.say_key(&placed.path, message, help);
            }
        }
    }
}
