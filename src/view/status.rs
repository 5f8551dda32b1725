//! Where a system stands: who is production, is it true, what runs, what is owed, what next.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::fault::E2040;
use crate::machine::{Body, Caches, Counted, Fact, Input, Line, Owed, RegionName, region_of};
use crate::model::{Phase, Roles, SiteName, StepId, SystemName, Time, Way};
use crate::view::Look;
use crate::view::armed::ArmedView;
use crate::view::commands::{Allowed, allowed, soak_end};
use crate::view::embargo::{EmbargoView, KeptView, embargoes, kept, overdue};
use crate::view::gate::{Gate, gate};
use crate::view::incident::{IncidentView, incident};
use crate::view::next::{Next, what_next};
use crate::view::phases::{RunView, open_run};
use crate::view::seen::SeenView;
use crate::view::sentence::{says, users};
use crate::view::story::stories;
use crate::view::way_back::{WayBack, measured, way_back};
use crate::view::words::lasting;

/// A site and how far it can be believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SiteView {
    /// Its name.
    pub site: SiteName,
    /// What it answers with.
    pub release: Option<String>,
    /// Since when it has its role, by this journal.
    pub since: Option<Time>,
    /// When the world was last read for it.
    pub seen: Option<Time>,
    /// What people must know about it.
    pub note: Option<String>,
}

/// An effect without an outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IntentView {
    /// Its phase.
    pub phase: Phase,
    /// Its step.
    pub step: StepId,
    /// The kind of its action.
    pub action: String,
    /// When it may have happened for the first time.
    pub since: Time,
}

/// The whole picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatusView {
    /// Whose.
    pub system: SystemName,
    /// When it was taken.
    pub now: Time,
    /// Whether the world was asked too; else all of it is by the journal.
    pub looked: bool,
    /// What the world says, where it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<SeenView>,
    /// The last line of the journal.
    pub line: u64,
    /// When that line was written.
    pub line_at: Option<Time>,
    /// Rises with every run and every take-over.
    pub epoch: u64,
    /// The phase that the open run is in.
    pub phase: Option<Phase>,
    /// The machine's mode, `new` before `init`.
    pub mode: &'static str,
    /// What is going on.
    pub says: String,
    /// What to do next.
    pub next: Next,
    /// What going back would cost now.
    pub way_back: Option<WayBack>,
    /// Who still is on the side that users left.
    pub users: Option<String>,
    /// What each site got of its users' requests when they were last counted.
    pub counts: BTreeMap<SiteName, Counted>,
    /// What resolvers remembered when they were last asked.
    pub caches: Option<Caches>,
    /// When the soak is planned to end.
    pub soak_ends: Option<Time>,
    /// Users are here, or are leaving here.
    pub production: Option<SiteView>,
    /// The other site.
    pub standby: Option<SiteView>,
    /// Users are on their way to this site.
    pub moving_to: Option<SiteName>,
    /// Lost production in a failover.
    pub quarantined: Option<SiteName>,
    /// Whether a failover is armed; only said where the workflow knows one and no run is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub armed: Option<ArmedView>,
    /// The last failover, as long as something of it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentView>,
    /// The open run.
    pub run: Option<RunView>,
    /// The gate.
    pub gate: Option<Gate>,
    /// Embargoes that lie.
    pub embargoes: Vec<EmbargoView>,
    /// Copies of databases that are kept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<KeptView>,
    /// What must be put back.
    pub owed: Vec<Owed>,
    /// Effects without an outcome.
    pub intents: Vec<IntentView>,
    /// What is wrong now.
    pub faults: Vec<String>,
    /// What people must know.
    pub warnings: Vec<String>,
    /// Nothing new is started.
    pub paused: bool,
    /// Nothing moves.
    pub frozen: bool,
    /// The conductor at work.
    pub holder: Option<String>,
    /// Outside addresses that are not the services' own.
    pub outside: Vec<String>,
    /// What may be done now.
    pub allowed: Vec<Allowed>,
}

