//! Giving production up, and bringing the lost site back: what each command demands before the machine is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::conductor::Conductor;
use crate::conductor::command::{Command, GivenUp, MayLose, Order, Preview};
use crate::conductor::drive::Goal;
use crate::conductor::guard::confirmed;
use crate::conductor::start::open_already;
use crate::fault::{E2001, E2008, E2015, E2061, E2062, E2063, E2064, Fault};
use crate::machine::{Begin, Consent, Fact, Incident, Input, Record, Rules, Run, State};
use crate::model::{About, Actor, Digest, Evidence, Kind, Says, SiteName, StepId, Witness};
use crate::port::Asked;
use crate::view::words::lasting;

impl Conductor {
    /// Gives production up: witnesses, consent, then the machine.
    pub(super) async fn failover(
        &self,
        by: &Actor,
        it: &GivenUp,
        reason: Option<String>,
    ) -> Result<(), Fault> {
        let asked = self.clock.now();
        if it.down.is_some_and(|since| since > asked) {
            return Err(Fault::new(&E2015, "production is said to be down since a time to come")
                .hint(format!("--down-since is in UTC: now it is {}", asked.screen())));
        }
        let record = self.life().record;
        self.not_twice(&record, it.confirm.as_ref())?;
        let (lost, to) = self.sides(&record)?;
        self.demand(confirmed(it.confirm.as_ref(), &to, "failover").map_err(|fault| {
            fault.hint("what would be lost, and the whole command: changeover failover --dry-run")
        }))?;
        let acknowledged = it.acknowledged();
        self.demand(self.cooled_down(&record, acknowledged))?;
        if let (Some(says), None) = (quarantined(&record, &to), acknowledged) {
            let lacks = Fault::new(&E2064, says)
                .because("what was written since is not on it, and it may not be whole")
                .hint("changeover rejoin; or say why: --acknowledge REASON");
            self.demand(Err(lacks))?;
        }
        let (preview, plan, evidence) =
            Box::pin(self.agreed_upon(&record, it, acknowledged)).await?;
        if let Some(refused) = &preview.refused {
            let says = format!("{}: {}", preview.diagnosis.name(), preview.says);
            let seen = Fault::new(&E2062, says)
                .because(witnessed(&preview.witnesses))
                .hint(refused.clone());
            self.demand(Err(seen))?;
        }
        if let Some(shown) = &it.plan
            && !plan.to_string().starts_with(&shown.to_lowercase())
        {
            let says = format!("plan {shown} is not what would be done now");
            let now =
                format!("look at plan {} first: {}", plan.short(), "changeover failover --dry-run");
            self.demand(Err(Fault::new(&E2008, says).hint(now)))?;
        }
        let accepted = accepted(&preview, it.accept_data_loss)?;
        let armed = self.begin_from(&preview)?;
        let consent = Consent {
            lost: lost.clone(),
            to: to.clone(),
            diagnosis: preview.diagnosis.name().to_owned(),
            fence_first: preview.fence_first,
            data_of: preview.data_of,
            figure: preview.loss_seconds,
            accepted,
            writes: preview.writes,
            missing: preview.missing,
            acknowledged: acknowledged.map(str::to_owned),
            plan,
            armed,
            down: it.down,
            shown: it.shown,
            asked,
        };
        self.consented(by, Box::new(consent), reason, evidence)
    }

    /// The plan that was just shown, when it comes from an armed one; else one made now.
    async fn agreed_upon(
        &self,
        record: &Record,
        it: &GivenUp,
        acknowledged: Option<&str>,
    ) -> Result<(Preview, Digest, Vec<Evidence>), Fault> {
        if let Some((preview, plan)) = self.confirmed_armed(record, it)? {
            let evidence: Vec<Evidence> = preview.witnesses.iter().map(Evidence::from).collect();
            return Ok((preview, plan, evidence));
        }
        let (preview, plan, evidence) = self.preview(acknowledged).await?;
        self.start_asked(record, &preview);
        Ok((preview, plan.digest, evidence))
    }

