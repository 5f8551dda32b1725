//! Beginnings: a system is put under a journal, a run is opened, taken over, amended.

use crate::conductor::Conductor;
use crate::conductor::proven::is_proven;
use crate::fault::{E2002, E2009, E2010, E2012, E2014, E2018, Fault};
use crate::machine::{Begin, Fact, Input, Rules, Run, State, Waiver};
use crate::model::{Actor, Evidence, Kind, Roles, StepId};
use crate::workflow::step::Step;

impl Conductor {
    /// Observes roles, releases and records, sets the first marks and writes the first entries. Nothing
    /// that changes the world works before it.
    pub(super) async fn init(&self, by: &Actor, reason: Option<String>) -> Result<(), Fault> {
        let record = self.life().record;
        if record.roles.is_some() {
            return Err(Fault::new(&E2009, format!("{} is initialised already", self.system))
                .hint("changeover status"));
        }
        let survey = self.world.survey(&self.workflow).await.map_err(|evidence| {
            unread("the world could not be read or does not agree with itself", &evidence)
        })?;
        let journal = if record.journal.is_empty() {
            let journal = self.fresh_id.clone();
            let fact = Fact::Born { journal: journal.clone() };
            let text = "about to set this journal's marks";
            self.book().note(by, text, reason.clone(), survey.evidence.clone(), vec![fact])?;
            journal
        } else {
            record.journal
        };
        Self::foreign_marks(&survey, &journal)?;
        let marks = self
            .world
            .first_marks(&self.workflow, &journal, &survey)
            .await
            .map_err(|evidence| unread("the marks could not be set", &evidence))?;
        let mut facts = vec![Fact::Initialised {
            journal,
            production: survey.production.clone(),
            releases: survey.releases.clone(),
        }];
        facts.extend(marks.into_iter().map(|(zone, number)| Fact::Mark { zone, number }));
        facts.extend(
            survey
                .addresses
                .into_iter()
                .map(|(site, addresses)| Fact::Addresses { site, addresses }),
        );
        let text = format!("initialised: {} is production", survey.production);
        self.book().note(by, text, reason, survey.evidence, facts)
    }

    fn foreign_marks(survey: &crate::port::Survey, journal: &str) -> Result<(), Fault> {
        let foreign =
            survey.marks.iter().find(|(_, (_, owner))| owner != journal && !owner.is_empty());
        let Some((zone, (number, owner))) = foreign else { return Ok(()) };
        let says = format!("{zone} carries mark {number} of journal {owner}, not of this one");
        Err(Fault::new(&crate::fault::E2019, says)
            .because("another Changeover moves these records; two would fight over them")
            .hint("if that one is gone for good: changeover run adopt --reason TEXT"))
    }

    /// Opens a release, a switchover, a rejoin or a drill.
    pub(super) async fn begin_run(
        &self,
        by: &Actor,
        kind: Kind,
        version: Option<&str>,
        waive: &[StepId],
        reason: Option<String>,
    ) -> Result<(), Fault> {
        let record = self.life().record;
        if let Some(run) = &record.run {
            self.demand(Err(open_already(run)))?;
        }
        let production = match &record.roles {
            Some(Roles::Settled { production }) => production.clone(),
            Some(Roles::Moving { .. }) => return Err(self.not_now("start")),
            None => return Err(self.uninitialised()),
        };
        let Some(standby) = self.workflow.other(&production).cloned() else {
            let says = format!("the workflow does not know the site {production}");
            return Err(Fault::new(&E2012, says));
        };
        // A rejoin pays what is owed.
        if !record.owed.is_empty() && kind != Kind::Rejoin {
            let says = format!("an earlier run still owes: {}", owed_text(&record));
            let owed = Fault::new(&E2010, says)
                .hint("changeover status names each and the command that pays it");
            self.demand(Err(owed))?;
        }
        let rules = Rules::of(&self.walked(kind));
        let facts = self.waivers(by, waive, reason.as_deref())?;
        self.demand(self.guard_proven(kind, waive))?;
        let workflow = self.book().keep(&self.text)?;
        let begin = Begin {
            kind,
            version: version.map(str::to_owned),
            production,
            standby,
            workflow,
            rules,
            outside: self.differs.clone(),
            loss_accepted: false,
        };
        self.demand(self.guard_start(by, &begin).await)?;
        self.decide(by, Input::Start(Box::new(begin)), (reason, vec![], facts))
    }

    /// The facts of waived checks; only checks of this workflow can be waived.
    pub(super) fn waivers(
        &self,
        by: &Actor,
        waive: &[StepId],
        reason: Option<&str>,
    ) -> Result<Vec<Fact>, Fault> {
        let workflow = self.run_workflow()?;
        let reason = reason.unwrap_or_default().to_owned();
        let waiver = Waiver { by: by.name.clone(), reason };
        waive
            .iter()
            .map(|id| {
                if is_proven(id) && workflow.limits.proven.is_some() {
                    return Ok(Fact::Waived { check: id.clone(), waiver: waiver.clone() });
                }
                let found = workflow.all_steps().find(|step| step.id == *id && step.is_check());
                let Some(step) = found else {
                    return Err(Fault::new(&E2012, format!("there is no check `{id}` to waive")));
                };
                if !may_waive(step) {
                    return Err(Fault::new(&E2014, format!("`{id}` may not be waived")).because(
                        "who is production, which data and which jobs are never taken on trust",
                    ));
                }
                Ok(Fact::Waived { check: id.clone(), waiver: waiver.clone() })
            })
            .collect()
    }

