//! What may stand in a workflow file, top level down.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{RecordId, Role, SiteName, SystemName};
use crate::workflow::counter::{Column, Counter};
use crate::workflow::incident::{Drill, Failover, Rejoin};
use crate::workflow::judged::{Judged, Script};
use crate::workflow::limits::Limits;
use crate::workflow::parts::{Lasting, Secret};
use crate::workflow::people::{Gate, Webhook};
use crate::workflow::step::Step;

/// One system: its two sites, the switch between them, and how each phase is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Workflow {
    /// The format of this file; 1.
    pub format: u32,
    /// The system's name; also the file's.
    pub system: SystemName,
    /// A practice copy: small waits are allowed.
    #[serde(default)]
    pub practice: bool,
    /// The two sites.
    pub sites: BTreeMap<SiteName, Site>,
    /// What the names of things may look like: patterns for `eip` and `rds`, where `{owner}` is a variable
    /// of the site they belong to, and for the switch's names, `production_fqdn` and `standby_fqdn`.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
    /// Machines on which commands run, one a site.
    #[serde(default)]
    pub hosts: BTreeMap<String, Host>,
    /// The database of each site.
    #[serde(default)]
    pub database: Option<Database>,
    /// The commands that steps and jobs may run; whatever is run must be one of them when any is given.
    #[serde(default)]
    pub scripts: BTreeMap<String, Script>,
    /// How writes are refused where an embargo lies; without it an embargo is announced only.
    #[serde(default)]
    pub embargo: Option<crate::workflow::Enforced>,
    /// The lever that moves users.
    pub switch: Switch,
    /// Deployment variables whose values depend on the role.
    #[serde(default)]
    pub variables: BTreeMap<String, PerRole>,
    /// Where backups lie.
    #[serde(default)]
    pub backup: Option<Backup>,
    /// What tells how many of their users' requests the sites get.
    #[serde(default)]
    pub counter: Option<Counter>,
    /// The columns of the status table before role, release and status.
    #[serde(default)]
    pub table: Vec<Column>,
    /// Scheduled jobs: syncs and backups.
    #[serde(default)]
    pub jobs: BTreeMap<String, Job>,
    /// Times in which nothing is started, UTC: `03:00-06:00`, `Mon 00:00-03:00`.
    #[serde(default)]
    pub closed: Vec<String>,
    /// Groups of people.
    #[serde(default)]
    pub people: BTreeMap<String, Vec<String>>,
    /// Who must agree.
    #[serde(default)]
    pub gates: BTreeMap<String, Gate>,
    /// Where announcements go.
    #[serde(default)]
    pub webhooks: BTreeMap<String, Webhook>,
    /// All waits.
    #[serde(default)]
    pub limits: Limits,
    /// What the linter need not warn of.
    #[serde(default)]
    pub lint: Judged,
    /// Preflight to soak.
    pub release: Release,
    /// The one way out: finalize, abort, rollback, rejoin.
    pub closing: Closing,
    /// What is done when production is lost.
    #[serde(default)]
    pub failover: Option<Failover>,
    /// How a lost site becomes standby again.
    #[serde(default)]
    pub rejoin: Option<Rejoin>,
    /// The names a drill moves.
    #[serde(default)]
    pub drill: Option<Drill>,
}

/// One complete infrastructure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Its account and region.
    pub aws: Aws,
    /// Names used in templates as `{{ production.NAME }}`, `{{ standby.NAME }}`, `{{ site.NAME }}`.
    #[serde(default)]
    pub vars: BTreeMap<String, String>,
}

/// Credentials and region of a site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Aws {
    /// The profile in the operator's AWS configuration.
    pub profile: String,
    /// For example `ap-east-1`.
    pub region: String,
    /// The IAM user the profile must turn out to be.
    pub principal: String,
}

/// A machine of each site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// The alias in the operator's ssh configuration, with `{{ site.name }}`; `local` runs here.
    pub ssh: String,
    /// The user whose crontab and home are meant.
    pub user: String,
    /// The folder in which commands run.
    pub cwd: String,
}

/// How databases of the two sites relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DatabaseKind {
    /// The standby's is loaded from production's backup.
    RestoredCopy,
    /// Both use one.
    Shared,
}

