//! OLD-SIDE: before users are moved or data is replaced, somebody looks whether old jobs are really gone.

use super::Look;
use super::deed::Deed;
use crate::model::{Phase, Role};
use crate::workflow::draft::path_of;
use crate::workflow::path::Path;

pub(super) fn look(look: &mut Look<'_>) {
    let draft = look.draft;
    let jobs = &draft.workflow.jobs;
    let writes = |name: &str| {
        jobs.get(name).is_some_and(|it| it.sync.is_some_and(|it| it.to == Role::Standby))
    };
    let Some(first) = jobs.keys().find(|it| writes(it)) else { return };
    let declared = Path::of("jobs").key(first);
    for phase in [Phase::Reset, Phase::Swap, Phase::Renew] {
        let steps: Vec<_> = draft.deeds_of(phase).collect();
        let matters = phase == Phase::Swap || steps.iter().any(|it| it.1.load().is_some());
        let looks = steps.iter().any(|it| matches!(it.1, Deed::JobsLook));
        if !steps.is_empty() && matters && !looks {
            let name = phase.name();
            let message = format!(
                "`{name}` begins without a look whether jobs are off: one that somebody put back would \
                 overwrite the site"
            );
            let help = format!("begin `{name}` with `check: jobs.off`");
            look.say_with(&path_of(phase), message, help, &declared, "for example this one");
        }
    }
    if draft.workflow.failover.is_none() {
        return;
    }
    for name in jobs.keys().filter(|it| writes(it)) {
        let off = [Phase::Assess, Phase::Fence].into_iter().any(|phase| {
            draft.deeds_of(phase).any(|(_, deed)| matches!(deed, Deed::JobOff(job) if job == name))
        });
        if !off {
            let message =
                format!("a failover leaves `{name}` on: it would load from the site that was lost");
            let help = format!("add `action: job.off` with `job: {name}` to `failover.assess`");
            look.say_with(
                &path_of(Phase::Assess),
                message,
                help,
                &Path::of("jobs").key(name),
                "the job",
            );
        }
    }
}
