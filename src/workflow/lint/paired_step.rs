//! PAIRED-STEP: what a run changes it puts back, and each job runs again where its role has gone.

use super::Look;
use super::deed::Deed;
use crate::model::{Phase, Role};
use crate::workflow::check;
use crate::workflow::path::Path;
use crate::workflow::types::{DatabaseKind, Workflow};

pub(super) fn look(look: &mut Look<'_>) {
    look.judged(check::debts);
    let draft = look.draft;
    let off = |name: &str| {
        draft.deeds().any(|(_, deed)| matches!(deed, Deed::JobOff(job) if job == name))
    };
    let on = |name: &str| {
        draft.deeds().any(|(placed, deed)| {
            matches!(placed.phase, Phase::Lift | Phase::Renew | Phase::SyncOn)
                && matches!(deed, Deed::JobOn(job) if job == name)
        })
    };
    for (placed, deed) in draft.deeds() {
        if let Deed::JobOn(job) = deed
            && !off(job)
        {
            let message = format!("`{job}` is switched on and nothing switches it off");
            look.say(
                &placed.path.key("with").key("job"),
                message,
                "add a `job.off` step to `release.sync_off`",
            );
        }
    }
    for name in draft.workflow.jobs.keys() {
        let place = Path::of("jobs").key(name);
        if !off(name) && !on(name) {
            let message = format!("the job `{name}` stays on the old host through a release");
            let help = "add `job.off` to `release.sync_off` and `job.on` to `closing`";
            look.say_key(&place, message, help);
        } else if !off(name) {
            let message = format!("the job `{name}` runs on through a release");
            look.say_key(&place, message, "add a `job.off` step to `release.sync_off`");
        }
    }
    if copied(draft.workflow) && !backed_up(draft.workflow, &on) {
        let message = "nothing backs up the new production: no job of production's own is switched on \
                       when roles have changed";
        let help = "declare the backup as a job with `runs_on: production`, and add `action: job.on` \
                    for it to `closing.lift`";
        look.say_key(&Path::of("jobs"), message, help);
    }
}

/// Whether the standby lives from copies of production's data.
fn copied(workflow: &Workflow) -> bool {
    let database = workflow.database.as_ref();
    database.is_some_and(|it| it.kind == DatabaseKind::RestoredCopy) && !workflow.jobs.is_empty()
}

fn backed_up(workflow: &Workflow, on: &dyn Fn(&str) -> bool) -> bool {
    let mut jobs = workflow.jobs.iter();
    jobs.any(|(name, it)| it.backup.is_some() && it.runs_on == Role::Production && on(name))
}