/// Takes the picture.
pub fn status(look: &Look<'_>) -> StatusView {
    let record = &look.life.record;
    let story = stories(look.lines).pop().filter(|story| story.end.is_none());
    let embargoes = embargoes(look);
    let (faults, warnings) = troubles(look, &embargoes);
    let intents = record.intents.values().map(|it| IntentView {
        phase: it.intent.phase,
        step: it.intent.id.clone(),
        action: it.intent.action.clone(),
        since: it.since,
    });
    let moving_to = match &record.roles {
        Some(Roles::Moving { to, .. }) => Some(to.clone()),
        Some(Roles::Settled { .. }) | None => None,
    };
    StatusView {
        system: look.system.clone(),
        now: look.now,
        looked: false,
        seen: None,
        line: look.lines.last().map_or(0, |line| line.seq),
        line_at: look.lines.last().map(|line| line.at),
        epoch: record.epoch,
        phase: look.life.state.at().map(|at| at.phase),
        mode: if record.roles.is_none() { "new" } else { look.life.state.mode() },
        says: says(look),
        next: what_next(look),
        way_back: record.run.is_some().then(|| way_back(look.life, None, &measured(look.lines))),
        users: users(look),
        counts: record.counts.clone(),
        caches: record.caches.clone(),
        soak_ends: soak_end(look),
        production: record.production().map(|it| site(look, it, true)),
        standby: look.standby().map(|it| site(look, it, false)),
        moving_to,
        quarantined: record.quarantined.clone(),
        armed: None,
        incident: incident(look),
        run: story.as_ref().and_then(|story| open_run(look, story)),
        gate: gate(look),
        embargoes,
        kept: kept(look),
        owed: record.owed.iter().cloned().collect(),
        intents: intents.collect(),
        faults,
        warnings,
        paused: record.paused,
        frozen: record.frozen,
        holder: look.holder.map(str::to_owned),
        outside: look.differs.to_vec(),
        allowed: allowed(look),
    }
}

fn site(look: &Look<'_>, site: &SiteName, production: bool) -> SiteView {
    let record = &look.life.record;
    let note = if record.quarantined.as_ref() == Some(site) {
        Some("quarantined: it lost production and must rejoin".to_owned())
    } else if !production && record.owed.contains(&Owed::Standby) {
        Some(standby_note(look, site))
    } else {
        None
    };
    SiteView {
        site: site.clone(),
        release: record.releases.get(site).cloned(),
        since: role_since(look, site, production),
        seen: look.lines.iter().rev().find_map(|line| seen(line, production)),
        note,
    }
}

/// What is said of a site that does not have production's release and data.
fn standby_note(look: &Look<'_>, site: &SiteName) -> String {
    let unusable = "not a usable standby before `renew` has ended".to_owned();
    let (Some(at), Some(run)) = (look.life.state.at(), &look.life.record.run) else {
        return "not a usable standby: it lacks production's release and data".to_owned();
    };
    match (at.way, at.phase) {
        (Way::Forth, Phase::Validate | Phase::Swap) if *site == run.standby => {
            "holds the release and production's data".to_owned()
        }
        (Way::Forth, phase) if region_of(phase) == RegionName::Preparing => {
            "being prepared: not a usable standby before `validate` is done".to_owned()
        }
        (Way::Forth, Phase::Sanity | Phase::Soak | Phase::Lift) => {
            "kept as it was: the way back".to_owned()
        }
        (Way::Forth | Way::Back | Way::Abort, _) => unusable,
    }
}

/// What a line made true.
pub fn facts(line: &Line) -> &[Fact] {
    match &line.body {
        Body::Decided { facts, .. } | Body::Note { facts, .. } => facts,
        Body::Intent(intent) => &intent.facts,
        Body::Refused { .. } => &[],
    }
}