    /// As `accept_order`; while a failover asks its witnesses, others are told at once that it does.
    pub(super) async fn accept_attended(&self, order: &Order, by: &Actor) -> Result<Goal, Fault> {
        if !matches!(order.command, Command::Failover(_)) {
            return Box::pin(self.accept_order(order, by)).await;
        }
        let mut inbox = self.inbox.lock().await;
        let mut accepted = Box::pin(self.accept_order(order, by));
        loop {
            tokio::select! {
                biased;
                goal = &mut accepted => return goal,
                Some((order, who, answer)) = inbox.recv() => {
                    let fault = self.refused(&order, &who, deciding(&by.name))?;
                    if answer.send(Err(fault)).is_err() {
                        self.say("another command went away before it was refused");
                    }
                }
            }
        }
    }

    fn consented(
        &self,
        by: &Actor,
        consent: Box<Consent>,
        reason: Option<String>,
        evidence: Vec<Evidence>,
    ) -> Result<(), Fault> {
        self.end_the_one_before(by, reason.as_ref())?;
        self.end_drill(by, "production is given up")?;
        let record = self.life().record;
        let (lost, to) = (consent.lost.clone(), consent.to.clone());
        let from_armed = consent.armed.is_some();
        let mut facts = vec![Fact::Consented { consent }];
        if record.paused {
            facts.push(Fact::Paused { on: false });
        }
        let input = if record.run.is_some() {
            Input::Failover { loss_accepted: true }
        } else {
            let workflow = self.kept_text(from_armed)?;
            Input::Start(Box::new(Begin {
                kind: Kind::Failover,
                version: None,
                production: lost,
                standby: to,
                workflow,
                rules: Rules::of(&self.workflow),
                outside: self.differs.clone(),
                loss_accepted: true,
            }))
        };
        self.decide(by, input, (reason, evidence, facts))
    }

    /// The site that would be given up and the one that users would be moved to.
    pub(super) fn sides(&self, record: &Record) -> Result<(SiteName, SiteName), Fault> {
        let lost = record.production().cloned().ok_or_else(|| self.uninitialised())?;
        let to = self.workflow.other(&lost).cloned().ok_or_else(|| self.uninitialised())?;
        if self.workflow.failover.is_none() {
            return Err(Fault::new(&E2001, "the workflow does not say how production is given up")
                .hint("add the section `failover`"));
        }
        Ok((lost, to))
    }

    /// What a failover now wants a reason for, whatever the witnesses say.
    pub(super) fn wants_reason(&self, record: &Record, to: &SiteName) -> Vec<String> {
        let soon = record.incident.as_ref().filter(|it| self.cooling(it) > 0).map(|it| {
            let ago = lasting(self.clock.now().seconds_since(it.at));
            format!("why users are moved again: run {} failed over {ago} ago", it.run)
        });
        soon.into_iter().chain(quarantined(record, to)).collect()
    }

    /// One failover, then a person.
    fn cooled_down(&self, record: &Record, acknowledged: Option<&str>) -> Result<(), Fault> {
        let (Some(incident), None) = (&record.incident, acknowledged) else { return Ok(()) };
        let left = self.cooling(incident);
        if left <= 0 {
            return Ok(());
        }
        let says = format!(
            "run {} failed over {} ago",
            incident.run,
            lasting(self.clock.now().seconds_since(incident.at))
        );
        Err(Fault::new(&E2064, says)
            .because(format!("for {} more only a person's reason moves users again", lasting(left)))
            .hint("say why: --acknowledge REASON"))
    }

    /// How long the cool-down still lasts, seconds.
    fn cooling(&self, incident: &Incident) -> i64 {
        let end = incident.at.plus_seconds(self.workflow.limits.cooldown.as_seconds());
        end.seconds_since(self.clock.now())
    }

