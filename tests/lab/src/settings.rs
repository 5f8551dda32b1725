//! What a test may set while the practice cloud runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One number for all servers or one for each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum PerServer<T> {
    /// The same for all.
    All(T),
    /// One for each, in order; the last one stands for the rest.
    Each(Vec<T>),
}

impl<T: Clone + Default> PerServer<T> {
    /// The value for a server.
    pub(crate) fn of(&self, index: usize) -> T {
        match self {
            Self::All(value) => value.clone(),
            Self::Each(list) => {
                list.get(index).or_else(|| list.last()).cloned().unwrap_or_default()
            }
        }
    }
}

/// Everything that can be set; a site's and a host's own things stand beside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Seconds that a GitLab job takes.
    pub(crate) job_seconds: f64,
    /// Seconds that a database snapshot takes.
    pub(crate) rds_seconds: f64,
    /// Seconds that `s3backup` and `databaseReset` take.
    pub(crate) host_seconds: f64,
    /// Seconds by which every provider's answer is late: the way there and back.
    pub(crate) provider_delay_s: f64,
    /// Seconds until an authoritative server knows of a change.
    pub(crate) dns_delay: PerServer<f64>,
    /// Authoritative servers that do not answer.
    pub(crate) dns_down: PerServer<bool>,
    /// Seconds for which a resolver keeps an answer at most.
    pub(crate) resolver_cache_s: PerServer<f64>,
    /// Resolvers that do not answer.
    pub(crate) resolver_down: PerServer<bool>,
    /// Requests to Cloudflare inside one window.
    pub(crate) cloudflare_limit: usize,
    /// The window, and how long requests are refused beyond the limit.
    pub(crate) cloudflare_window_s: f64,
    /// The token's status: active, disabled or expired.
    pub(crate) cloudflare_token: String,
    /// Requests that others of the same user have made already.
    pub(crate) cloudflare_used: usize,
    /// Zones are signed: `no`, `signed`, `broken` (the parent's DS record fits no key) or `ending` (signatures
    /// end within the hour).
    pub(crate) dnssec: String,
    /// Authoritative servers name other servers than the provider does.
    pub(crate) dns_foreign: bool,
    /// Elastic addresses that a region allows.
    pub(crate) eip_quota: u32,
    /// Both profiles are one user's.
    pub(crate) one_principal: bool,
    /// The access level of the GitLab token's user.
    pub(crate) access_level: u32,
    /// The least access level that may create tags; 0 is nobody.
    pub(crate) tag_level: u32,
    /// Tags are `signed`, `annotated` or `plain`.
    pub(crate) tags: String,
    /// GitLab jobs shown as failed, as `PROJECT:JOB`.
    pub(crate) red_jobs: Vec<String>,
    /// GitLab jobs that fail, by name.
    pub(crate) fail_jobs: Vec<String>,
    /// GitLab jobs that no runner takes, by name.
    pub(crate) stuck_jobs: Vec<String>,
    /// Whether GitLab's runners are online.
    pub(crate) runner_online: bool,
    /// AWS regions that do not answer.
    pub(crate) regions_down: Vec<String>,
    /// Sites by name.
    pub(crate) sites: BTreeMap<String, SiteSettings>,
    /// Hosts by alias.
    pub(crate) hosts: BTreeMap<String, HostSettings>,
}

/// What can be set for a site.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SiteSettings {
    /// Connections are refused.
    pub(crate) dead: bool,
    /// Names that the certificate lacks.
    pub(crate) cert_without: Vec<String>,
    /// Days until the certificate ends; 90 without it.
    pub(crate) cert_days: Option<i64>,
    /// The status that every page answers with, instead of what it should.
    pub(crate) status: Option<u16>,
    /// Seconds that a dataset's page takes to answer.
    pub(crate) page_s: f64,
    /// What the page with the site's marker holds, instead of the site's own.
    pub(crate) marker: Option<String>,
    /// The site answers users' names, whatever it was deployed as: the standby that a release leaves behind does.
    pub(crate) as_production: bool,
    /// The site's servers are stopped.
    pub(crate) stopped: bool,
    /// The database instance's state, as AWS says it, instead of the real one.
    pub(crate) database_status: Option<String>,
    /// Whether parameters of the database instance are in force: `in-sync`, `pending-reboot`.
    pub(crate) database_parameters: Option<String>,
    /// The database instance has a change that waits for its window.
    pub(crate) database_change: bool,
    /// Maintenance of the database instance that has a date.
    pub(crate) database_maintenance: Option<String>,
    /// The database instance's backup window, instead of its own.
    pub(crate) database_window: Option<String>,
}

/// What can be set for a host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct HostSettings {
    /// ssh reaches nobody.
    pub(crate) down: bool,
    /// Seconds before a command starts.
    pub(crate) slow_s: f64,
    /// Seconds after which each connection is cut, its command going on.
    pub(crate) cut_after_s: Option<f64>,
    /// How much of its file systems is used, per cent; 40 without it.
    pub(crate) disk_used: Option<u8>,
    /// Places at which nothing is mounted.
    pub(crate) unmounted: Vec<String>,
    /// Container images that the host lacks, by the last part of their name.
    pub(crate) missing_images: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            job_seconds: 0.2,
            rds_seconds: 0.5,
            host_seconds: 0.1,
            provider_delay_s: 0.0,
            dns_delay: PerServer::All(0.2),
            dns_down: PerServer::All(false),
            resolver_cache_s: PerServer::All(1.0),
            resolver_down: PerServer::All(false),
            cloudflare_limit: 1200,
            cloudflare_window_s: 300.0,
            cloudflare_token: "active".to_owned(),
            cloudflare_used: 0,
            dnssec: "no".to_owned(),
            dns_foreign: false,
            eip_quota: 10,
            one_principal: false,
            access_level: 40,
            tag_level: 30,
            tags: "signed".to_owned(),
            red_jobs: Vec::new(),
            fail_jobs: Vec::new(),
            stuck_jobs: Vec::new(),
            runner_online: true,
            regions_down: Vec::new(),
            sites: BTreeMap::new(),
            hosts: BTreeMap::new(),
        }
    }
}
