//! The facts of the practised service: two sites, eight records and as many of staging, one variable set for each
//! role.

use serde_json::{Value, json};

/// One of the two sites of the practised service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Site {
    /// The Hong Kong site, production in the initial world.
    Hk,
    /// The Sydney site, standby in the initial world.
    Sydney,
}

/// Which of a site's addresses a record points at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// The web server.
    Web,
    /// The bastion host.
    Bastion,
    /// The files server.
    Files,
    /// Staging's web server.
    StagingWeb,
    /// Staging's bastion host.
    StagingBastion,
    /// Staging's files server.
    StagingFiles,
}

/// A role's set of names: production's or the standby's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The names that users know.
    Production,
    /// The names of the other site.
    Standby,
}

/// The addresses of a site, in the order in which they are provisioned: those of live, those of staging.
pub(crate) const PLACES: [Place; 6] = [
    Place::Web,
    Place::Bastion,
    Place::Files,
    Place::StagingWeb,
    Place::StagingBastion,
    Place::StagingFiles,
];

/// Id, production name, standby name and the address that the names point at.
pub(crate) const RECORDS: [(&str, &str, Place); 4] = [
    ("gigadb.org", "alt-live.gigadb.host", Place::Web),
    ("portainer.gigadb.org", "portainer.alt-live.gigadb.host", Place::Web),
    ("files.gigadb.org", "files.alt-live.gigadb.host", Place::Files),
    ("bastion.gigadb.host", "bastion.alt-live.gigadb.host", Place::Bastion),
];

/// The same of staging.
pub(crate) const STAGING: [(&str, &str, Place); 4] = [
    ("staging.gigadb.org", "alt-staging.gigadb.host", Place::StagingWeb),
    ("portainer.staging.gigadb.org", "portainer.alt-staging.gigadb.host", Place::StagingWeb),
    ("files.staging.gigadb.org", "files.alt-staging.gigadb.host", Place::StagingFiles),
    ("bastion-stg.gigadb.host", "bastion.alt-staging.gigadb.host", Place::StagingBastion),
];

/// The zones of the practised service.
pub(crate) const ZONES: [&str; 2] = ["gigadb.org", "gigadb.host"];

/// The annotated tags that exist in both projects; the first one is live in the initial world.
pub(crate) const TAGS: [&str; 3] = ["v4.3.3", "v4.3.4", "v4.3.5"];

/// The bucket of the database dumps, and its region.
pub(crate) const BUCKET: &str = "gigadb-database-backups";
/// The region of the bucket.
pub(crate) const BUCKET_REGION: &str = "ap-east-1";

/// The token that the practice Cloudflare accepts.
pub(crate) const CLOUDFLARE_TOKEN: &str = "practice-cloudflare-token";
/// The token that the practice GitLab accepts.
pub(crate) const GITLAB_TOKEN: &str = "practice-gitlab-token";

const RESET_LINES: &str = "\
#Ansible: Reset database every day after a new backup is available on the ftp server
5 10 * * * /usr/local/bin/databaseReset latest
#Ansible: Sync efs dropbox from upstream to alt upstream
0 11 * * * /usr/local/bin/sync_dropbox --apply
";
const BACKUP_LINES: &str = "\
#Ansible: Create database dump file from RDS and upload to S3 every day
0 22 * * * /usr/local/bin/s3backup
";
const DISK_LINE: &str = "#Ansible: Check disk usage every day\n0 23 * * * df -h\n";

impl Site {
    /// Both sites.
    pub(crate) const ALL: [Self; 2] = [Self::Hk, Self::Sydney];

