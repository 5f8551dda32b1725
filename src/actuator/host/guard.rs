//! What is proven again just before data is overwritten: the target, and the exact backup that will be loaded.

use crate::actuator::Wire;
use crate::actuator::trouble::{coded, finding, verdict};
use crate::actuator::{backup, database};
use crate::fault::E3802;
use crate::model::{Roles, SiteName, Verdict};
use crate::port::{Call, Finding};

/// Whether a command that overwrites a site's database may run on this host. All three must hold:
/// the journal does not call the site production or on its way, the host loads into the site's own
/// database and not production's, and the run's proven backup lies where the restore reads it.
pub(super) async fn allows(wire: &Wire, call: &Call, site: &SiteName, host: &str) -> Finding {
    let roles = standby(wire, call, site);
    if roles.verdict != Verdict::Pass {
        return roles;
    }
    let target = database::at_own(wire, call, site, host).await;
    let backup = backup::exact(wire, call).await;
    let all = [roles, target, backup];
    let worst = if all.iter().any(|it| it.verdict == Verdict::Fail) {
        Verdict::Fail
    } else if all.iter().any(|it| it.verdict == Verdict::Unknown) {
        Verdict::Unknown
    } else {
        Verdict::Pass
    };
    finding(worst, all.into_iter().flat_map(|it| it.evidence).collect())
}

fn standby(wire: &Wire, call: &Call, site: &SiteName) -> Finding {
    let (holds, says) = match &call.record.roles {
        Some(Roles::Settled { production }) if production != site && call.production != *site => {
            (true, format!("the journal calls {production} production, not {site}"))
        }
        Some(Roles::Settled { production }) => {
            (false, format!("{site} may not be overwritten: {production} is production"))
        }
        Some(Roles::Moving { from, to }) => {
            (false, format!("nothing is overwritten while users move from {from} to {to}"))
        }
        None => (false, "the journal does not say which site is production".to_owned()),
    };
    let evidence =
        if holds { wire.evidence("journal", says) } else { coded(wire, &E3802, "journal", says) };
    finding(verdict(holds), vec![evidence])
}
