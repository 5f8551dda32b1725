//! Which site a phase means by `production` and `standby`.

use crate::machine::{At, Run};
use crate::model::{Kind, Phase, SiteName, Way};

/// `(production, standby)` as this phase means them: through `swap` the roles users leave, from `sanity`
/// on the roles they came to. Derived from the run's start and its way, so that a crash changes nothing.
pub fn meant(run: &Run, at: At) -> (SiteName, SiteName) {
    let (here, there) = (run.production.clone(), run.standby.clone());
    let moved = match at.phase {
        Phase::Preflight
        | Phase::Deploy
        | Phase::Embargo
        | Phase::SyncOff
        | Phase::Backup
        | Phase::Reset
        | Phase::Validate
        | Phase::Assess
        | Phase::Fence => false,
        // Going back, users leave the site they had come to.
        Phase::Swap => at.way == Way::Back,
        Phase::Sanity | Phase::Soak | Phase::Lift | Phase::Renew | Phase::SyncOn => {
            at.way == Way::Forth && moves_users(run)
        }
    };
    if moved { (there, here) } else { (here, there) }
}

/// A rejoin ends with the roles it began with.
fn moves_users(run: &Run) -> bool {
    match run.kind {
        Kind::Release | Kind::Switchover | Kind::Failover | Kind::Drill => true,
        Kind::Rejoin => false,
    }
}
