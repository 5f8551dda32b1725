//! SYNC-DIRECTION: a sync writes into the standby, on the standby's host; a backup is production's.

use super::Look;
use crate::model::Role;
use crate::workflow::path::Path;

pub(super) fn look(look: &mut Look<'_>) {
    for (name, job) in &look.draft.workflow.jobs {
        let place = Path::of("jobs").key(name);
        if let Some(sync) = job.sync {
            if sync.to != Role::Standby {
                let message = format!("`{name}` would overwrite production");
                look.say(
                    &place.key("sync").key("to"),
                    message,
                    "write `{ from: production, to: standby }`",
                );
            } else if job.runs_on != sync.to {
                let message = format!("`{name}` overwrites the standby and runs elsewhere");
                let help = "a sync runs where it writes: after a swap it must not reach back";
                let sync = place.key("sync").key("to");
                look.say_with(&place.key("runs_on"), message, help, &sync, "it writes there");
            }
        } else if job.runs_on != Role::Production {
            let message = format!(
                "`{name}` copies in the wrong direction: it backs up the standby, which users are not on"
            );
            look.say(&place.key("runs_on"), message, "write `runs_on: production`");
        }
    }
}
