//! A workflow, a wire and calls to try actuators with.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use changeover::actuator::{Actuators, Wire};
use changeover::machine::{At, Fact, Intent, Record, Remembered};
use changeover::model::{Change, Evidence, Kind, OpId, Phase, Roles, SiteName, Time, Way};
use changeover::port::{
    Action, ByHand, Call, Check, Clock, NoTap, Outside, RunFacts, Seen, World as _,
};
use changeover::workflow::Workflow;
use changeover::workflow::step::Params;
use secrecy::SecretString;
use serde_json::Value;

#[derive(Debug)]
struct Wall;

#[async_trait]
impl Clock for Wall {
    #[expect(clippy::disallowed_methods, reason = "a test's clock is the wall's")]
    fn now(&self) -> Time {
        Time(jiff::Timestamp::now().as_microsecond())
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    async fn sleep(&self, lasting: Duration) {
        tokio::time::sleep(lasting).await;
    }
}

const WORKFLOW: &str = r#"
format: 1
system: gigadb
practice: true
sites:
  hk:
    aws: { profile: Upstream, region: ap-east-1, principal: Gigadb }
    vars: { owner: gigadb, gitlab: gigascience/upstream/gigadb-website, dashed: up }
  sydney:
    aws: { profile: UpstreamAlt, region: ap-southeast-2, principal: GigadbAlt }
    vars: { owner: gigadbalt, gitlab: gigascience/upstream/alt-gigadb-website, dashed: alt }
hosts:
  bastion: { ssh: "{{ site.name }}-bastion", user: centos, cwd: "DIR" }
database:
  rds: "rds-server-live-{{ site.owner }}"
  kind: restored_copy
  host: bastion
  env_file: "env"
  key: PGHOST
  client: [psql, -tAc]
switch:
  cloudflare:
    token: { env: CLOUDFLARE_API_TOKEN }
    zones: [ { name: gigadb.org }, { name: gigadb.host } ]
    ttl_max: 300s
    proxied: false
    records:
      - { id: web, production: gigadb.org, standby: alt.gigadb.host, target: { eip: "eip-gigadb-live-{{ site.owner }}" } }
      - { id: portainer, production: p.gigadb.org, standby: p.alt.gigadb.host, target: { eip: "eip-gigadb-live-{{ site.owner }}" } }
variables:
  HOME_URL: { production: "https://gigadb.org", standby: "https://alt.gigadb.host" }
  REMOTE_HOSTNAME: { production: gigadb.org, standby: alt.gigadb.host }
backup:
  bucket: gigadb-database-backups
  region: ap-east-1
  key: "gigadb_{{ production.dashed }}_live_{{ run.stamp }}.backup"
  restore_key: "gigadb_up_live_{{ run.stamp }}.backup"
  trailer: "-- PostgreSQL database dump complete"
  size_ratio_min: 0.8
jobs:
  databaseReset:
    { sync: { from: production, to: standby }, runs_on: standby, host: bastion,
      line: "5 10 * * * DIR/bin/databaseReset latest", marker: "Reset database every day" }
  sync_dropbox:
    { sync: { from: production, to: standby }, runs_on: standby, host: bastion,
      line: "0 11 * * * DIR/bin/sync_dropbox --apply", marker: "Sync efs dropbox" }
  s3backup:
    { backup: database, runs_on: production, host: bastion, line: "0 22 * * * DIR/bin/s3backup", marker: "Create dump" }
limits: { call: 10s, poll: 50ms, settle: 50ms }
release:
  preflight: []
  deploy: []
  embargo: []
  sync_off: []
  backup: []
  reset: [ { id: counts, check: database.equal, with: { queries: ["select count(*) from dataset"] } } ]
  validate: []
  swap: []
  sanity: []
  soak: { planned: 1s, at_most: 1h }
closing: { lift: [], renew: [], sync_on: [] }
"#;

/// What actuators are tried in.
pub(super) struct World {
    pub(super) workflow: Arc<Workflow>,
    pub(super) record: Record,
    pub(super) phase: Phase,
    env: BTreeMap<String, SecretString>,
    ssh: String,
    gitlab: String,
    folder: std::path::PathBuf,
}

impl World {
    /// A world whose hosts and files lie in this folder; hk is production.
    pub(super) fn new(folder: &Path) -> Self {
        let text = WORKFLOW.replace("DIR", &folder.to_string_lossy());
        let data: Value = serde_yaml::from_str(&text).unwrap();
        let mut record = Record { journal: "j".into(), ..Record::default() };
        record.roles = Some(Roles::Settled { production: "hk".into() });
        record.releases.insert("hk".into(), "v4.3.8".into());
        Self {
            workflow: Arc::new(serde_json::from_value(data).unwrap()),
            record,
            phase: Phase::Reset,
            env: BTreeMap::new(),
            ssh: "/nonexistent".into(),
            gitlab: "http://127.0.0.1:1".into(),
            folder: folder.to_owned(),
        }
    }

