//! PAIRED-STEP: what closing puts back was changed before, and every declared job is switched off and on.

use super::Look;
use crate::workflow::path::Path;
use crate::workflow::step::Params;

pub(super) fn look(look: &mut Look<'_>) {
    let off = |name: &str, look: &Look<'_>| {
        look.draft
            .steps
            .iter()
            .any(|it| matches!(&it.params, Some(Params::JobOff(off)) if off.job == name))
    };
    let mut found = vec![];
    for placed in &look.draft.steps {
        if let Some(Params::JobOn(on)) = &placed.params
            && !off(&on.job, look)
        {
            let message = format!("`{}` is switched on and nothing switches it off", on.job);
            found.push((placed.path.key("with").key("job"), message));
        }
    }
    for name in look.draft.workflow.jobs.keys().filter(|it| !off(it, look)) {
        found.push((
            Path::of("jobs").key(name),
            format!("the job `{name}` runs on through a release"),
        ));
    }
    let help = "add a `job.off` step to `release.sync_off`";
    found.into_iter().for_each(|(place, message)| look.say(&place, message, help));
}
