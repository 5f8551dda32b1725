//! What the world says of roles: commands that change something refuse where it contradicts the journal, and
//! people may record that the world is right.

use std::collections::BTreeMap;

use crate::conductor::Conductor;
use crate::conductor::command::{Command, Plan, Reply};
use crate::conductor::guard::{confirmed, refused_by};
use crate::conductor::plan::digest_of;
use crate::conductor::start::unread;
use crate::drift::{Adoption, Known, adoption};
use crate::fault::{E2040, E2041, Exit, Fault};
use crate::machine::{At, Begin, Fact, Input, Life, RegionName, region_of};
use crate::model::{Actor, Evidence, Kind, Phase, Roles, Sight, SiteName, Verdict, Way};
use crate::port::{Finding, Survey};
use crate::workflow::step::Params;
use crate::workflow::step::params::SwitchWhole;

impl Conductor {
    /// Before a phase is entered, the switch itself says that production is what the journal says: every
    /// record, and before data is overwritten against the addresses that each site owns at this moment.
    ///
    /// # Errors
    /// It says otherwise, or, on the way forth, could not be read. A way out is not blocked by a provider
    /// that does not answer: what it does looks again.
    pub(super) async fn guard_roles(&self, next: Phase, way: Way) -> Result<(), Fault> {
        self.guard_walk_to(next, way)?;
        let life = self.life();
        let Some(Roles::Settled { production }) = life.record.roles.clone() else { return Ok(()) };
        let owned = matches!(next, Phase::Reset | Phase::Renew);
        let params = Params::SwitchWhole(SwitchWhole { owned });
        let Some(mut call) = self.extra_call(next, params)? else { return Ok(()) };
        if call.at.kind == Kind::Drill {
            return Ok(());
        }
        if call.production != production {
            std::mem::swap(&mut call.production, &mut call.standby);
        }
        let found = self.look_once(call).await;
        // Going back moves every record of the group whatever each says now; a foreign one stops it there.
        if way == Way::Back && leads(&found.evidence) == Leads::Apart {
            return Ok(());
        }
        judged(&found, &production, next, way)
    }

    /// The same before there is a run.
    pub(super) async fn guard_start(&self, by: &Actor, begin: &Begin) -> Result<(), Fault> {
        let production = begin.production.clone();
        let input = Input::Start(Box::new(begin.clone()));
        let Ok(turned) = self.book().try_input(by, &input) else { return Ok(()) };
        let state = turned.state;
        let Some(at) = state.at() else { return Ok(()) };
        let life = Life { rules: begin.rules.clone(), state, record: turned.record };
        let params = Params::SwitchWhole(SwitchWhole { owned: false });
        let Some(call) = self.extra_call_in(&life, At { phase: Phase::Preflight, ..at }, params)?
        else {
            return Ok(());
        };
        let found = self.look_once(call).await;
        match (found.verdict, leads(&found.evidence)) {
            (Verdict::Fail, Leads::Apart | Leads::To(_)) => {
                judged(&found, &production, Phase::Preflight, Way::Forth)
            }
            // What it could not read, preflight reads again and says so check by check.
            (Verdict::Fail, Leads::Home) | (Verdict::Pass | Verdict::Unknown, _) => Ok(()),
        }
    }

    /// A run does not go on forth when users were moved by hand and that was recorded.
    pub(super) fn guard_walk(&self) -> Result<(), Fault> {
        let Some(at) = self.life().state.at() else { return Ok(()) };
        self.guard_walk_to(at.phase, at.way)
    }

