//! Small questions that everybody asks a workflow.

use crate::model::{Kind, Phase, SiteName, StepId};
use crate::workflow::people::Gate;
use crate::workflow::step::Step;
use crate::workflow::template::{self, Missing, Scope};
use crate::workflow::types::{
    Cloudflare, PhaseSpec, Record, Release, Switch, Target, Workflow, Zone,
};

impl Workflow {
    /// All of it as it was read, as JSON. `None` if it cannot be written so, which no workflow is.
    pub fn as_read(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }

    /// What this phase does; `None` for soak and for sections the file does not have.
    pub fn phase(&self, phase: Phase) -> Option<&PhaseSpec> {
        Some(match phase {
            Phase::Preflight => &self.release.preflight,
            Phase::Deploy => &self.release.deploy,
            Phase::Embargo => &self.release.embargo,
            Phase::SyncOff => &self.release.sync_off,
            Phase::Backup => &self.release.backup,
            Phase::Reset => &self.release.reset,
            Phase::Validate => &self.release.validate,
            Phase::Assess => &self.failover.as_ref()?.assess,
            Phase::Fence => &self.failover.as_ref()?.fence,
            Phase::Swap => &self.release.swap,
            Phase::Sanity => &self.release.sanity,
            Phase::Soak => return None,
            Phase::Lift => &self.closing.lift,
            Phase::Renew => &self.closing.renew,
            Phase::SyncOn => &self.closing.sync_on,
        })
    }

    /// The steps of this phase, none if it is skipped or absent.
    pub fn steps(&self, phase: Phase) -> &[Step] {
        match self.phase(phase) {
            Some(PhaseSpec::Steps(steps)) => steps,
            Some(PhaseSpec::Skip(_)) | None => &[],
        }
    }

    /// The step at this position of this phase, gates not counted (they are no steps of the machine).
    pub fn step(&self, phase: Phase, position: u8) -> Option<&Step> {
        self.steps(phase).iter().filter(|it| !it.is_gate()).nth(usize::from(position))
    }

    /// The site that is not this one.
    pub fn other(&self, site: &SiteName) -> Option<&SiteName> {
        self.sites.keys().find(|it| *it != site)
    }

    /// Every step of every phase.
    pub fn all_steps(&self) -> impl Iterator<Item = &Step> {
        Phase::ALL.into_iter().flat_map(|phase| self.steps(phase)).chain(self.drill_steps())
    }

    /// What a drill looks at once its names have been moved.
    pub fn drill_steps(&self) -> &[Step] {
        match self.drill.as_ref().map(|it| &it.sanity) {
            Some(PhaseSpec::Steps(steps)) => steps,
            Some(PhaseSpec::Skip(_)) | None => &[],
        }
    }

    /// The checks that a run of this kind does not make.
    pub fn dropped(&self, kind: Kind) -> &[StepId] {
        match kind {
            Kind::Rejoin => self.rejoin.as_ref().map(|it| it.drops.as_slice()),
            Kind::Drill => self.drill.as_ref().map(|it| it.drops.as_slice()),
            Kind::Release | Kind::Switchover | Kind::Failover => None,
        }
        .unwrap_or_default()
    }

    /// The workflow as a run of this kind walks it: a drill looks at its own names.
    #[must_use]
    pub fn walked_as(self, kind: Kind) -> Self {
        match (kind, &self.drill) {
            (Kind::Drill, Some(drill)) => {
                let sanity = drill.sanity.clone();
                Self { release: Release { sanity, ..self.release }, ..self }
            }
            (Kind::Drill, None)
            | (Kind::Release | Kind::Switchover | Kind::Failover | Kind::Rejoin, _) => self,
        }
    }

    /// The gate at the end of validate.
    pub fn validate_gate(&self) -> Option<&Gate> {
        let name = self.steps(Phase::Validate).iter().find_map(|it| it.gate.as_ref())?;
        self.gates.get(name)
    }

    /// The alias of this host at this site.
    ///
    /// # Errors
    /// There is no such host, or its alias names something that this site has not.
    pub fn host_alias(&self, host: &str, site: &SiteName) -> Result<String, Missing> {
        let missing = || Missing { path: format!("hosts.{host}") };
        let host = self.hosts.get(host).ok_or_else(missing)?;
        template::render(&host.ssh, &Scope::for_site(self, site))
    }

    /// The database instance of this site.
    ///
    /// # Errors
    /// There is no database, or its name names something that this site has not.
    pub fn rds(&self, site: &SiteName) -> Result<String, Missing> {
        let missing = || Missing { path: "database.rds".to_owned() };
        let database = self.database.as_ref().ok_or_else(missing)?;
        template::render(&database.rds, &Scope::for_site(self, site))
    }

    /// The name of the address that a record leads to when it leads to this site.
    ///
    /// # Errors
    /// The name names something that this site has not.
    pub fn eip_name(&self, record: &Record, site: &SiteName) -> Result<String, Missing> {
        let Target::Eip(name) = &record.target;
        template::render(name, &Scope::for_site(self, site))
    }

    /// The switch's settings.
    pub const fn cloudflare(&self) -> &Cloudflare {
        let Switch::Cloudflare(cloudflare) = &self.switch;
        cloudflare
    }

    /// The records that a run of this kind moves.
    pub fn records(&self, kind: Kind) -> &[Record] {
        match (kind, &self.drill) {
            (Kind::Drill, Some(drill)) => &drill.records,
            (Kind::Drill, None) => &[],
            (Kind::Release | Kind::Switchover | Kind::Failover | Kind::Rejoin, _) => {
                &self.cloudflare().records
            }
        }
    }

    /// The longest declared zone that this name ends in.
    pub fn zone_of(&self, name: &str) -> Option<&Zone> {
        let inside = |zone: &str| {
            name.strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        let zones = self.cloudflare().zones.iter();
        zones.filter(|it| inside(&it.name)).max_by_key(|it| it.name.len())
    }
}

/// The section in which a phase stands.
pub(super) const fn section(phase: Phase) -> &'static str {
    match phase {
        Phase::Preflight
        | Phase::Deploy
        | Phase::Embargo
        | Phase::SyncOff
        | Phase::Backup
        | Phase::Reset
        | Phase::Validate
        | Phase::Swap
        | Phase::Sanity
        | Phase::Soak => "release",
        Phase::Assess | Phase::Fence => "failover",
        Phase::Lift | Phase::Renew | Phase::SyncOn => "closing",
    }
}
