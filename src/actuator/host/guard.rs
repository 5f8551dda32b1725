//! What is proven again just before data is overwritten: the target, the exact backup that will be loaded, and
//! the copy of what is there now.

use crate::actuator::Wire;
use crate::actuator::trouble::{coded, finding, verdict};
use crate::actuator::{aws, backup, database};
use crate::fault::{E3802, E3822};
use crate::model::{Roles, SiteName, Time, Verdict};
use crate::port::{Call, Finding};

/// Whether a command that overwrites a site's database may run on this host. All must hold: the journal does
/// not call the site production or on its way, the stamp it is given is the run's, the host loads into the
/// site's own database and not production's, the run's proven backup lies where the restore reads it, whole
/// and fresh, and a copy of what is overwritten is kept. The switch is asked by the conductor.
pub(super) async fn allows(
    wire: &Wire,
    call: &Call,
    site: &SiteName,
    host: &str,
    argv: &[String],
) -> Finding {
    let cheap = [standby(wire, call, site), stamped(wire, call, argv)];
    if let Some(refused) = cheap.iter().find(|it| it.verdict != Verdict::Pass) {
        return refused.clone();
    }
    let [roles, stamp] = cheap;
    let (target, copy) = tokio::join!(
        database::at_own(wire, call, site, host),
        aws::snapshot::kept(wire, call, site)
    );
    let backup = backup::exact(wire, call).await;
    // What stands in the way is told last: that is what people are shown.
    let (mut all, bad): (Vec<Finding>, Vec<Finding>) = [roles, stamp, target, copy, backup]
        .into_iter()
        .partition(|it| it.verdict == Verdict::Pass);
    all.extend(bad);
    let worst = if all.iter().any(|it| it.verdict == Verdict::Fail) {
        Verdict::Fail
    } else if all.iter().any(|it| it.verdict == Verdict::Unknown) {
        Verdict::Unknown
    } else {
        Verdict::Pass
    };
    finding(worst, all.into_iter().flat_map(|it| it.evidence).collect())
}

/// Scripts take any text for a date, and no text for yesterday's.
fn stamped(wire: &Wire, call: &Call, argv: &[String]) -> Finding {
    let stamp = call.run.stamp.as_deref().unwrap_or_default();
    let given = argv.iter().skip(1).any(|it| it == stamp);
    let says = if !Time::is_stamp(stamp) {
        format!("`{stamp}` is no stamp: YYYYMMDD or YYYYMMDDHHMM, UTC")
    } else if !given {
        format!("`{}` is not given the run's stamp {stamp}", argv.join(" "))
    } else {
        let evidence = wire.evidence("journal", format!("the stamp is {stamp}"));
        return finding(Verdict::Pass, vec![evidence]);
    };
    finding(Verdict::Fail, vec![coded(wire, &E3822, "workflow", says)])
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
