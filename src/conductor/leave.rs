//! Before users are sent back from a site that takes their writes, it stops taking them.

use crate::conductor::Conductor;
use crate::fault::{E2002, E2005, Fault};
use crate::machine::Run;
use crate::model::{Actor, Phase};
use crate::port::{Call, Seen};
use crate::workflow::step::Params;

/// How often it is looked and asked before a person is told that it cannot be done.
const TRIES: u32 = 4;

impl Conductor {
    pub(super) fn lacks_consent(run: &Run) -> Fault {
        let says =
            format!("users may have written on {} already; going back loses that", run.standby);
        Fault::new(&E2005, says).hint("consent to it by name: --accept-data-loss")
    }

    /// Refuses writes at the site that users leave: what it took after they had left would be lost without
    /// anybody's consent. Nothing to do where the workflow knows no embargo.
    ///
    /// # Errors
    /// It could not be seen to refuse them; nothing has been moved.
    pub(super) async fn stop_writes(
        &self,
        by: &Actor,
        run: &Run,
        reason: Option<&String>,
    ) -> Result<(), Fault> {
        let (site, workflow) = (&run.standby, self.run_workflow()?);
        let step = workflow.steps(Phase::Embargo).iter().find(|it| it.kind() == "embargo.on");
        let read = step.and_then(|it| Params::read(it.kind(), &it.with));
        let Some(Ok(params)) = read else { return Ok(()) };
        let Some(call) = self.extra_call(Phase::Embargo, params)? else { return Ok(()) };
        let call = Call { on: Some(site.clone()), ..call };
        let (timeout, settle) = (call.timeout, call.workflow.limits.settle.0);
        let action = self.world.action(call);
        let mut why = String::new();
        for _ in 0..TRIES {
            let seen = self.observe_once(timeout, &*action).await;
            let evidence = if let Seen::Done { evidence, facts } = seen {
                let text = format!("writes are refused on {site} before users leave it");
                return self.book().note(by, text, None, evidence, facts);
            } else if let Seen::Todo { changes, evidence } = seen {
                // The line is the intent: it sets a value, and whoever finds it unset sets it again.
                let text = format!("about to refuse writes on {site}, which users shall leave");
                self.book().note(by, text, reason.cloned(), evidence, vec![])?;
                self.apply_once(timeout, &*action, &changes).await.into_evidence()
            } else {
                seen.into_evidence()
            };
            why = evidence.last().map(|it| it.says.clone()).unwrap_or(why);
            self.clock.sleep(settle).await;
        }
        Err(Fault::new(&E2002, format!("{site} could not be made to refuse writes"))
            .because(format!("what it takes after users have left would be lost; {why}"))
            .hint("nothing was moved; run the same command again"))
    }
}