/// The database of each site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// The RDS instance, with `{{ site.… }}`.
    pub rds: String,
    /// How the two relate.
    pub kind: DatabaseKind,
    /// The host on which queries run.
    pub host: String,
    /// The file on that host that names the database in use, as `KEY=VALUE` lines.
    pub env_file: String,
    /// The key in that file that holds the database's address.
    pub key: String,
    /// The query program and its first arguments; the query comes last.
    pub client: Vec<String>,
}

/// The lever that moves users.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Switch {
    /// Address records at Cloudflare.
    Cloudflare(Cloudflare),
}

/// A group of records at Cloudflare.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cloudflare {
    /// The API token.
    pub token: Secret,
    /// The zones, in the order they are written.
    pub zones: Vec<Zone>,
    /// The longest TTL a record may have.
    pub ttl_max: Lasting,
    /// Whether the records are proxied.
    pub proxied: bool,
    /// The records that move together.
    pub records: Vec<Record>,
}

/// A zone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// Its name.
    pub name: String,
    /// Its id; pinned in each run's first entry when absent.
    #[serde(default)]
    pub id: Option<String>,
}

/// One address of a site and the two names it can have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// What it is.
    pub id: RecordId,
    /// Its name when the site is production.
    pub production: String,
    /// Its name when the site is standby.
    pub standby: String,
    /// Where the name leads.
    pub target: Target,
    /// Why the production name lies outside the first zone.
    #[serde(default)]
    pub elsewhere: Option<String>,
}

/// Where a name leads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Target {
    /// The elastic address with this `Name` tag, with `{{ site.… }}`.
    Eip(String),
}

/// A value for each role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PerRole {
    /// On production.
    pub production: String,
    /// On the standby.
    pub standby: String,
}

/// Where backups lie and what proves them whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// The bucket.
    pub bucket: String,
    /// The bucket's region.
    pub region: String,
    /// The key production's dump is written to.
    pub key: String,
    /// The key the restore script reads.
    pub restore_key: String,
    /// The last line of a complete dump.
    pub trailer: String,
    /// The least size against the one before.
    pub size_ratio_min: f64,
}

/// The direction of a sync job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sync {
    /// Data comes from here.
    pub from: Role,
    /// Data is overwritten here.
    pub to: Role,
}

/// A scheduled job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// It copies data between sites. Exactly one of `sync` and `backup` is given.
    #[serde(default)]
    pub sync: Option<Sync>,
    /// It backs this up.
    #[serde(default)]
    pub backup: Option<String>,
    /// The role on whose host it runs.
    pub runs_on: Role,
    /// That host.
    pub host: String,
    /// Its whole crontab line.
    pub line: String,
    /// The comment above it, after `#Ansible: `.
    pub marker: String,
}

/// What a phase does, or why it does nothing: a list of steps, or `skip: "reason"`.
#[derive(Clone, Debug, PartialEq)]
pub enum PhaseSpec {
    /// These steps, one after the other unless marked `together`; in preflight side by side.
    Steps(Vec<Step>),
    /// Nothing, and why.
    Skip(String),
}

/// The end of a cutover.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Soak {
    /// `accept` before this needs a reason.
    pub planned: Lasting,
    /// After this it pages.
    pub at_most: Lasting,
}

/// Preflight to soak.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Checks of the whole walk; side by side.
    pub preflight: PhaseSpec,
    /// Release and role configuration onto the standby.
    pub deploy: PhaseSpec,
    /// Writes refused on production.
    pub embargo: PhaseSpec,
    /// Jobs off.
    pub sync_off: PhaseSpec,
    /// Production's data copied.
    pub backup: PhaseSpec,
    /// The copy loaded into the standby.
    pub reset: PhaseSpec,
    /// Checks, then the gate.
    pub validate: PhaseSpec,
    /// Users moved.
    pub swap: PhaseSpec,
    /// Production's names checked.
    pub sanity: PhaseSpec,
    /// Old site warm.
    pub soak: Soak,
}

/// The one way out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Closing {
    /// Writes allowed on production.
    pub lift: PhaseSpec,
    /// The standby gets production's release and data.
    pub renew: PhaseSpec,
    /// Jobs on.
    pub sync_on: PhaseSpec,
}
