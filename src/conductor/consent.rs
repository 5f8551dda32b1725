//! A consent grows old: a failover that stood still before users were moved looks again before it moves them.
//!
//! What was agreed to rests on what the witnesses said then. Longer than a shown plan may be confirmed
//! (`limits.shown`), production may have come back, or somebody may have moved users, and the person who retries a
//! failed step has not been told.

use crate::conductor::failover::witnessed;
use crate::conductor::{Conductor, StepEnd};
use crate::fault::{E2062, Fault};
use crate::machine::{At, Consent, Diagnosis, diagnose};
use crate::model::{Actor, Evidence, Kind, Phase, Way};
use crate::view::words::lasting;
use crate::workflow::step::Step;

/// What the witnesses say now, of a consent that is old.
struct Heard {
    diagnosis: Diagnosis,
    evidence: Vec<Evidence>,
    /// The sentence for the journal.
    says: String,
    /// What each of them said.
    because: String,
}

impl Conductor {
    /// Before a failover goes on to the switch.
    ///
    /// # Errors
    /// E2062: the consent is old, and no failover would be begun now.
    pub(super) async fn guard_consent(&self, by: &Actor) -> Result<(), Fault> {
        let Some(consent) = self.life().record.failing_over().map(|it| it.consent.clone()) else {
            return Ok(());
        };
        let Some(heard) = self.heard_again(&consent).await? else { return Ok(()) };
        // A reason answers what was asked then: one for moving users again so soon says nothing of what nobody
        // can tell now.
        let known = consent.acknowledged.is_some()
            && heard.diagnosis.may_be_acknowledged()
            && heard.diagnosis.name() == consent.diagnosis;
        let leave = "changeover release abort --reason TEXT";
        match heard.diagnosis.actionable() {
            Err(_) if !known && heard.diagnosis.may_be_acknowledged() => {
                Err(Fault::new(&E2062, heard.says).because(heard.because).hint(format!(
                    "look again; or leave this failover ({leave}) and say what you know yourself with the next: \
                     changeover failover --dry-run --acknowledge REASON"
                )))
            }
            Err(way) if !known => Err(Fault::new(&E2062, heard.says)
                .because(heard.because)
                .hint(format!("{way}; to leave this failover: {leave}"))),
            Ok(()) | Err(_) => self.book().note(by, heard.says, None, heard.evidence, vec![]),
        }
    }

    /// The switch itself, tried again later or by the next process. `Some` when production serves all the same:
    /// nobody is taken from it by an old word. Whatever else they say, users may stand between the sites and must
    /// come to one of them.
    pub(super) async fn served_meanwhile(
        &self,
        at: At,
        step: &Step,
    ) -> Result<Option<StepEnd>, Fault> {
        let switches = at.kind == Kind::Failover
            && (at.way, at.phase) == (Way::Forth, Phase::Swap)
            && step.kind() == "switch";
        let record = self.life().record;
        let Some(consent) = record.failing_over().map(|it| &it.consent).filter(|_| switches) else {
            return Ok(None);
        };
        Ok(self.heard_again(consent).await?.filter(|it| it.diagnosis == Diagnosis::Healthy).map(
            |mut heard| {
                let back = format!(
                    "{}; users stay with: changeover release rollback --confirm {} --accept-data-loss --reason TEXT",
                    heard.says, consent.lost
                );
                heard.evidence.push(self.evidence(&back));
                StepEnd::failed(heard.evidence)
            },
        ))
    }

    /// `None` while the consent is fresh.
    async fn heard_again(&self, consent: &Consent) -> Result<Option<Heard>, Fault> {
        let age = self.clock.now().seconds_since(consent.asked);
        if age <= self.workflow.limits.shown.as_seconds() {
            return Ok(None);
        }
        self.say("the consent is old: asking the witnesses again");
        let asked = self.asked(consent.lost.clone(), consent.to.clone())?;
        let witnesses = self.world.witness(&asked).await.witnesses;
        let diagnosis = diagnose(&witnesses, self.clock.now());
        Ok(Some(Heard {
            diagnosis,
            says: format!("the consent is {} old; now: {}", lasting(age), diagnosis.name()),
            because: witnessed(&witnesses),
            evidence: witnesses.iter().map(Evidence::from).collect(),
        }))
    }
}
