//! What is true after users were moved: who still is on the old side, what was written since, and the table
//! that tells everybody.

use crate::conductor::Conductor;
use crate::fault::Fault;
use crate::machine::{Body, Entry, Fact, Life, RegionName, State, region_of};
use crate::model::{Evidence, Phase, Roles, Verdict};
use crate::workflow::step::Params;
use crate::workflow::step::params::Traffic;

impl Conductor {
    /// How many users are still on the old side, and how long resolvers may go on sending them there.
    /// Told and written with the acceptance; it refuses nothing: `lift` has the threshold.
    pub(super) async fn count_users(&self) -> Result<(Vec<Evidence>, Vec<Fact>), Fault> {
        let workflow = self.run_workflow()?;
        if workflow.counter.is_none() {
            let says =
                "no counter is declared: nobody can tell how many users are still on the old side";
            self.say(says);
            return Ok((vec![self.evidence(says)], vec![]));
        }
        let call = self.extra_call(Phase::Soak, Params::Traffic(Traffic {}))?;
        let Some(mut call) = call else { return Ok((vec![], vec![])) };
        call.timeout += workflow.limits.counting.0;
        self.say("counting who is still on the old side");
        let found = self.look_once(call).await;
        found.evidence.iter().for_each(|it| self.say(&it.says));
        Ok((found.evidence, found.facts))
    }

    /// The rows that production has now, where writes were allowed and the workflow counts them, with the
    /// life as it is with that known.
    pub(super) async fn count_rows(
        &self,
        life: &Life,
    ) -> Result<((Vec<Evidence>, Vec<Fact>), Life), Fault> {
        let nothing = (vec![], vec![]);
        let workflow = self.run_workflow()?;
        let steps = workflow.steps(Phase::Lift);
        let rows = steps.iter().find(|it| it.kind() == "database.rows");
        let Some(rows) = rows.filter(|_| life.record.writes_since_swap) else {
            return Ok((nothing, life.clone()));
        };
        let params = Params::read(rows.kind(), &rows.with).and_then(Result::ok);
        let Some(params) = params else { return Ok((nothing, life.clone())) };
        let Some(call) = self.extra_call(Phase::Lift, params)? else {
            return Ok((nothing, life.clone()));
        };
        let found = self.look_once(call).await;
        let mut now = life.clone();
        if found.verdict == Verdict::Pass {
            let (at, text) = (life.record.now, String::new());
            let (evidence, facts) = (vec![], found.facts.clone());
            let entry = Entry { at, body: Body::Note { text, reason: None, evidence, facts } };
            now.record = life.record.after(&entry, "");
        }
        Ok(((found.evidence, found.facts), now))
    }

    /// Writes the table after a command that had to do with where users are: on every way out, and when
    /// the cutover halts.
    pub(super) async fn publish_after(&self, before: &Life) {
        let now = self.life();
        let moving = matches!(now.record.roles, Some(Roles::Moving { .. }));
        let ended = before.record.run.is_some() && now.record.run.is_none();
        let moved = before.record.run.is_some() && before.record.roles != now.record.roles;
        let halted = matches!(now.state, State::Halted { at, .. }
            if region_of(at.phase) != RegionName::Preparing);
        if moving || ended || moved || halted {
            self.publish(true).await;
        }
    }

    /// Writes the table. Whatever stands in its way is told and stops nothing.
    pub(super) async fn publish(&self, ask: bool) {
        let life = self.life();
        if life.record.run.as_ref().is_some_and(|run| run.kind == crate::model::Kind::Drill) {
            return;
        }
        let Ok(workflow) = self.run_workflow() else { return };
        let patience = workflow.limits.call.0;
        let written = self.bounded(patience * 2, self.world.publish(&workflow, &life, ask)).await;
        match written {
            Some(Ok(())) => (),
            Some(Err(why)) => self.say(&format!("{}: {}", why.source, why.says)),
            None => self.say("the status table was not written in time"),
        }
    }
}
