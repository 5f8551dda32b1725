//! What a failover needs to know of the standby's machines, read while its command is still being understood: one
//! call a host, whatever the number of jobs there; and what a machine said right after a job was taken out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, ready};
use tokio::sync::OwnedMutexGuard;

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
pub(super) const BETWEEN: &str = "#-- processes, after the crontab --#";
/// Takes lines out of the crontab, then reads both. They were taken out also where that cannot be read.
pub(super) const TAKE: &str = concat!(
    include_str!("host/crontab.sh"),
    "shift 3\n(\n",
    include_str!("host/jobs.sh"),
    ")\nexit 0\n"
);

/// All that says whether jobs are off on a machine.
#[derive(Clone, Debug)]
pub(super) struct Whole {
    /// The crontab's digest and its text. Who writes gives the digest: the machine compares it with its own.
    pub(super) crontab: (String, String),
    /// All processes, as `PID COMMAND LINE`.
    pub(super) processes: String,
}

impl Whole {
    /// What a machine said of both; `None` if the crontab is not text.
    pub(super) fn of(said: &str) -> Option<Self> {
        let halves = said.rsplit_once(&format!("\n{BETWEEN}\n"));
        let (text, processes) =
            halves.filter(|(text, _)| !text.contains(char::REPLACEMENT_CHARACTER))?;
        let crontab = (Digest::of(text.as_bytes()).to_string(), text.to_owned());
        Some(Self { crontab, processes: processes.to_owned() })
    }
}

/// Reads both in one call: first what may start, then what runs.
pub(super) async fn whole(
    wire: &Wire,
    workflow: &Workflow,
    machine: &Machine,
) -> Result<Whole, Trouble> {
    let answer = machine.run(wire, workflow, "jobs", JOBS, &[BETWEEN]).await?;
    let odd = || Trouble::new(&E3709, &machine.source(), "the crontab is not text");
    Whole::of(&answer.good(&machine.source())?).ok_or_else(odd)
}

/// What machines said or are about to say, by alias.
#[derive(Default)]
pub(super) struct Ahead {
    /// Each reading is used once by each job.
    readings: Mutex<BTreeMap<String, Reading>>,
    /// Who writes a machine's crontab waits for whoever does so just now: each would else undo the other's plan.
    turns: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

struct Reading {
    /// When it was begun, by the monotonic clock.
    begun: Duration,
    answer: Shared<BoxFuture<'static, Result<Whole, Trouble>>>,
    used: BTreeSet<String>,
}

impl Reading {
    fn is_fresh(&self, wire: &Wire) -> bool {
        wire.clock.monotonic().saturating_sub(self.begun) <= FRESH
    }
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
        let mut readings = self.readings.lock().unwrap_or_else(PoisonError::into_inner);
        for (alias, machine) in by_alias {
            let (wire, workflow) = (Arc::clone(wire), Arc::clone(workflow));
            let read = async move { whole(&wire, &workflow, &machine).await };
            let answer = read.boxed().shared();
            // Polled once, so that the call is on its way; whoever uses it polls on.
            drop(answer.clone().now_or_never());
            readings.insert(alias, Reading { begun, answer, used: BTreeSet::new() });
        }
    }

    /// Waits for the turn to write this machine's crontab.
    pub(super) async fn turn(&self, machine: &Machine) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(machine.alias.clone()).or_default())
        };
        turn.lock_owned().await
    }

    /// The crontab as this machine last said it, if that was just now. It may have changed: who writes gives the
    /// digest.
    pub(super) fn newest(&self, wire: &Wire, machine: &Machine) -> Option<(String, String)> {
        let readings = self.readings.lock().unwrap_or_else(PoisonError::into_inner);
        let reading = readings.get(&machine.alias).filter(|it| it.is_fresh(wire))?;
        reading.answer.peek()?.as_ref().ok().map(|it| it.crontab.clone())
    }

    /// What this machine had said is over: its crontab was changed, or has.
    pub(super) fn forget(&self, machine: &Machine) {
        self.readings.lock().unwrap_or_else(PoisonError::into_inner).remove(&machine.alias);
    }

    /// What a machine said right after its crontab was changed: newer than whatever was read there before.
    pub(super) fn put(&self, wire: &Wire, machine: &Machine, said: Whole) {
        let (begun, answer) = (wire.clock.monotonic(), ready(Ok(said)).boxed().shared());
        let mut readings = self.readings.lock().unwrap_or_else(PoisonError::into_inner);
        readings.insert(machine.alias.clone(), Reading { begun, answer, used: BTreeSet::new() });
    }

    /// What is read on this machine for this job, if that was begun just before and the job has not used it yet.
    pub(super) async fn answer(
        &self,
        wire: &Wire,
        machine: &Machine,
        job: &str,
    ) -> Option<Result<Whole, Trouble>> {
        let answer = {
            let mut readings = self.readings.lock().unwrap_or_else(PoisonError::into_inner);
            let reading = readings.get_mut(&machine.alias)?;
            if !reading.is_fresh(wire) || !reading.used.insert(job.to_owned()) {
                return None;
            }
            reading.answer.clone()
        };
        Some(answer.await)
    }
}
