//! PHASE-ORDER: data is replaced after it was copied and looked at; nothing fires into a site being deployed.

use super::Look;
use super::deed::Deed;
use crate::model::{Phase, Role};
use crate::workflow::check;

pub(super) fn look(look: &mut Look<'_>) {
    look.judged(check::proofs);
    let draft = look.draft;
    let steps: Vec<_> = draft.deeds_of(Phase::Deploy).collect();
    let Some(deploys) = steps.iter().position(|it| matches!(it.1, Deed::Deploys(_))) else {
        return;
    };
    let before = &steps[..deploys];
    // A look at the windows just before is the other way to keep a job from firing into it.
    if before.iter().any(|it| matches!(it.1, Deed::WindowLook)) {
        return;
    }
    let off = |job: &str| before.iter().any(|it| matches!(it.1, Deed::JobOff(own) if own == job));
    for (name, job) in &draft.workflow.jobs {
        let writes = job.sync.is_some_and(|it| it.to == Role::Standby);
        if writes && !off(name) {
            let message = format!(
                "`{name}` can fire into the standby while it is deployed; it is off only later"
            );
            let help = format!("put `action: job.off` with `job: {name}` before it in `deploy`");
            look.say_key(&steps[deploys].0.path, message, help);
        }
    }
}