    pub(super) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.into(), value.to_owned().into());
        self
    }

    pub(super) fn ssh(mut self, program: &Path) -> Self {
        self.ssh = program.to_string_lossy().into_owned();
        self
    }

    pub(super) fn gitlab(mut self, url: &str) -> Self {
        url.clone_into(&mut self.gitlab);
        self
    }

    fn actuators(&self) -> Actuators {
        let outside = Outside {
            cloudflare: "http://127.0.0.1:1".into(),
            gitlab: self.gitlab.clone(),
            connect_to: vec![],
            resolvers: vec![],
            authority: vec![],
            ssh: self.ssh.clone(),
            folder: self.folder.clone(),
            env: self.env.clone(),
            differs: vec![],
        };
        Actuators::new(Arc::new(Wire::new(outside, Arc::new(Wall), Arc::new(NoTap))))
    }

    /// A call of this kind with these parameters; its step and effect are named after the kind.
    pub(super) fn call(&self, kind: &str, with: &Value, on: Option<&str>) -> Call {
        let at = At { kind: Kind::Release, way: Way::Forth, phase: self.phase, group: 0, tried: 1 };
        Call {
            workflow: Arc::clone(&self.workflow),
            at,
            step: kind.into(),
            params: Params::read(kind, with).unwrap().unwrap(),
            on: on.map(SiteName::from),
            production: "hk".into(),
            standby: "sydney".into(),
            run: RunFacts {
                number: 7,
                id: "r7".into(),
                version: Some("v4.4.0".into()),
                stamp: Some("202611210500".into()),
                started: Wall.now().plus_seconds(-60),
            },
            record: Arc::new(self.record.clone()),
            op: OpId::of("j", 7, "reset", kind, kind, &with.to_string()),
            attempt: 1,
            since: None,
            timeout: Duration::from_secs(20),
            kept: None,
        }
    }

    pub(super) fn check(&self, kind: &str, with: &Value, on: Option<&str>) -> Box<dyn Check> {
        self.actuators().check(self.call(kind, with, on))
    }

    pub(super) fn action(&self, kind: &str, with: &Value, on: Option<&str>) -> Box<dyn Action> {
        self.act(self.call(kind, with, on))
    }

    pub(super) fn act(&self, call: Call) -> Box<dyn Action> {
        self.actuators().action(call)
    }

    /// This step as people do it in a shell.
    pub(super) async fn by_hand(&self, call: Call) -> ByHand {
        self.actuators().by_hand(call).await.unwrap().unwrap()
    }

    pub(super) async fn addresses(&self, site: &str) -> Result<BTreeMap<String, String>, Evidence> {
        self.actuators().addresses(&self.workflow, &site.into()).await
    }

    /// The same call by a conductor that started again after writing this intent.
    pub(super) fn after_crash(&self, call: &Call, changes: &[Change]) -> Call {
        let intent = Intent {
            phase: call.at.phase,
            step: 0,
            id: call.step.clone(),
            action: call.params.kind().into(),
            op: call.op.clone(),
            attempt: call.attempt,
            changes: changes.to_vec(),
            observed: vec![],
            facts: vec![],
        };
        let since = Wall.now();
        let mut record = (*call.record).clone();
        record.intents.insert((call.at.phase, 0), Remembered { intent, since });
        Call { since: Some(since), record: Arc::new(record), ..call.clone() }
    }
}

/// The words of all evidence, for looking into.
pub(super) fn says(seen: &Seen) -> String {
    words(&seen.clone().into_evidence())
}

pub(super) fn words(evidence: &[Evidence]) -> String {
    evidence.iter().map(|it| format!("{}: {} {}\n", it.source, it.says, it.data)).collect()
}

/// The plan of an action that has something to do.
pub(super) fn todo(seen: &Seen) -> Vec<Change> {
    match seen {
        Seen::Todo { changes, .. } => changes.clone(),
        other => panic!("not to do: {other:?}"),
    }
}

pub(super) fn done(seen: &Seen) -> Vec<Fact> {
    match seen {
        Seen::Done { facts, .. } => facts.clone(),
        other => panic!("not done: {other:?}"),
    }
}

/// Observes until it is no longer busy.
pub(super) async fn settled(action: &dyn Action) -> Seen {
    for _ in 0..2_000 {
        let seen = action.observe().await;
        if !matches!(seen, Seen::Busy { .. }) {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("busy for ever");
}