    /// Position in arrays that hold one thing for each site.
    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Hk => 0,
            Self::Sydney => 1,
        }
    }

    /// The site's short name.
    pub(crate) const fn name(self) -> &'static str {
        ["hk", "sydney"][self.index()]
    }

    /// The site of a short name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|site| site.name() == name)
    }

    /// The owner, as it stands in names and tags.
    pub(crate) const fn owner(self) -> &'static str {
        ["gigadb", "gigadbalt"][self.index()]
    }

    /// The site's region.
    pub(crate) const fn region(self) -> &'static str {
        ["ap-east-1", "ap-southeast-2"][self.index()]
    }

    /// The name of the site's IAM user.
    pub(crate) const fn user(self) -> &'static str {
        ["Gigadb", "GigadbAlt"][self.index()]
    }

    /// The name of the site's profile in the AWS configuration.
    pub(crate) const fn aws_profile(self) -> &'static str {
        ["Upstream", "UpstreamAlt"][self.index()]
    }

    /// The access key that the credentials file holds; the layer before moto knows the real one.
    pub(crate) const fn access_key(self) -> &'static str {
        ["AKIAPRACTICEGIGADB01", "AKIAPRACTICEGIGADB02"][self.index()]
    }

    /// Path of the site's GitLab project.
    pub(crate) const fn project(self) -> &'static str {
        ["gigascience/upstream/gigadb-website", "gigascience/upstream/alt-gigadb-website"]
            [self.index()]
    }

    /// Number of the site's GitLab project.
    pub(crate) const fn project_id(self) -> u64 {
        [7001, 7002][self.index()]
    }

    /// The project's path as it stands in backup names.
    pub(crate) fn dashed(self) -> String {
        self.project().replace('/', "-")
    }

    /// The ssh alias of the site's bastion.
    pub(crate) const fn alias(self) -> &'static str {
        ["gigadb-hk-bastion", "gigadb-sydney-bastion"][self.index()]
    }

    /// The ssh alias of the site's files host.
    pub(crate) const fn files_alias(self) -> &'static str {
        ["gigadb-hk-files", "gigadb-sydney-files"][self.index()]
    }

    /// The site whose bastion or files host has this alias.
    pub(crate) fn of_alias(alias: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|site| site.alias() == alias || site.files_alias() == alias)
    }

    /// The private address of the site's database.
    pub(crate) const fn database_address(self) -> &'static str {
        ["10.99.0.21", "10.99.0.42"][self.index()]
    }

    /// The name of the database instance.
    pub(crate) fn instance(self) -> String {
        format!("rds-server-live-{}", self.owner())
    }

    /// The endpoint under which moto announces the database.
    pub(crate) fn endpoint(self) -> String {
        format!("{}.aaaaaaaaaa.{}.rds.amazonaws.com", self.instance(), self.region())
    }

    /// The role in the initial world.
    pub(crate) const fn first_role(self) -> Role {
        match self {
            Self::Hk => Role::Production,
            Self::Sydney => Role::Standby,
        }
    }

    /// The crontab in the initial world.
    pub(crate) fn first_crontab(self) -> String {
        match self.first_role() {
            Role::Production => format!("{BACKUP_LINES}{DISK_LINE}"),
            Role::Standby => format!("{DISK_LINE}{RESET_LINES}"),
        }
    }
}

impl Place {
    /// The place's part of an EIP name.
    const fn infix(self) -> &'static str {
        match self {
            Self::Web | Self::StagingWeb => "",
            Self::Bastion | Self::StagingBastion => "-bastion",
            Self::Files | Self::StagingFiles => "-files",
        }
    }

    /// The environment it belongs to.
    pub(crate) const fn environment(self) -> &'static str {
        match self {
            Self::Web | Self::Bastion | Self::Files => "live",
            Self::StagingWeb | Self::StagingBastion | Self::StagingFiles => "staging",
        }
    }

    /// The `Name` tag of the EIP of this place at a site.
    pub(crate) fn eip(self, site: Site) -> String {
        format!("eip-gigadb{}-{}-{}", self.infix(), self.environment(), site.owner())
    }

    /// The `Name` tag of the EC2 instance of this place at a site.
    pub(crate) fn server(self, site: Site) -> String {
        let (environment, owner) = (self.environment(), site.owner());
        match self {
            Self::Web | Self::StagingWeb => format!("gigadb_webserver_{environment}_{owner}"),
            Self::Bastion | Self::StagingBastion => format!("bastion_server_{environment}_{owner}"),
            Self::Files | Self::StagingFiles => format!("gigadb_filesserver_{environment}_{owner}"),
        }
    }
}

impl Role {
    /// The GitLab variables of the scope `live` for this role.
    pub(crate) const fn variables(self) -> [(&'static str, &'static str); 4] {
        match self {
            Self::Production => [
                ("HOME_URL", "https://gigadb.org"),
                ("REMOTE_HOME_URL", "https://gigadb.org"),
                ("REMOTE_HOSTNAME", "gigadb.org"),
                ("remote_fileserver_hostname", "files.gigadb.org"),
            ],
            Self::Standby => [
                ("HOME_URL", "https://alt-live.gigadb.host"),
                ("REMOTE_HOME_URL", "https://alt-live.gigadb.host"),
                ("REMOTE_HOSTNAME", "alt-live.gigadb.host"),
                ("remote_fileserver_hostname", "files.alt-live.gigadb.host"),
            ],
        }
    }

    /// The role's configuration as a site holds it after a deployment.
    pub(crate) fn configuration(self) -> Value {
        Value::Object(self.variables().into_iter().map(|(k, v)| (k.to_owned(), json!(v))).collect())
    }
}

/// All production names.
pub(crate) fn production_names() -> Vec<String> {
    RECORDS.iter().map(|(name, ..)| (*name).to_owned()).collect()
}

/// All names of staging.
pub(crate) fn staging_names() -> Vec<String> {
    STAGING.iter().flat_map(|(first, second, _)| [*first, *second].map(str::to_owned)).collect()
}

/// All standby names.
pub(crate) fn standby_names() -> Vec<String> {
    RECORDS.iter().map(|(_, name, _)| (*name).to_owned()).collect()
}
