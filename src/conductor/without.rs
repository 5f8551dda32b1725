//! A run goes on without the site that users have left: it does not serve, and what is asked of it before
//! each phase cannot be read. Nothing unknown is let through but there, by name, for a reason.

use crate::conductor::Conductor;
use crate::fault::{E2062, Fault};
use crate::machine::{Fact, Waiver};
use crate::model::{About, Actor, Evidence, Says, SiteName, Way};

/// The way on where a site cannot be read.
pub(super) const LEFT: &str = "look again; a site that is down and that users have left: \
                               changeover run without SITE --reason TEXT";

impl Conductor {
    /// Accepts, for this run, that the state of a site is not known. What can be read there still counts.
    ///
    /// # Errors
    /// It is production, users have not left it, or the witnesses do not see that it does not serve.
    pub(super) async fn go_without(
        &self,
        by: &Actor,
        site: &SiteName,
        reason: Option<String>,
    ) -> Result<(), Fault> {
        let life = self.life();
        let left = life.state.at().is_some_and(|at| at.way == Way::Forth)
            && life.record.run.as_ref().is_some_and(|run| run.production == *site);
        let Some(production) = life.record.production().filter(|it| left && *it != site) else {
            return Err(self.not_now("run without").because(format!(
                "a run goes on without the site that users have left, not {site}"
            )));
        };
        let seen = self.world.witness(&self.asked(production.clone(), site.clone())?).await;
        let about = || seen.witnesses.iter().filter(|it| it.about == About::Standby);
        let said: Vec<String> = about().map(|it| format!("{}: {}", it.source, it.text)).collect();
        let says = |says: Says| about().any(|it| it.says == says);
        if says(Says::Up) || !says(Says::Down) {
            return Err(Fault::new(&E2062, format!("{site} is not seen to be down"))
                .because(said.join("; "))
                .hint("what is read there counts: changeover status -v"));
        }
        let why = reason.clone().unwrap_or_default();
        let waiver = Waiver { by: by.name.clone(), reason: why.clone() };
        let text = format!("goes on without {site}, by {}: {why}; {}", by.name, said.join("; "));
        let evidence = about().map(Evidence::from).collect();
        let facts = vec![Fact::Without { site: site.clone(), waiver }];
        self.book().note(by, text, reason, evidence, facts)
    }
}
