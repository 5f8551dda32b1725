//! Outside evidence that a command did its work.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::actuator::Wire;
use crate::actuator::trouble::{Trouble, coded, finding};
use crate::actuator::{backup, database};
use crate::fault::E3801;
use crate::model::{Phase, SiteName, Time, Verdict};
use crate::port::{Call, Finding};
use crate::workflow::step::params::{Equal, Proves, Written};
use crate::workflow::step::{Params, Step};

/// Looks for it. `since` is when the command may have been started for the first time.
pub(super) async fn prove(wire: &Arc<Wire>, call: &Call, proves: Proves, since: Time) -> Finding {
    match proves {
        Proves::Backup(Written::Written) => {
            let written = backup::written(wire, call, since).await;
            if written.verdict != Verdict::Pass {
                return written;
            }
            let mut whole = backup::whole(wire, call).await;
            whole.evidence.splice(0..0, written.evidence);
            whole
        }
        Proves::Counts(Equal::Equal) => match queries(call) {
            Some(queries) => database::compare(wire, call, &queries).await,
            None => {
                let says = "no step of the workflow says which counts are to be equal";
                finding(Verdict::Unknown, vec![coded(wire, &E3801, "workflow", says)])
            }
        },
    }
}

/// Rows of a site's database by query, where each answers with one number: what is dumped after this has at
/// least so many.
pub(super) async fn held(
    wire: &Wire,
    call: &Call,
    site: &SiteName,
) -> Result<BTreeMap<String, u64>, Trouble> {
    let mut rows = BTreeMap::new();
    for query in queries(call).unwrap_or_default() {
        if let Ok(count) = database::ask_site(wire, &call.workflow, site, &query).await?.1.parse() {
            rows.insert(query, count);
        }
    }
    Ok(rows)
}

/// The queries of the phase's own comparison, else of the validation that any release makes.
fn queries(call: &Call) -> Option<Vec<String>> {
    let phases = [call.at.phase, Phase::Reset, Phase::Renew];
    phases.into_iter().flat_map(|it| call.workflow.steps(it)).find_map(of_step)
}

fn of_step(step: &Step) -> Option<Vec<String>> {
    let read = Params::read(step.kind(), &step.with)?.ok()?;
    if let Params::DatabaseEqual(it) = read { Some(it.queries) } else { None }
}
