//! What a failover needs to know of the standby's machines, read while its command is still being understood: one
//! call a host, whatever the number of jobs there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};

use crate::actuator::Wire;
use crate::actuator::host::Machine;
use crate::actuator::trouble::Trouble;
use crate::fault::E3709;
use crate::model::{Digest, SiteName};
use crate::workflow::Workflow;

/// How old a reading may be when it is used.
const FRESH: Duration = Duration::from_secs(2);

/// A crontab and all processes.
const JOBS: &str = include_str!("host/jobs.sh");
/// Between them; no crontab has such a line.
const BETWEEN: &str = "#-- processes, after the crontab --#";

/// All that says whether jobs are off on a machine.
#[derive(Clone, Debug)]
pub(super) struct Whole {
    /// The crontab's digest and its text. Who writes reads again: the machine computes the digest then.
    pub(super) crontab: (String, String),
    /// All processes, as `PID COMMAND LINE`.
    pub(super) processes: String,
}

/// Reads both in one call: first what may start, then what runs.
pub(super) async fn whole(
    wire: &Wire,
    workflow: &Workflow,
    machine: &Machine,
) -> Result<Whole, Trouble> {
    let answer = machine.run(wire, workflow, "jobs", JOBS, &[BETWEEN]).await?;
    let said = answer.good(&machine.source())?;
    let halves = said.rsplit_once(&format!("\n{BETWEEN}\n"));
    let halves = halves.filter(|(text, _)| !text.contains(char::REPLACEMENT_CHARACTER));
    let odd = || Trouble::new(&E3709, &machine.source(), "the crontab is not text");
    let (text, processes) = halves.ok_or_else(odd)?;
    let crontab = (Digest::of(text.as_bytes()).to_string(), text.to_owned());
    Ok(Whole { crontab, processes: processes.to_owned() })
}

/// Readings that were begun, by alias. Each is used once by each job.
#[derive(Default)]
pub(super) struct Ahead(Mutex<BTreeMap<String, Reading>>);

struct Reading {
    /// When it was begun, by the monotonic clock.
    begun: Duration,
    answer: Shared<BoxFuture<'static, Result<Whole, Trouble>>>,
    used: BTreeSet<String>,
}

impl fmt::Debug for Ahead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ahead").finish_non_exhaustive()
    }
}

impl Ahead {
    /// Begins to read every machine of this site that has sync jobs.
    pub(super) fn begin(&self, wire: &Arc<Wire>, workflow: &Arc<Workflow>, site: &SiteName) {
        let jobs = workflow.jobs.values().filter(|it| it.sync.is_some());
        let machines = jobs.filter_map(|it| Machine::of(workflow, site, &it.host).ok());
        let by_alias: BTreeMap<String, Machine> =
            machines.map(|it| (it.alias.clone(), it)).collect();
        let begun = wire.clock.monotonic();
        let mut readings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (alias, machine) in by_alias {
            let (wire, workflow) = (Arc::clone(wire), Arc::clone(workflow));
            let read = async move { whole(&wire, &workflow, &machine).await };
            let answer = read.boxed().shared();
            // Polled once, so that the call is on its way; whoever uses it polls on.
            drop(answer.clone().now_or_never());
            readings.insert(alias, Reading { begun, answer, used: BTreeSet::new() });
        }
    }

    /// What is read on this machine for this job, if that was begun just before and the job has not used it yet.
    pub(super) async fn answer(
        &self,
        wire: &Wire,
        machine: &Machine,
        job: &str,
    ) -> Option<Result<Whole, Trouble>> {
        let answer = {
            let mut readings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let reading = readings.get_mut(&machine.alias)?;
            let old = wire.clock.monotonic().saturating_sub(reading.begun) > FRESH;
            if old || !reading.used.insert(job.to_owned()) {
                return None;
            }
            reading.answer.clone()
        };
        Some(answer.await)
    }
}
