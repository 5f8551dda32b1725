//! A drill: preflight, the swap and its way back, with the same code as a release, on names that no users are on.
//! It owes production nothing and keeps nothing waiting.

use std::sync::Arc;

use crate::conductor::Conductor;
use crate::conductor::command::{Command, Order};
use crate::fault::{E2001, E2008, Fault};
use crate::machine::{Input, Record, Run};
use crate::model::{Actor, Kind, StepId};
use crate::workflow::Workflow;

impl Conductor {
    /// Opens a drill; with `plan`, only if what would be done is still what was shown.
    pub(super) async fn drill(
        &self,
        by: &Actor,
        waive: &[StepId],
        plan: Option<&String>,
        reason: Option<String>,
    ) -> Result<(), Fault> {
        self.knows_drill()?;
        if let Some(shown) = plan.filter(|_| self.life().record.run.is_none()) {
            let command = Command::Drill { waive: waive.to_vec(), plan: None };
            let order = Order { command, reason: reason.clone(), dry_run: true };
            let now = Box::pin(self.plan(&order)).await?.plan.map(|it| it.digest);
            let now = now.unwrap_or_default();
            if !now.to_string().starts_with(&shown.to_lowercase()) {
                let says = format!("plan {shown} is not what would be done now");
                let hint =
                    format!("look at plan {} first: changeover drill --dry-run", now.short());
                return Err(Fault::new(&E2008, says).hint(hint));
            }
        }
        self.begin_run(by, Kind::Drill, None, waive, reason).await
    }

    /// Refuses where the workflow has no names to drill on.
    pub(super) fn knows_drill(&self) -> Result<(), Fault> {
        if self.workflow.drill.is_some() {
            return Ok(());
        }
        Err(Fault::new(&E2001, "the workflow has no names to drill on")
            .hint("add the section `drill`"))
    }

    /// The file's workflow as a run of this kind walks it.
    pub(super) fn walked(&self, kind: Kind) -> Arc<Workflow> {
        match kind {
            Kind::Drill => Arc::new(Workflow::clone(&self.workflow).walked_as(kind)),
            Kind::Release | Kind::Switchover | Kind::Failover | Kind::Rejoin => {
                Arc::clone(&self.workflow)
            }
        }
    }

    /// What is about to be done does not wait for a drill: it is ended where it stands. What it still asks for
    /// is fenced by the marks of its own names.
    pub(super) fn end_drill(&self, by: &Actor, why: &str) -> Result<(), Fault> {
        let Some(run) = drilling(&self.life().record).cloned() else { return Ok(()) };
        self.say(&format!("run {} is a drill and gives way", run.number));
        self.decide(by, Input::Close, (Some(why.to_owned()), vec![], vec![]))
    }
}

/// The open run, if it is a drill.
pub(super) fn drilling(record: &Record) -> Option<&Run> {
    record.run.as_ref().filter(|run| run.kind == Kind::Drill)
}