    /// Makes the lost site a standby again; what is not fenced yet is fenced before anything is rebuilt.
    pub(super) async fn rejoin(
        &self,
        by: &Actor,
        waive: &[StepId],
        reason: Option<String>,
    ) -> Result<(), Fault> {
        let record = self.life().record;
        if let Some(run) = &record.run {
            // Nothing else can be told of what would come after that run.
            return Err(open_already(run));
        }
        if record.quarantined.is_none() && record.owed.is_empty() {
            return Err(Fault::new(&E2001, "no site is quarantined and nothing is owed")
                .hint("there is nothing to rejoin; changeover status"));
        }
        self.demand(self.fenced_whole(by).await)?;
        self.count_lost(by).await?;
        self.begin_run(by, Kind::Rejoin, None, waive, reason).await
    }

    /// Counts what the copy holds, so that the true loss can be told later. Not being able to is no trouble.
    pub(super) async fn count_copy(&self, by: &Actor) -> Result<(), Fault> {
        let record = self.life().record;
        let Some(incident) = record.failing_over().filter(|it| it.counts.is_empty()) else {
            return Ok(());
        };
        let counts = self.counted(&incident.consent.to).await;
        if counts.is_empty() {
            return Ok(());
        }
        let text = format!("counted on {}: {}", incident.consent.to, listed(&counts));
        self.book().note(by, text, None, vec![], vec![Fact::CopyCounted { counts }])
    }

    /// Compares the lost site's own counts with those of the copy: what was accepted, and what it really was.
    async fn count_lost(&self, by: &Actor) -> Result<(), Fault> {
        let record = self.life().record;
        let Some(incident) = record.incident.filter(|it| it.found.is_none()) else { return Ok(()) };
        let counts = self.counted(&incident.consent.lost).await;
        let told = counts.iter().filter_map(|(query, there)| {
            let copy = incident.counts.get(query)?;
            let missing = there.parse::<i64>().ok()? - copy.parse::<i64>().ok()?;
            Some(format!("{query}: {there} there, {copy} on the copy, {missing} lost"))
        });
        let told: Vec<String> = told.collect();
        if told.is_empty() {
            return Ok(());
        }
        let says = told.join("; ");
        let text = format!("what the failover of run {} lost: {says}", incident.run);
        self.book().note(by, text, None, vec![], vec![Fact::LossFound { says }])
    }

    async fn counted(&self, site: &SiteName) -> BTreeMap<String, String> {
        let Some(failover) = &self.workflow.failover else { return BTreeMap::new() };
        let asked = self.world.counts(&self.workflow, site, &failover.counts);
        let limit = self.workflow.limits.fence.0;
        tokio::select! {
            counts = asked => counts,
            () = self.clock.sleep(limit) => BTreeMap::new(),
        }
    }

    /// After a failover nobody is sent back to a site that is seen not to serve: the run would stand half-way,
    /// and users would have lost their writes for nothing.
    pub(super) async fn still_serves(&self, run: &Run) -> Result<(), Fault> {
        if run.kind != Kind::Failover {
            return Ok(());
        }
        let (from, to) = (run.standby.clone(), run.production.clone());
        let seen = self.world.witness(&self.asked(from, to.clone())?).await;
        let about = || seen.witnesses.iter().filter(|it| it.about == About::Standby);
        if about().any(|it| it.says == Says::Up) || about().all(|it| it.says == Says::Unknown) {
            return Ok(());
        }
        let said: Vec<String> = about().map(|it| format!("{}: {}", it.source, it.text)).collect();
        Err(Fault::new(&E2062, format!("{to} does not serve: nobody is sent back to it"))
            .because(said.join("; "))
            .hint("stay: changeover release accept; then changeover rejoin rebuilds it"))
    }

    /// What the witnesses of an incident are asked.
    pub(super) fn asked(&self, production: SiteName, standby: SiteName) -> Result<Asked, Fault> {
        Ok(Asked {
            workflow: self.run_workflow()?,
            record: Arc::new(self.life().record),
            production,
            standby,
            deadline: self.workflow.limits.witness.0,
        })
    }

    /// Opens the next of the two runs that lead back.
    pub(super) async fn failback(
        &self,
        by: &Actor,
        waive: &[StepId],
        acknowledged: Option<&str>,
        reason: Option<String>,
    ) -> Result<(), Fault> {
        match self.fails_back(acknowledged)? {
            Kind::Rejoin => self.rejoin(by, waive, reason).await,
            kind @ (Kind::Release | Kind::Switchover | Kind::Failover | Kind::Drill) => {
                let reason = acknowledged.map(str::to_owned).or(reason);
                self.begin_run(by, kind, None, waive, reason).await
            }
        }
    }

