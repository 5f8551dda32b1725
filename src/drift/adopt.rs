//! What of the world may be recorded as right: only what is whole, and safe to believe.

use std::collections::{BTreeMap, BTreeSet};

use crate::drift::group::{Group, Leads};
use crate::drift::{Known, Name, Report, compare};
use crate::machine::{At, Fact, Owed, RegionName, Run, State, region_of};
use crate::model::{Phase, Sight, SiteName, Way};

/// What adopting the world would record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adoption {
    /// The site that is production by the world: the name to type.
    pub production: SiteName,
    /// What becomes true.
    pub facts: Vec<Fact>,
    /// Zones that need this journal's next mark, with the last number it knows.
    pub unmarked: BTreeMap<String, u64>,
    /// What is recorded, a clause each.
    pub says: Vec<String>,
}

impl Adoption {
    /// Nothing differs that could be recorded.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty() && self.unmarked.is_empty()
    }
}

/// What adopting the world would record.
///
/// # Errors
/// It may not be believed: what must be settled or read first, a sentence each.
pub fn adoption(known: &Known<'_>, sight: &Sight) -> Result<Adoption, Vec<String>> {
    let (group, report) = (Group::of(known, sight), compare(known, sight));
    let first = unsafe_to_believe(known, sight, &group, &report);
    let Some(production) = group.whole().filter(|_| first.is_empty()) else {
        let none = || vec!["the switch does not say who is production".to_owned()];
        return Err(if first.is_empty() { none() } else { first });
    };
    let mut it = Adoption {
        production: production.clone(),
        facts: vec![],
        unmarked: BTreeMap::new(),
        says: vec![],
    };
    it.roles(known, production);
    it.addresses(known, sight);
    it.marks(known, sight);
    it.releases(&report, sight);
    it.embargoes(known, sight, production);
    Ok(it)
}

/// What keeps the world from being believed.
fn unsafe_to_believe(
    known: &Known<'_>,
    sight: &Sight,
    group: &Group<'_>,
    report: &Report,
) -> Vec<String> {
    let mut first = vec![];
    for it in sight.addresses.values().filter_map(|it| it.unknown().map(|why| it.says(why))) {
        first.push(format!("{} could not be read: {}", it.source, it.says));
    }
    for it in sight.zones.values().filter_map(|it| it.unknown().map(|why| it.says(why))) {
        first.push(format!("{} could not be read: {}", it.source, it.says));
    }
    for it in sight.answers.values().flatten().filter_map(|it| it.unknown().map(|why| it.says(why)))
    {
        first.push(format!("{} does not answer: {}", it.source, it.says));
    }
    if !group.otherwise.is_empty() {
        let who: BTreeSet<&str> =
            group.otherwise.iter().map(|it| it.evidence.source.as_str()).collect();
        let who = who.into_iter().collect::<Vec<_>>().join(", ");
        first.push(format!("the authority does not say what the provider says: {who}"));
    }
    for it in &report.differences {
        let blocks = match it.name {
            // One that users have left and that lost production is fenced by `run retry`, adopted or not.
            Name::TwoWriters => it.site.as_ref() != known.record().quarantined.as_ref(),
            Name::NoWriter | Name::HalfASwap => true,
            Name::ForeignMark => it.command.as_deref().is_some_and(|it| it.contains("run adopt")),
            // A new address that its names already lead to may be recorded.
            Name::RecordNotOwner => group.names.iter().any(|named| {
                named.name == it.subject && matches!(named.leads, Leads::Elsewhere(_))
            }),
            Name::ProductionNotJournal
            | Name::SyncBackwards
            | Name::MissingMark
            | Name::EmbargoMissing
            | Name::EmbargoExpired
            | Name::EmbargoStray
            | Name::JobOn
            | Name::JobMissing
            | Name::JobChanged
            | Name::WrongZone
            | Name::ReleaseNotJournal => false,
        };
        if blocks {
            let command = it.command.as_ref().map_or_else(String::new, |it| format!(": {it}"));
            first.push(format!("{} ({}): {}{command}", it.name.title(), it.observed, it.settle));
        }
    }
    first.extend(run_forbids(known, group));
    first
}

/// What the open run says to a change of roles.
fn run_forbids(known: &Known<'_>, group: &Group<'_>) -> Option<String> {
    let record = known.record();
    let (run, production) = (record.run.as_ref()?, group.whole()?);
    let state = known.life.state;
    if let State::Doing { .. } | State::Settling { .. } = state {
        return Some("the run has not come to rest: `changeover run resume` settles it".to_owned());
    }
    let at = state.at()?;
    let same = known.settled() == Some(production);
    (!same && !fits(at, run, production)).then(|| {
        let home = record.production().map_or("production", SiteName::as_str);
        format!(
            "run {} puts things back around {home}: move the records back to {home}, or end the run \
            first: changeover run close --reason TEXT",
            run.number
        )
    })
}