/// Since when the switch has said so, without another word in between.
fn role_since(look: &Look<'_>, site: &SiteName, production: bool) -> Option<Time> {
    let said = look.lines.iter().rev().flat_map(|line| {
        facts(line).iter().rev().filter_map(|fact| settled(fact).map(|now| (line.at, now)))
    });
    said.take_while(|(_, now)| (*now == site) == production).last().map(|(at, _)| at)
}

fn settled(fact: &Fact) -> Option<&SiteName> {
    if let Fact::Initialised { production, .. } | Fact::RolesSettled { production } = fact {
        return Some(production);
    }
    None
}

/// When the switch was last read: production's role is what it says.
fn seen(line: &Line, production: bool) -> Option<Time> {
    let told = facts(line).iter().any(|fact| settled(fact).is_some());
    let started = matches!(&line.body, Body::Decided { input: Input::Start(_), .. });
    (production && (told || started)).then_some(line.at)
}

fn troubles(look: &Look<'_>, embargoes: &[EmbargoView]) -> (Vec<String>, Vec<String>) {
    let record = &look.life.record;
    let (mut faults, mut warnings) = (vec![], vec![]);
    faults.extend(overdue(look, embargoes));
    if record.run.is_none() {
        faults.extend(
            debts(&record.owed.iter().collect::<Vec<_>>())
                .into_iter()
                .map(|it| format!("owed, and no run is open: {it}")),
        );
    }
    faults.extend(drifted(look));
    let back = look.life.state.at().is_none_or(|at| at.way != Way::Forth);
    if back && record.owed.contains(&Owed::Standby) {
        warnings.push(
            "no usable standby: production cannot fail over before `renew` has ended".to_owned(),
        );
    }
    if record.frozen {
        warnings
            .push("frozen: nothing moves except going back, fencing, closing, failover".to_owned());
    }
    if look.workflow.is_none() {
        warnings.push("the workflow file cannot be read; `changeover lint` says why".to_owned());
    }
    if !look.differs.is_empty() {
        let many = look.differs.len();
        warnings
            .push(format!("practice or stand-in addresses: {many} set; `status -v` names them"));
    }
    (faults, warnings)
}

/// The last command was refused because the switch contradicts the journal: all a reader can know of drift.
fn drifted(look: &Look<'_>) -> Option<String> {
    let mut last = look.lines.iter().rev().map_while(|line| match &line.body {
        Body::Refused { code, message, .. } => Some((line.at, code, message)),
        Body::Decided { .. } | Body::Intent(_) | Body::Note { .. } => None,
    });
    let (at, _, message) = last.find(|(_, code, _)| code.as_str() == E2040.id)?;
    let ago = lasting(look.now.seconds_since(at));
    Some(format!("DRIFT as it was {ago} ago: {message}; `changeover drift` looks now"))
}

/// What is owed, one clause each; the parts of a fence are one.
pub(crate) fn debts(owed: &[&Owed]) -> Vec<String> {
    let (mut said, mut fence) = (vec![], BTreeMap::<&SiteName, Vec<&str>>::new());
    for it in owed {
        if let Owed::Fence { part, site } = it {
            fence.entry(site).or_default().push(part.as_str());
        } else {
            said.push(owe(it));
        }
    }
    let unfenced = fence
        .iter()
        .map(|(site, parts)| format!("{site} may still act: {} not done", parts.join(", ")));
    said.extend(unfenced);
    said
}

/// What is owed, as a clause.
pub(crate) fn owe(owed: &Owed) -> String {
    match owed {
        Owed::Job { job, site } => format!("the job {job} was switched off on {site}"),
        Owed::Embargo { site } => format!("writes are refused on {site}"),
        Owed::Standby => "the standby lacks production's release and data".to_owned(),
        Owed::Fence { part, site } => format!("{site} may still act: {part} is not done"),
    }
}