    fn guard_walk_to(&self, next: Phase, way: Way) -> Result<(), Fault> {
        let record = self.life().record;
        let (Some(Roles::Settled { production }), Some(run)) = (&record.roles, &record.run) else {
            return Ok(());
        };
        let began = match region_of(next) {
            RegionName::Preparing => &run.production,
            // Before the swap's intent users are where they were.
            RegionName::Cutover if next == Phase::Swap => return Ok(()),
            RegionName::Cutover => &run.standby,
            RegionName::Closing => return Ok(()),
        };
        let walks = matches!(run.kind, Kind::Release | Kind::Switchover) && way == Way::Forth;
        if !walks || began == production {
            return Ok(());
        }
        let out = if region_of(next) == RegionName::Preparing {
            "changeover release abort --reason TEXT".to_owned()
        } else {
            format!("changeover release rollback --confirm {} --reason TEXT", run.production)
        };
        let says = format!(
            "run {} prepared {} to be taken over from, and {production} is production now",
            run.number, run.production
        );
        Err(Fault::new(&E2040, says)
            .because("users were moved by hand and that was recorded")
            .hint(format!("this run can only be left: {out}")))
    }

    /// Records that the world is right.
    pub(super) async fn adopt_world(
        &self,
        by: &Actor,
        confirm: Option<&SiteName>,
        reason: Option<String>,
    ) -> Result<(), Fault> {
        let (sight, adoption) = self.adoptable().await?;
        confirmed_by_world(confirm, &adoption.production)?;
        let mut facts = adoption.facts.clone();
        let mut evidence = read(&sight);
        if !adoption.unmarked.is_empty() {
            facts.extend(self.mark(&adoption).await?);
            evidence.push(self.evidence("the next marks are set"));
        }
        if facts.is_empty() {
            self.say("the journal and the world agree: there is nothing to adopt");
            return Ok(());
        }
        let text = format!("adopted from the world: {}", adoption.says.join("; "));
        self.book().note(by, text, reason, evidence, facts)
    }

    /// What that would record.
    pub(super) async fn plan_adoption(&self, confirm: Option<&SiteName>) -> Result<Reply, Fault> {
        let (_, adoption) = self.adoptable().await?;
        if confirm.is_some() {
            confirmed_by_world(confirm, &adoption.production)?;
        }
        let command = "drift adopt".to_owned();
        let sentence = if adoption.is_empty() {
            "the journal and the world agree: there is nothing to adopt".to_owned()
        } else {
            format!("`{command}` would record: {}", adoption.says.join("; "))
        };
        let life = self.life();
        let way_back = crate::view::way_back(&life, None, &self.measured);
        let digest = digest_of(&sentence, life.record.epoch, &[]);
        let (steps, preview) = (vec![], None);
        let plan = Plan { command, sentence: sentence.clone(), steps, way_back, preview, digest };
        let (exit, state) = (Exit::Done, life.state);
        let next = "nothing was changed; run it without --dry-run".to_owned();
        Ok(Reply { exit, sentence, next, state, code: None, plan: Some(plan) })
    }

    /// The answer to this command. Adopting is done when it is written, wherever a run stands.
    pub(super) fn reply_to(&self, command: &Command) -> Reply {
        let reply = self.reply();
        if *command == Command::Runbook {
            return self.wrote_runbook(reply);
        }
        if *command == Command::Arm {
            return self.was_armed(reply);
        }
        if !matches!(command, Command::DriftAdopt { .. }) {
            return reply;
        }
        let sentence = format!("the journal says what the world says; {}", reply.sentence);
        Reply { exit: Exit::Done, code: None, sentence, ..reply }
    }

    async fn adoptable(&self) -> Result<(Sight, Adoption), Fault> {
        let (life, workflow) = (self.life(), self.run_workflow()?);
        if life.record.roles.is_none() {
            return Err(self.uninitialised());
        }
        self.say("looking at the whole world");
        let addresses = &life.record.addresses;
        let sight = self.world.sight(&workflow, addresses, workflow.limits.call.0).await;
        let known =
            Known { workflow: &workflow, life: &life, working: false, now: self.clock.now() };
        match adoption(&known, &sight) {
            Ok(adoption) => Ok((sight, adoption)),
            Err(first) => Err(Fault::new(&E2041, "the world cannot be adopted as it is")
                .because(first.join("; "))
                .hint("changeover drift names each with its evidence; settle these first")),
        }
    }