/// Whether a run may stand here with this site as production: what it does next must not overwrite that site.
fn fits(at: At, run: &Run, production: &SiteName) -> bool {
    match (at.way, region_of(at.phase)) {
        (Way::Forth, RegionName::Preparing | RegionName::Cutover) => true,
        (Way::Forth, RegionName::Closing) => false,
        (Way::Back | Way::Abort, _) => *production == run.production,
    }
}

impl Adoption {
    fn tell(&mut self, fact: Fact, says: String) {
        self.facts.push(fact);
        self.says.push(says);
    }

    fn roles(&mut self, known: &Known<'_>, production: &SiteName) {
        if known.settled() == Some(production) {
            return;
        }
        let fact = Fact::RolesSettled { production: production.clone() };
        self.tell(fact, format!("{production} is production"));
        // Only a workflow with a failover knows how a site loses production and is rebuilt.
        let alone = known.record().run.is_none() && known.workflow.failover.is_some();
        if let Some(left) = known.settled().filter(|_| alone) {
            self.left(known, left, production);
        }
    }

    /// Users were moved outside any run: the site that they left is fenced and rebuilt as after a failover, and
    /// nothing may be copied into the one they are on.
    fn left(&mut self, known: &Known<'_>, left: &SiteName, production: &SiteName) {
        let fact = Fact::LeftByHand { site: left.clone() };
        self.tell(fact, format!("{left} lost production and is quarantined until it is rebuilt"));
        let parts = known.workflow.steps(Phase::Fence).iter().map(|step| step.id.clone());
        let parts = parts.map(|part| Owed::Fence { part, site: left.clone() });
        let syncs = known.workflow.jobs.iter().filter(|(_, job)| job.sync.is_some());
        let jobs = syncs.map(|(job, _)| Owed::Job { job: job.clone(), site: production.clone() });
        let owed: Vec<Owed> = parts.chain(jobs).collect();
        let named = |it: &Owed| match it {
            Owed::Fence { part, .. } => part.to_string(),
            Owed::Job { job, .. } => job.clone(),
            Owed::Embargo { site } => site.to_string(),
            Owed::Standby => "a standby".to_owned(),
        };
        if !owed.is_empty() {
            let list = owed.iter().map(named).collect::<Vec<_>>().join(", ");
            self.says.push(format!("owed until then: {list}"));
        }
        self.facts.extend(owed.into_iter().map(|owed| Fact::Owe { owed }));
    }

    fn addresses(&mut self, known: &Known<'_>, sight: &Sight) {
        for (site, part) in &sight.addresses {
            let Some(now) = part.known() else { continue };
            if known.record().addresses.get(site) != Some(now) {
                let fact = Fact::Addresses { site: site.clone(), addresses: now.clone() };
                self.tell(fact, format!("the addresses that {site} owns now"));
            }
        }
    }

    fn marks(&mut self, known: &Known<'_>, sight: &Sight) {
        for (zone, part) in &sight.zones {
            let Some(now) = part.known() else { continue };
            let last = known.record().marks.get(zone).copied().unwrap_or(0);
            match &now.mark {
                Some(mark) if mark.number > last => {
                    let fact = Fact::Mark { zone: zone.clone(), number: mark.number };
                    self.tell(fact, format!("mark {} of {zone}", mark.number));
                }
                Some(_) => (),
                None => {
                    self.unmarked.insert(zone.clone(), last);
                    self.says.push(format!("the next mark of {zone}"));
                }
            }
        }
    }

    /// What a run deploys is the run's to say.
    fn releases(&mut self, report: &Report, sight: &Sight) {
        let differ = report.differences.iter().filter(|it| it.name == Name::ReleaseNotJournal);
        for site in differ.filter(|it| it.command.is_some()).filter_map(|it| it.site.as_ref()) {
            let Some(Some(version)) = sight.releases.get(site).and_then(|it| it.known()) else {
                continue;
            };
            let fact = Fact::Release { site: site.clone(), version: version.clone() };
            self.tell(fact, format!("{site} has release {version}"));
        }
    }

    /// An embargo that outlived its run and was lifted by hand on the site that users are on.
    fn embargoes(&mut self, known: &Known<'_>, sight: &Sight, production: &SiteName) {
        let record = known.record();
        let accepts = sight.writes.get(production).and_then(|it| it.known()) == Some(&true);
        if record.run.is_none() && accepts && record.embargoes.contains_key(production) {
            let fact = Fact::EmbargoOff { site: production.clone() };
            self.tell(fact, format!("writes are allowed on {production}"));
        }
    }
}
