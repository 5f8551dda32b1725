//! Which site a phase means by `production` and `standby`.

use crate::machine::{At, Record, RegionName, Run, region_of, turned};
use crate::model::{Kind, Phase, Roles, SiteName};

/// `(production, standby)` as this phase means them: through `swap` the roles users leave, from `sanity`
/// on the roles they came to. Derived from the run's start and its way, so that a crash changes nothing.
pub fn meant(run: &Run, at: At) -> (SiteName, SiteName) {
    let (here, there) = (run.production.clone(), run.standby.clone());
    if turned(run.kind, at.way, at.phase) { (there, here) } else { (here, there) }
}

/// As [`meant`], with what people did by hand and recorded: closing puts things back around the site that is
/// production by the journal, also where that is no longer the one the run would have closed around.
pub(super) fn roles_at(record: &Record, run: &Run, at: At) -> (SiteName, SiteName) {
    let (production, standby) = meant(run, at);
    let turned =
        matches!(&record.roles, Some(Roles::Settled { production }) if *production == standby);
    let closing = region_of(at.phase) == RegionName::Closing && at.kind != Kind::Drill;
    // A drill's names have roles of their own: a release leaves them where they are.
    let crossed = at.kind == Kind::Drill
        && matches!(at.phase, Phase::Swap | Phase::Sanity)
        && record.drilled.as_ref() == Some(&run.standby);
    if turned && closing || crossed { (standby, production) } else { (production, standby) }
}