    pub(super) fn uninitialised(&self) -> Fault {
        Fault::new(&E2009, format!("{} is not initialised", self.system))
            .because("nothing that changes the world works before the roles were observed")
            .hint(format!("changeover init {}", self.system))
    }

    /// Takes over: a new epoch; marks of another journal become ours.
    pub(super) async fn adopt(&self, by: &Actor, reason: Option<String>) -> Result<(), Fault> {
        let record = self.life().record;
        let epoch = Fact::Epoch { epoch: record.epoch + 1 };
        let journal =
            if record.journal.is_empty() { self.fresh_id.clone() } else { record.journal.clone() };
        let mut facts = vec![epoch, Fact::Born { journal: journal.clone() }];
        self.book().note(by, "taken over", reason.clone(), vec![], facts.clone())?;
        facts.clear();
        let survey = self.world.survey(&self.workflow).await.map_err(|evidence| {
            unread("the world could not be read; the epoch is raised all the same", &evidence)
        })?;
        if survey.marks.values().all(|(_, owner)| *owner == journal) {
            return Ok(());
        }
        let marks = self
            .world
            .take_marks(&self.workflow, &journal, &survey)
            .await
            .map_err(|evidence| unread("the marks could not be taken over", &evidence))?;
        facts.extend(marks.into_iter().map(|(zone, number)| Fact::Mark { zone, number }));
        self.book().note(by, "marks taken over", reason, survey.evidence, facts)
    }

    /// New rules for what has not begun.
    pub(super) fn amend(
        &self,
        by: &Actor,
        text: &str,
        file: &str,
        reason: Option<String>,
    ) -> Result<(), Fault> {
        let life = self.life();
        let kind = life.record.run.as_ref().map_or(Kind::Release, |run| run.kind);
        let new = (self.read)(text, file)?.walked_as(kind);
        if life.record.run.is_none() {
            return Err(self.not_now("amend"));
        }
        let old = self
            .book()
            .kept(&life.record.run.as_ref().map_or_else(Default::default, |run| run.workflow))?;
        let old_flow = self.run_workflow().ok();
        let diff = similar::TextDiff::from_lines(&old, text)
            .unified_diff()
            .header("before", "after")
            .to_string();
        let workflow = self.book().keep(text)?;
        let rules = Box::new(Rules::of(&new));
        let evidence = Evidence {
            data: serde_json::json!({ "diff": diff }),
            ..self.evidence("the change of the workflow")
        };
        let input = Input::Amend { rules, workflow };
        let halted_or_waiting =
            matches!(life.state, State::Halted { .. } | State::Ready { .. } | State::Asking { .. });
        let begun =
            life.state.at().is_some_and(|at| differs_in_begun(&life, at, old_flow.as_ref(), &new));
        if halted_or_waiting && (begun || self.book().try_input(by, &input).is_err()) {
            return Err(Fault::new(
                &crate::fault::E2016,
                "the new workflow differs in steps that have begun",
            )
            .hint("change only phases that come later"));
        }
        self.decide(by, input, (reason, vec![evidence], vec![]))
    }
}

/// Why nothing else may be begun.
pub(super) fn open_already(run: &Run) -> Fault {
    Fault::new(&E2018, format!("run {} is open", run.number))
        .because("a system has one run at a time")
        .hint("changeover status")
}

/// Whether people may go on without this check: who is production, which data and which jobs are never taken
/// on trust.
pub(super) fn may_waive(step: &Step) -> bool {
    let binding = ["switch.", "backup.", "job", "aws.identity", "database."];
    !binding.iter().any(|it| step.kind().starts_with(it))
}

/// Whether a step that has begun is written otherwise. A text that cannot be read any more says nothing.
fn differs_in_begun(
    life: &crate::machine::Life,
    at: crate::machine::At,
    old: Option<&std::sync::Arc<crate::workflow::Workflow>>,
    new: &crate::workflow::Workflow,
) -> bool {
    let (Some(old), Some(run)) = (old, &life.record.run) else { return false };
    run.entered.keys().chain([&at.phase]).any(|phase| {
        let groups = life.rules.phase(*phase).map(|it| it.groups.as_slice()).unwrap_or_default();
        let begun = groups
            .iter()
            .enumerate()
            .filter(|(group, _)| *phase != at.phase || *group <= usize::from(at.group));
        let begun = begun.fold(0, |all, (_, group)| all | group);
        (0..64_u8)
            .filter(|bit| begun >> bit & 1 == 1)
            .any(|bit| old.step(*phase, bit) != new.step(*phase, bit))
    })
}

fn owed_text(record: &crate::machine::Record) -> String {
    use crate::machine::Owed;
    let each = record.owed.iter().map(|owed| match owed {
        Owed::Job { job, site } => format!("job {job} is off on {site}"),
        Owed::Embargo { site } => format!("writes are refused on {site}"),
        Owed::Standby => "the standby does not have production's release and data".to_owned(),
        Owed::Fence { part, site } => format!("{site} is not fenced: {part}"),
    });
    each.collect::<Vec<_>>().join("; ")
}

pub(super) fn unread(what: &str, evidence: &[Evidence]) -> Fault {
    let says: Vec<String> =
        evidence.iter().map(|it| format!("{}: {}", it.source, it.says)).collect();
    Fault::new(&E2002, what)
        .because(says.join("; "))
        .hint("nothing was changed; put it right and run it again")
}
