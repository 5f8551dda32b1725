//! What happens to a standby while it is given users: jobs that the lever did not wait for, and a nightly load that
//! came in between. One that fires on the site users were moved to would replace production's data.

use crate::conductor::{Conductor, StepEnd};
use crate::fault::{E2063, Fault};
use crate::machine::{At, Closed, Ended, Fact};
use crate::model::{Actor, Kind, Phase, Verdict, Way};
use crate::workflow;
use crate::workflow::step::Step;

impl Conductor {
    /// Before anything relies on it: the jobs that an armed failover went on without are switched off now.
    /// `Some` while one is not off: the step ends so, and `run retry` tries again.
    pub(super) async fn still_on(
        &self,
        by: &Actor,
        at: At,
        position: u8,
        step: &Step,
    ) -> Result<Option<StepEnd>, Fault> {
        let relies = at.phase == Phase::Sanity && position == 0
            || at.phase == Phase::Swap && step.kind() == "jobs.off";
        if at.kind != Kind::Failover || at.way != Way::Forth || !relies {
            return Ok(None);
        }
        // Looks at the world, not at what an armed plan kept.
        let at = At { phase: Phase::Assess, tried: at.tried.max(2), ..at };
        for (position, step) in self.machine_steps(Phase::Assess)?.iter().enumerate() {
            let Ok(position) = u8::try_from(position) else { continue };
            if step.is_check() || !self.went_without(step) {
                continue;
            }
            let mut end = Box::pin(self.attempt(by, at, position, step)).await?;
            if end.ended != Ended::Done {
                let says = format!("{}: not off yet, and users are moved to its site", step.id);
                end.evidence.push(self.evidence(&says));
                return Ok(Some(StepEnd::failed(end.evidence)));
            }
            let closed = Closed { phase: Phase::Assess, step: position, ended: Ended::Done };
            let looked = Fact::Looked { check: step.id.clone(), verdict: Verdict::Pass };
            end.facts.extend([Fact::Settled(closed), looked]);
            let text = format!("{}: the lever did not wait for it; it is done now", step.id);
            self.book().note(by, text, None, end.evidence, end.facts)?;
        }
        Ok(None)
    }

    /// This failover went on without the end of this step, and nobody has seen it since.
    fn went_without(&self, step: &Step) -> bool {
        let record = self.life().record;
        let waived = record.run.as_ref().is_some_and(|it| it.waived.contains_key(&step.id));
        waived && record.verdicts.get(&step.id) != Some(&Verdict::Pass)
    }

    /// Before users are moved: a nightly load may have come in since the loss was agreed to, while the failover
    /// stood before its jobs were off. Then it is another loss.
    pub(super) fn guard_loss(&self) -> Result<(), Fault> {
        let record = self.life().record;
        let (Some(incident), Some(run)) = (record.failing_over(), record.run.as_ref()) else {
            return Ok(());
        };
        let consent = &incident.consent;
        let copied = record.loads.get(&consent.to).filter(|_| run.started >= consent.asked);
        let (Some(most), Some(copied)) = (consent.accepted, copied) else { return Ok(()) };
        let of = workflow::data_of(&self.workflow, copied.of, self.clock.now());
        if consent.asked.seconds_since(of) <= most {
            return Ok(());
        }
        let says = format!("a nightly load may have replaced the data of {} since", consent.to);
        Err(Fault::new(&E2063, says)
            .because("more would be lost than was agreed to")
            .hint("changeover release abort --reason TEXT; then changeover failover --dry-run"))
    }
}
