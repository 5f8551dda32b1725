//! What people approve: workflow, release, backup, planned switch change and the verdict of each check.

use std::collections::BTreeMap;

use crate::conductor::Conductor;
use crate::fault::Fault;
use crate::machine::{At, Fact};
use crate::model::{Change, Digest, Evidence, Phase, Verdict};
use crate::port::Seen;
use crate::workflow::step::Step;

/// What is approved, by name, and the digest that approvals are bound to.
#[derive(Clone, Debug)]
pub(super) struct Packet {
    pub digest: Digest,
    pub parts: BTreeMap<String, String>,
    pub evidence: Vec<Evidence>,
}

impl Packet {
    pub(super) fn fact(&self) -> Fact {
        Fact::Packet { digest: self.digest, parts: self.parts.clone() }
    }
}

impl Conductor {
    /// The packet as the world is now: the checks of validate are looked at, the switch is planned.
    pub(super) async fn packet(&self, at: At) -> Result<Packet, Fault> {
        let (mut parts, mut evidence) = (BTreeMap::new(), vec![]);
        let record = self.life().record;
        if let Some(run) = &record.run {
            parts.insert("workflow".to_owned(), run.workflow.to_string());
            parts.insert("release".to_owned(), run.version.clone().unwrap_or_default());
            if let Some((key, etag, size)) = &run.backup {
                parts.insert("backup".to_owned(), format!("{key} {etag} {size}"));
            }
        }
        for (check, verdict) in &record.verdicts {
            parts.insert(format!("check {check}"), verdict_name(*verdict).to_owned());
        }
        for (position, step) in self.machine_steps(Phase::Validate)?.iter().enumerate() {
            let Ok(position) = u8::try_from(position) else { continue };
            if !step.is_check() {
                continue;
            }
            let verdict = match self.call(at, position, step)? {
                Ok(call) => {
                    let found = self.world.check(call).look().await;
                    evidence.extend(found.evidence);
                    found.verdict
                }
                Err(_) => Verdict::Unknown,
            };
            parts.insert(format!("check {}", step.id), verdict_name(verdict).to_owned());
        }
        let (says, seen) = self.planned_switch(at).await?;
        parts.insert("switch".to_owned(), says);
        evidence.extend(seen);
        let whole: Vec<String> =
            parts.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Ok(Packet { digest: Digest::of(whole.join("\n").as_bytes()), parts, evidence })
    }

    async fn planned_switch(&self, at: At) -> Result<(String, Vec<Evidence>), Fault> {
        let at = At { phase: Phase::Swap, group: 0, ..at };
        for (position, step) in self.machine_steps(Phase::Swap)?.iter().enumerate() {
            let Ok(position) = u8::try_from(position) else { continue };
            if step.kind() != "switch" {
                continue;
            }
            let call = match self.call(at, position, step)? {
                Ok(call) => call,
                Err(evidence) => return Ok((evidence.says.clone(), vec![evidence])),
            };
            return Ok(match self.world.action(call).observe().await {
                Seen::Todo { changes, evidence } => (changes_text(&changes), evidence),
                Seen::Done { evidence, .. }
                | Seen::Busy { evidence }
                | Seen::Failed { evidence }
                | Seen::Foreign { evidence }
                | Seen::Unknown { evidence } => {
                    (evidence.last().map(|it| it.says.clone()).unwrap_or_default(), evidence)
                }
            });
        }
        Ok(("no switch".to_owned(), vec![]))
    }

    /// The steps of a phase that the machine counts.
    pub(super) fn machine_steps(&self, phase: Phase) -> Result<Vec<Step>, Fault> {
        let workflow = self.run_workflow()?;
        Ok(workflow.steps(phase).iter().filter(|it| !it.is_gate()).cloned().collect())
    }
}

/// The planned change in one line, the same for the same change.
fn changes_text(changes: &[Change]) -> String {
    let parts: Vec<String> = changes
        .iter()
        .map(|it| {
            let (old, new) = (it.old.as_deref().unwrap_or("-"), it.new.as_deref().unwrap_or("-"));
            format!("{} {old} → {new}", it.key)
        })
        .collect();
    parts.join(", ")
}

pub(super) const fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Unknown => "unknown",
    }
}
