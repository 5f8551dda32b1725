//! DAEMON-SET: what is deployed on one site is deployed on the other.

use super::Look;
use super::deed::Deed;
use crate::model::Phase;
use crate::workflow::draft::path_of;

pub(super) fn look(look: &mut Look<'_>) {
    let draft = look.draft;
    let jobs = |phase: Phase| -> Vec<_> {
        let play =
            |(placed, deed)| if let Deed::Deploys(it) = deed { Some((placed, it)) } else { None };
        draft.deeds_of(phase).filter_map(play).collect()
    };
    // A phase that is skipped says why.
    let skipped = |phase: Phase| draft.phase(phase).next().is_none();
    for (here, there) in [(Phase::Deploy, Phase::Renew), (Phase::Renew, Phase::Deploy)] {
        if skipped(here) || skipped(there) {
            continue;
        }
        let other = jobs(there);
        for (placed, play) in jobs(here) {
            if !other.iter().any(|(_, it)| it.job == play.job && it.r#await == play.r#await) {
                let message = format!(
                    "`{}` is deployed in `{}` and not in `{}`: one site would keep the old version",
                    play.job,
                    here.name(),
                    there.name()
                );
                let help = format!("play it in `{}` too, on the standby", there.name());
                look.say_with(
                    &placed.path.key("with").key("job"),
                    message,
                    help,
                    &path_of(there),
                    "not here",
                );
            }
        }
    }
}