    /// Sets this journal's next mark where a zone has none.
    async fn mark(&self, adoption: &Adoption) -> Result<Vec<Fact>, Fault> {
        let journal = self.life().record.journal;
        let marks = adoption.unmarked.iter();
        let survey = Survey {
            production: adoption.production.clone(),
            releases: BTreeMap::default(),
            addresses: BTreeMap::default(),
            marks: marks.map(|(zone, it)| (zone.clone(), (*it, journal.clone()))).collect(),
            evidence: vec![],
        };
        let workflow = self.run_workflow()?;
        let set = self.world.first_marks(&workflow, &journal, &survey).await;
        let set = set.map_err(|evidence| unread("the marks could not be set", &evidence))?;
        Ok(set.into_iter().map(|(zone, number)| Fact::Mark { zone, number }).collect())
    }
}

/// What a look relied on, as evidence: one line a source.
fn read(sight: &Sight) -> Vec<Evidence> {
    let mut all = vec![];
    for (site, part) in &sight.addresses {
        let own = part.known().map(serde_json::to_value).and_then(Result::ok).unwrap_or_default();
        all.push(Evidence { data: own, ..part.says(format!("what {site} owns")) });
    }
    for (zone, part) in &sight.zones {
        let data = part.known().map(serde_json::to_value).and_then(Result::ok).unwrap_or_default();
        all.push(Evidence { data, ..part.says(format!("the records of {zone}")) });
    }
    for part in sight.answers.values().flatten() {
        let data = part.known().map(serde_json::to_value).and_then(Result::ok).unwrap_or_default();
        all.push(Evidence { data, ..part.says("answers the same") });
    }
    all.extend(sight.unread());
    all
}

fn confirmed_by_world(given: Option<&SiteName>, production: &SiteName) -> Result<(), Fault> {
    confirmed(given, production, "drift adopt --reason TEXT").map_err(|fault| match given {
        Some(site) => Fault {
            message: format!("the world says {production} is production, not {site}"),
            ..fault
        },
        None => {
            let message =
                format!("this records {production} as production and wants its name typed");
            Fault { message, ..fault }
        }
    })
}

/// Where the records lead, as far as a look tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leads<'a> {
    /// Nothing says that they lead elsewhere than the journal says.
    Home,
    /// Elsewhere, and not all to one site.
    Apart,
    /// All to this other site.
    To(&'a str),
}

fn leads(evidence: &[Evidence]) -> Leads<'_> {
    let off = evidence.iter().find(|it| it.data.get("code").is_some_and(|it| it == "E3102"));
    let Some(off) = off else { return Leads::Home };
    off.data.get("production").and_then(|it| it.as_str()).map_or(Leads::Apart, Leads::To)
}

fn judged(found: &Finding, production: &SiteName, next: Phase, way: Way) -> Result<(), Fault> {
    let says: Vec<&str> = found.evidence.iter().map(|it| it.says.as_str()).collect();
    let otherwise = |what: String| {
        Err(Fault::new(&E2040, what)
            .because(says.join("; "))
            .hint("changeover drift names each disagreement with evidence and what settles it"))
    };
    match (found.verdict, leads(&found.evidence)) {
        (Verdict::Pass, _) => Ok(()),
        (Verdict::Fail, Leads::To(site)) => otherwise(format!(
            "production ≠ journal: the switch says {site} is production, the journal says {production}"
        )),
        (Verdict::Fail, Leads::Apart) => otherwise(format!(
            "production ≠ journal: the records do not all say that {production} is production"
        )),
        (Verdict::Unknown, _) if way != Way::Forth => Ok(()),
        // A way out is not kept shut by a mark: what moves records looks at it itself.
        (Verdict::Fail, Leads::Home) if way != Way::Forth => Ok(()),
        (Verdict::Fail | Verdict::Unknown, _) => {
            let what = "the switch must say who is production";
            Err(refused_by(what, found, next))
        }
    }
}