    /// The next of the two runs that lead back: the rejoin, then the switchover.
    pub(super) fn fails_back(&self, acknowledged: Option<&str>) -> Result<Kind, Fault> {
        let life = self.life();
        let record = &life.record;
        if life.state != State::Steady {
            return Err(self.not_now("failback"));
        }
        if record.quarantined.is_some() {
            return Ok(Kind::Rejoin);
        }
        let Some(incident) = &record.incident else {
            return Err(Fault::new(&E2001, "there was no failover to come back from")
                .hint("a planned move is `changeover switchover`"));
        };
        if record.away().is_none() {
            let says = format!("users have been back on {} since", incident.consent.lost);
            return Err(Fault::new(&E2001, says).hint("changeover status"));
        }
        self.demand(self.cooled_down(record, acknowledged))?;
        Ok(Kind::Switchover)
    }
}

fn quarantined(record: &Record, to: &SiteName) -> Option<String> {
    let lost = record.quarantined.as_ref() == Some(to);
    lost.then(|| format!("{to} is quarantined: it lost production"))
}

fn deciding(by: &str) -> Fault {
    Fault::new(&E2061, format!("{by} is giving production up just now"))
        .because("two at once would move the same records against each other")
        .hint("changeover status shows what became of it")
}

fn listed(counts: &BTreeMap<String, String>) -> String {
    let each = counts.iter().map(|(query, answer)| format!("{query}: {answer}"));
    each.collect::<Vec<_>>().join("; ")
}

/// The loss accepted, in seconds; `None` when it was accepted as unknown.
fn accepted(preview: &Preview, given: Option<MayLose>) -> Result<Option<i64>, Fault> {
    let figure = preview.loss_seconds.map_or_else(
        || "an unknown amount: nothing proves what the standby's data is a copy of".to_owned(),
        |it| format!("up to {}", lasting(it)),
    );
    let refused = |said: String| {
        Err(Fault::new(&E2063, format!("{figure} of writes would be lost; accepted: {said}"))
            .because("the loss is accepted as the figure it is, before anything moves")
            .hint(format!("run: {}", preview.command)))
    };
    match (given, preview.loss_seconds) {
        (Some(MayLose::Seconds(most)), Some(figure)) if figure <= most => Ok(Some(most)),
        (Some(MayLose::Unknown), None) => Ok(None),
        (Some(MayLose::Unknown), Some(figure)) => Ok(Some(figure)),
        (Some(MayLose::Seconds(most)), _) => refused(lasting(most)),
        (None, _) => refused("nothing".to_owned()),
    }
}

/// Who said what, in one sentence.
pub(super) fn witnessed(witnesses: &[Witness]) -> String {
    let each = witnesses.iter();
    let said: Vec<String> = each
        .map(|it| format!("{} {} ({}: {})", it.about.name(), it.says.name(), it.source, it.text))
        .collect();
    said.join("; ")
}

/// The digest of everything that a person agrees to and that does not change by itself.
pub(super) fn digest_of(preview: &Preview, epoch: u64, changes: &[crate::model::Change]) -> Digest {
    let data_of = preview.data_of.map(|it| it.to_string()).unwrap_or_default();
    let release = preview.release.clone().unwrap_or_default();
    let mut whole = format!(
        "failover\n{epoch}\n{} → {}\n{}\n{}\n{data_of}\n{release}\n{}\n",
        preview.lost,
        preview.to,
        preview.diagnosis.name(),
        preview.fence_first,
        preview.missing.join("\n"),
    );
    for it in changes {
        let (old, new) = (it.old.as_deref().unwrap_or("-"), it.new.as_deref().unwrap_or("-"));
        whole.push_str(&format!("{} {old} {new}\n", it.key));
    }
    Digest::of(whole.as_bytes())
}
