//! A command on a site's host: started once for each effect, asked after by its op id, believed only with proof.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::json;

use crate::actuator::Wire;
use crate::actuator::host::status::{Ask, State, Status, ask};
use crate::actuator::host::{Machine, guard, proof};
use crate::actuator::trouble::{Trouble, coded};
use crate::fault::{E3703, E3704, E3705};
use crate::machine::Fact;
use crate::model::{Change, Evidence, SiteName, Time, Verb, Verdict};
use crate::port::{Action, Call, Seen, Sent};
use crate::workflow::step::params::{HostRun, Proves};

pub(in crate::actuator) fn action(wire: Arc<Wire>, call: Call, with: HostRun) -> Box<dyn Action> {
    Box::new(Run { wire, call, with, begun: Mutex::new(None), held: Mutex::default() })
}

#[derive(Debug)]
struct Run {
    wire: Arc<Wire>,
    call: Call,
    with: HostRun,
    /// When this object sent its request.
    begun: Mutex<Option<Time>>,
    /// Rows that the database to be dumped had at the last look, by query.
    held: Mutex<BTreeMap<String, u64>>,
}

#[async_trait]
impl Action for Run {
    async fn observe(&self) -> Seen {
        match self.look().await {
            Ok(seen) => seen,
            Err(trouble) => trouble.seen(&self.wire),
        }
    }

    async fn apply(&self, changes: &[Change]) -> Sent {
        let failed_before = changes.iter().any(|it| it.old.is_some());
        let verb = if failed_before { Ask::Again } else { Ask::Start };
        self.begun
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(self.wire.clock.now());
        match self.ask(verb).await {
            Ok(status) => {
                let evidence = vec![self.says(&status, "is started")];
                Sent::Accepted { evidence, facts: vec![] }
            }
            Err(trouble) => trouble.sent(&self.wire),
        }
    }

    fn intends(&self) -> Vec<Fact> {
        if !self.dumps() {
            return vec![];
        }
        // Told even when nothing could be counted: what an earlier dump held bounds nothing of this one.
        let rows = self.held.lock().unwrap_or_else(PoisonError::into_inner).clone();
        vec![Fact::Held { rows }]
    }
}

impl Run {
    fn site(&self) -> &SiteName {
        self.call.on.as_ref().unwrap_or(&self.call.standby)
    }

    /// Whether it makes a dump of the database.
    fn dumps(&self) -> bool {
        matches!(self.with.proves, Some(Proves::Backup(_)))
    }

    fn machine(&self) -> Result<Machine, Trouble> {
        Machine::of(&self.call.workflow, self.site(), &self.with.host)
    }

    fn command(&self) -> String {
        self.with.argv.join(" ")
    }

    fn source(&self) -> String {
        self.machine().map_or_else(|_| self.with.host.clone(), |it| it.source())
    }

    /// The time from which outside evidence counts.
    fn since(&self) -> Time {
        let begun = *self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        self.call.since.or(begun).unwrap_or(self.call.run.started)
    }

    async fn ask(&self, verb: Ask) -> Result<Status, Trouble> {
        // The question does not name the program: nobody shall take it for a running one.
        let argv: &[String] = if verb == Ask::Status { &[] } else { &self.with.argv };
        ask(&self.wire, &self.call, &self.machine()?, verb, argv).await
    }

    async fn look(&self) -> Result<Seen, Trouble> {
        let status = self.ask(Ask::Status).await?;
        let ours = status.attempt >= self.call.attempt;
        Ok(match status.state {
            State::Absent => self.todo(&status, None).await,
            State::Running => {
                let says = format!("runs; {}", status.last_line());
                Seen::Busy { evidence: vec![self.says(&status, &says)] }
            }
            State::Exited(0) => self.prove(&status, ours).await,
            State::Exited(code) if ours => {
                let says =
                    format!("{} ended with status {code}: {}", self.command(), status.last_line());
                Seen::Failed { evidence: vec![coded(&self.wire, &E3703, &self.source(), says)] }
            }
            State::Exited(code) => self.todo(&status, Some(format!("status {code}"))).await,
            State::Lost if ours => {
                let says = format!("{} is gone and left no exit status", self.command());
                Seen::Failed { evidence: vec![coded(&self.wire, &E3704, &self.source(), says)] }
            }
            State::Lost => self.todo(&status, Some("no exit status".to_owned())).await,
        })
    }

    /// Status 0 is never a success without outside evidence, where a proof is declared.
    async fn prove(&self, status: &Status, ours: bool) -> Seen {
        let mut evidence = vec![self.says(status, "ended with status 0")];
        let Some(proves) = self.with.proves else {
            return Seen::Done { evidence, facts: vec![] };
        };
        let proof = proof::prove(&self.wire, &self.call, proves, self.since()).await;
        evidence.extend(proof.evidence);
        match proof.verdict {
            Verdict::Pass => Seen::Done { evidence, facts: vec![] },
            Verdict::Unknown => Seen::Unknown { evidence },
            Verdict::Fail if ours => {
                let says = format!("{} ended well, but its work is not there", self.command());
                evidence.push(coded(&self.wire, &E3705, &self.source(), says));
                Seen::Failed { evidence }
            }
            Verdict::Fail => self.todo(status, Some("status 0, without proof".to_owned())).await,
        }
    }

    /// It may be started; what destroys data is asked once more whether it may.
    async fn todo(&self, status: &Status, before: Option<String>) -> Seen {
        let machine = match self.machine() {
            Ok(machine) => machine,
            Err(trouble) => return trouble.seen(&self.wire),
        };
        let mut evidence = vec![self.says(status, "does not run")];
        if self.with.destructive {
            let HostRun { host, argv, .. } = &self.with;
            let guard = guard::allows(&self.wire, &self.call, self.site(), host, argv).await;
            evidence.extend(guard.evidence);
            match guard.verdict {
                Verdict::Pass => (),
                Verdict::Fail => return Seen::Foreign { evidence },
                Verdict::Unknown => return Seen::Unknown { evidence },
            }
        }
        if self.dumps() {
            match proof::held(&self.wire, &self.call, self.site()).await {
                Ok(rows) => *self.held.lock().unwrap_or_else(PoisonError::into_inner) = rows,
                Err(trouble) => return trouble.seen(&self.wire),
            }
        }
        let sentence = format!("Runs {} on {} in {}", self.command(), machine.alias, machine.cwd);
        let (key, new) = (format!("host/{}/run", machine.alias), Some(self.command()));
        let changes = vec![Change { verb: Verb::Run, key, old: before, new, sentence }];
        Seen::Todo { changes, evidence }
    }

    fn says(&self, status: &Status, says: &str) -> Evidence {
        let data =
            json!({ "op": self.call.op.0, "attempt": status.attempt, "output": status.digest });
        self.wire.evidence_with(&self.source(), format!("{} {says}", self.command()), data)
    }
}
