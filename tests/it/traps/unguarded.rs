//! The one switch of these tests: a world in which named guards always answer "passed".

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use changeover::app::Hooks;
use changeover::machine::Life;
use changeover::model::{Evidence, Owned, Sight, SiteName, Verdict};
use changeover::port::{Action, Call, Check, Finding, Survey, World};
use changeover::workflow::Workflow;
use changeover::workflow::step::Params;

/// Hooks that take these guards out.
pub(super) fn hooks(off: &'static [&'static str]) -> Hooks {
    Hooks { world: Box::new(move |inner| Arc::new(Unguarded { inner, off })), ..Hooks::default() }
}

struct Unguarded {
    inner: Arc<dyn World>,
    off: &'static [&'static str],
}

impl Unguarded {
    fn is_off(&self, call: &Call) -> bool {
        let name = match call.step.as_str() {
            "guard" => format!("engine {}", call.params.kind()),
            step => step.to_owned(),
        };
        self.off.contains(&name.as_str())
    }
}

/// A check that is made and always passes.
struct Nods(Box<dyn Check>);

#[async_trait]
impl Check for Nods {
    async fn look(&self) -> Finding {
        Finding { verdict: Verdict::Pass, ..self.0.look().await }
    }
}

#[async_trait]
impl World for Unguarded {
    fn check(&self, call: Call) -> Box<dyn Check> {
        let off = self.is_off(&call);
        let check = self.inner.check(call);
        if off { Box::new(Nods(check)) } else { check }
    }

    fn action(&self, mut call: Call) -> Box<dyn Action> {
        if let Params::HostRun(run) = &mut call.params {
            // A command that is not called destructive is not looked at once more.
            run.destructive &= !self.off.contains(&"own look");
        }
        self.inner.action(call)
    }

    async fn addresses(
        &self,
        workflow: &Workflow,
        site: &SiteName,
    ) -> Result<BTreeMap<String, String>, Evidence> {
        self.inner.addresses(workflow, site).await
    }

    async fn survey(&self, workflow: &Workflow) -> Result<Survey, Vec<Evidence>> {
        self.inner.survey(workflow).await
    }

    async fn sight(&self, workflow: &Workflow, known: &Owned, deadline: Duration) -> Sight {
        self.inner.sight(workflow, known, deadline).await
    }

    async fn publish(&self, workflow: &Workflow, life: &Life, ask: bool) -> Result<(), Evidence> {
        self.inner.publish(workflow, life, ask).await
    }

    async fn first_marks(
        &self,
        workflow: &Workflow,
        journal: &str,
        survey: &Survey,
    ) -> Result<BTreeMap<String, u64>, Vec<Evidence>> {
        self.inner.first_marks(workflow, journal, survey).await
    }

    async fn take_marks(
        &self,
        workflow: &Workflow,
        journal: &str,
        survey: &Survey,
    ) -> Result<BTreeMap<String, u64>, Vec<Evidence>> {
        self.inner.take_marks(workflow, journal, survey).await
    }
}
