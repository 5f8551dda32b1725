//! The parameters of every kind of step, and the one list that joins names to them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{Nature, Role};
use crate::workflow::parts::{Lasting, Share};

pub use crate::workflow::step::proves::{Equal, NewerThan, Proves, Written};

/// Defines one struct a kind and the enum over all of them. `name => Variant(kind of step, nature)`.
macro_rules! kinds {
    ($($(#[$doc:meta])* $verb:ident $name:literal => $kind:ident $nature:ident {
        $($(#[$fdoc:meta])* $field:ident: $type:ty,)*
    })+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
            #[serde(deny_unknown_fields)]
            pub struct $kind { $($(#[$fdoc])* pub $field: $type,)* }
        )+

        /// The parameters of a step, by kind.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Params {
            $($(#[$doc])* $kind($kind),)+
        }

        impl Params {
            /// Every kind: whether it is a check, and its name.
            pub const KINDS: &'static [(bool, &'static str)] = &[$((kinds!(@is_check $verb), $name)),+];

            /// Reads the parameters of this kind; `None` if there is no such kind.
            pub fn read(kind: &str, with: &Value) -> Option<Result<Self, serde_path_to_error::Error<serde_json::Error>>> {
                let empty = Value::Object(serde_json::Map::new());
                let with = if with.is_null() { &empty } else { with };
                Some(match kind {
                    $($name => serde_path_to_error::deserialize(with).map(Self::$kind),)+
                    _ => return None,
                })
            }

            /// The kind as written in the file.
            pub const fn kind(&self) -> &'static str {
                match self { $(Self::$kind(_) => $name,)+ }
            }

            /// What repeating it would do; checks are absolute.
            pub const fn nature(&self) -> Nature {
                match self { $(Self::$kind(_) => Nature::$nature,)+ }
            }

            /// The JSON Schema of each kind's parameters.
            pub fn schemas(generator: &mut schemars::SchemaGenerator) -> Vec<(&'static str, bool, schemars::Schema)> {
                vec![$(($name, kinds!(@is_check $verb), generator.subschema_for::<$kind>()),)+]
            }
        }
    };
    (@is_check check) => { true };
    (@is_check action) => { false };
}

kinds! {
    /// Each site's profile is the principal the file names; `distinct`: two different ones.
    check "aws.identity" => AwsIdentity Absolute {
        /// Two sites are two principals.
        #[serde(default)]
        distinct: bool,
    }
    /// All records of the group lead to the addresses that the sites own, as one of the two roles.
    check "switch.whole" => SwitchWhole Absolute {
        /// The addresses are read from the sites' owners.
        #[serde(default)]
        owned: bool,
    }
    /// Every authoritative server answers with the new addresses; resolvers are reported.
    check "switch.confirm" => SwitchConfirm Absolute {
        /// How many resolvers are asked and reported.
        #[serde(default)]
        resolvers_min: u8,
    }
    /// What each site gets of its users' requests, by the workflow's counter; reported, never judged.
    check "traffic" => Traffic Absolute {}
    /// The side that users left gets next to none of their requests any more.
    check "drained" => Drained Absolute {
        /// Its share of all requests stays below this.
        below: Share,
        /// Over this long.
        r#for: Lasting,
    }
    /// The TTL at the authority is at most the switch's `ttl_max`.
    check "dns.ttl" => DnsTtl Absolute {}
    /// Each zone is delegated to name servers that answer for it.
    check "dns.delegated" => DnsDelegated Absolute {}
    /// The certificate served at an address covers a name and stays valid.
    check "tls" => Tls Absolute {
        /// `IP:PORT`.
        address: String,
        /// One name; all production names of the switch when absent.
        #[serde(default)]
        name: Option<String>,
        /// The least days left.
        days_min: u32,
    }
    /// An address exists, belongs to the site and is associated with a running instance.
    check "aws.eip" => AwsEip Absolute {}
    /// A database instance is in this state.
    check "aws.rds" => AwsRds Absolute {
        /// Its identifier.
        instance: String,
        /// For example `available`.
        status: String,
        /// Tags it must carry: policies let a user touch only what carries its name.
        #[serde(default)]
        tags: BTreeMap<String, String>,
    }
    /// A tag exists.
    check "gitlab.tag" => GitlabTag Absolute {
        /// The project's path.
        project: String,
        /// The tag.
        tag: String,
        /// It must be annotated.
        #[serde(default)]
        annotated: bool,
    }
    /// The tag's pipeline is green up to a stage.
    check "gitlab.pipeline" => GitlabPipeline Absolute {
        /// The project's path.
        project: String,
        /// The tag.
        r#ref: String,
        /// The last stage that must have succeeded.
        green_to: String,
    }
    /// No deployment is running.
    check "gitlab.idle" => GitlabIdle Absolute {
        /// The projects' paths.
        projects: Vec<String>,
        /// The environment.
        environment: String,
    }
    /// Images are present on a host.
    check "host.image" => HostImage Absolute {
        /// The host.
        host: String,
        /// The images' names, without registry and tag.
        images: Vec<String>,
    }
    /// Files are present on both sites' hosts, or on one role's.
    check "host.file" => HostFile Absolute {
        /// The host.
        host: String,
        /// Absolute paths.
        paths: Vec<String>,
        /// What some of them must be, by path: SHA-256 in lower-case hex.
        #[serde(default)]
        sha256: BTreeMap<String, String>,
    }
    /// Now is outside the closed windows.
    check "closed" => Closed Absolute {}
    /// Jobs that write into a site have neither an entry nor a running instance.
    check "jobs.off" => JobsOff Absolute {
        /// The jobs; all syncs when absent.
        #[serde(default)]
        jobs: Vec<String>,
    }
    /// An HTTP answer.
    check "http" => Http Absolute {
        /// The URL; Host and SNI are its name.
        url: String,
        /// Asked at this address instead of the one DNS gives.
        #[serde(default)]
        address: Option<String>,
        /// The status expected.
        status: u16,
        /// Text the body must hold.
        #[serde(default)]
        body: Option<String>,
        /// The body must equal what this role answers.
        #[serde(default)]
        same_as: Option<Role>,
    }
    /// The run's backup is present, large enough, complete, and newer than this.
    check "backup.whole" => BackupWhole Absolute {
        /// Newer than this.
        #[serde(default)]
        newer_than: Option<NewerThan>,
    }
    /// The database that a host would load into is the standby's and not production's.
    check "database.target" => DatabaseTarget Absolute {
        /// The host.
        host: String,
        /// The file that names the database.
        env_file: String,
        /// The key in it.
        key: String,
    }
    /// Queries answer alike on both sites.
    check "database.equal" => DatabaseEqual Absolute {
        /// The queries.
        queries: Vec<String>,
    }
    /// How many rows the site's database has; what people write from here on is counted against it.
    check "database.rows" => DatabaseRows Absolute {
        /// The queries; each answers with one number.
        queries: Vec<String>,
    }
    /// Every name of the group has its one record, nothing else leads to an address of the sites, nothing stands beside.
    check "dns.records" => DnsRecords Absolute {}
    /// No record of the group, and none beside it, is proxied otherwise than the file says.
    check "dns.proxied" => DnsProxied Absolute {}
    /// The longer TTL that records had before they were last changed has run out.
    check "dns.aged" => DnsAged Absolute {
        /// The longest TTL they had before.
        before: Lasting,
    }
    /// Where the parent zone holds a DS record, the chain of signatures holds down to each name.
    check "dns.dnssec" => DnsDnssec Absolute {
        /// The least days that signatures go on being valid.
        #[serde(default)]
        days_min: u32,
    }
    /// The token of the switch is active, and enough of its allowance of requests is left.
    check "cloudflare.token" => CloudflareToken Absolute {
        /// The least share left, per cent.
        left_percent: u8,
    }
    /// A site answers with its own marker at its own address.
    check "site.marker" => SiteMarker Absolute {
        /// The URL; Host and SNI are its name.
        url: String,
        /// Asked at this address.
        address: String,
        /// The whole answer, but for blanks around it.
        marker: String,
    }
    /// Pages that the site's own database names are asked and answer in time: nothing is cold when users come.
    check "site.warm" => SiteWarm Absolute {
        /// What the pages are called: a query of one column.
        query: String,
        /// The URL of a page, `{}` in the place of its name; Host and SNI are the URL's.
        url: String,
        /// Asked at this address.
        address: String,
        /// How long each may take.
        within: Lasting,
    }
    /// Role variables are one role's, and their names are names of the switch that the certificate covers.
    check "site.names" => SiteNames Absolute {}
    /// Each production name of the switch has a certificate at the address it would have at the site.
    check "tls.group" => TlsGroup Absolute {
        /// The least days left.
        days_min: u32,
        /// Records whose address serves no TLS.
        #[serde(default)]
        except: Vec<String>,
    }
    /// Nothing waits to be done to the sites' database instances: no reboot, change or maintenance.
    check "aws.rds.pending" => AwsRdsPending Absolute {}
    /// From now on, for as long as a run lasts, no database instance has its backup or maintenance window.
    check "aws.rds.windows" => AwsRdsWindows Absolute {
        /// How long a run lasts.
        lasts: Lasting,
    }
    /// Production's newest dump is there, complete, large enough and not old.
    check "aws.daily" => AwsDaily Absolute {
        /// The oldest it may be.
        age_max: Lasting,
    }
    /// Each site's region has elastic addresses to spare.
    check "aws.quota" => AwsQuota Absolute {
        /// How many.
        spare: u32,
    }
    /// Each job has its one entry where its role demands it, and none elsewhere.
    check "jobs.placed" => JobsPlaced Absolute {}
    /// A tag carries a signature.
    check "gitlab.signed" => GitlabSigned Absolute {
        /// The project's path.
        project: String,
        /// The tag.
        tag: String,
    }
    /// A runner that takes jobs of the token's user is online.
    check "gitlab.runner" => GitlabRunner Absolute {
        /// The projects' paths.
        projects: Vec<String>,
    }
    /// The token may play jobs of a tag.
    check "gitlab.rights" => GitlabRights Absolute {
        /// The projects' paths.
        projects: Vec<String>,
        /// The tag.
        r#ref: String,
    }
    /// File systems of both sites' hosts have room.
    check "host.disk" => HostDisk Absolute {
        /// The host.
        host: String,
        /// A folder on each file system.
        paths: Vec<String>,
        /// The most that may be used, per cent.
        used_max: u8,
    }
    /// File systems are mounted on both sites' hosts.
    check "host.mounted" => HostMounted Absolute {
        /// The host.
        host: String,
        /// Where.
        paths: Vec<String>,
    }
    /// Writes are really refused wherever an embargo lies, or on one role's site.
    check "embargo.holds" => EmbargoHolds Absolute {}
    /// Role variables of the site's project are those of a role.
    action "gitlab.variables" => GitlabVariables Absolute {
        /// The role whose values are written.
        r#as: Role,
    }
    /// A manual job is played and the deployment it makes is awaited.
    action "gitlab.play" => GitlabPlay Once {
        /// The project's path.
        project: String,
        /// The tag.
        r#ref: String,
        /// The manual job.
        job: String,
        /// The job that deploys.
        r#await: String,
    }
    /// Writes are refused on the site: as `embargo` says how, else announced only.
    action "embargo.on" => EmbargoOn Absolute {
        /// What is refused.
        scope: Vec<String>,
        /// When somebody should have lifted it.
        expires: Lasting,
    }
    /// Writes are allowed on the site.
    action "embargo.off" => EmbargoOff Absolute {}
    /// People are told.
    action "announce" => Announce Absolute {
        /// The webhook.
        to: String,
        /// What.
        text: String,
    }
    /// A job has neither an entry nor a running instance on the site's host.
    action "job.off" => JobOff Absolute {
        /// The job.
        job: String,
    }
    /// A job has its entry on the site's host.
    action "job.on" => JobOn Absolute {
        /// The job.
        job: String,
    }
    /// A snapshot of a database instance.
    action "aws.rds.snapshot" => AwsRdsSnapshot Once {
        /// The instance.
        instance: String,
        /// The snapshot's name: letters, digits, single hyphens.
        name: String,
        /// How long it is kept at least; 30 days when absent.
        #[serde(default)]
        keep: Option<Lasting>,
    }
    /// A command on the site's host, once.
    action "host.run" => HostRun Once {
        /// The host.
        host: String,
        /// Program and arguments; never a shell string.
        argv: Vec<String>,
        /// It overwrites data.
        #[serde(default)]
        destructive: bool,
        /// What must be seen from outside before it counts as done.
        #[serde(default)]
        proves: Option<Proves>,
    }
    /// The run's backup also lies under the key that the restore reads.
    action "backup.copy" => BackupCopy Absolute {}
    /// All records of the group lead to the other site.
    action "switch" => Move Absolute {
        /// The records, as a reminder of what moves: every one of the group, or nothing.
        #[serde(default)]
        records: Vec<String>,
    }
    /// The table of projects, roles and releases is written between markers in a file.
    action "status.render" => StatusRender Absolute {
        /// The file.
        file: String,
    }
}
