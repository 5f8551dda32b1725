//! What people approve: workflow, release, backup, planned switch change and the verdict of each check.

use std::collections::BTreeMap;

use crate::conductor::Conductor;
use crate::conductor::verdict::expected;
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
    /// Checks of validate that do not pass now and are not waived.
    pub bad: Vec<String>,
}

impl Packet {
    pub(super) fn fact(&self) -> Fact {
        Fact::Packet { digest: self.digest, parts: self.parts.clone() }
    }
}

impl Conductor {
    /// The packet as the world is now: the checks of validate are looked at, the switch is planned.
    pub(super) async fn packet(&self, at: At) -> Result<Packet, Fault> {
        let (mut parts, mut evidence, mut bad) = (BTreeMap::new(), vec![], vec![]);
        let record = self.life().record;
        let waived = |id| record.run.as_ref().is_some_and(|run| run.waived.contains_key(id));
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
                    let found = self.look_once(call).await;
                    let verdict = expected(step.expect, found.verdict, &found.evidence);
                    evidence.extend(found.evidence);
                    verdict
                }
                Err(_) => Verdict::Unknown,
            };
            if verdict != Verdict::Pass && !waived(&step.id) {
                bad.push(step.id.to_string());
            }
            parts.insert(format!("check {}", step.id), verdict_name(verdict).to_owned());
        }
        if let Some((object, seen)) = self.backup_now(at).await? {
            parts.insert("backup".to_owned(), object);
            evidence.extend(seen);
        }
        let (says, seen) = self.planned_switch(at).await?;
        parts.insert("switch".to_owned(), says);
        evidence.extend(seen);
        let whole: Vec<String> =
            parts.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Ok(Packet { digest: Digest::of(whole.join("\n").as_bytes()), parts, evidence, bad })
    }

    /// The backup object as it lies there now, where a check of `backup` can say so.
    async fn backup_now(&self, at: At) -> Result<Option<(String, Vec<Evidence>)>, Fault> {
        let at = At { phase: Phase::Backup, group: 0, ..at };
        for (position, step) in self.machine_steps(Phase::Backup)?.iter().enumerate() {
            let Ok(position) = u8::try_from(position) else { continue };
            if step.kind() != "backup.whole" {
                continue;
            }
            let Ok(call) = self.call(at, position, step)? else { continue };
            let found = self.look_once(call).await;
            let object = found.facts.iter().find_map(|fact| {
                if let Fact::Backup { key, etag, size } = fact {
                    Some(format!("{key} {etag} {size}"))
                } else {
                    None
                }
            });
            let says = || format!("not whole any more: {}", verdict_name(found.verdict));
            return Ok(Some((object.unwrap_or_else(says), found.evidence)));
        }
        Ok(None)
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
            let (timeout, action) = (call.timeout, self.world.action(call));
            let seen = self.observe_once(timeout, &*action).await;
            if let Seen::Todo { changes, evidence } = seen {
                return Ok((changes_text(&changes), evidence));
            }
            let evidence = seen.into_evidence();
            return Ok((evidence.last().map(|it| it.says.clone()).unwrap_or_default(), evidence));
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
