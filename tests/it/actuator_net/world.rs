//! A call of a step, a clock that waits in no time, and the actuators over them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use changeover::actuator::{Actuators, Wire};
use changeover::machine::{At, Record};
use changeover::model::{Kind, OpId, Phase, SiteName, Time, Way};
use changeover::port::{Call, Clock, Outside, RunFacts, Tap};
use changeover::workflow::Workflow;
use changeover::workflow::step::Params;

pub(super) const JOURNAL: &str = "0123456789abcdef0123456789abcdef";
pub(super) const TOKEN: &str = "practice-token-0815";

/// Records, HK's address, Sydney's address.
pub(super) const NAMES: [(&str, &str, &str); 4] = [
    ("web", "127.0.1.1", "127.0.2.1"),
    ("portainer", "127.0.1.1", "127.0.2.1"),
    ("files", "127.0.1.2", "127.0.2.2"),
    ("bastion", "127.0.1.3", "127.0.2.3"),
];

const WORKFLOW: &str = r#"
format: 1
system: gigadb
practice: true
sites:
  hk: { aws: { profile: A, region: ap-east-1, principal: A } }
  sydney: { aws: { profile: B, region: ap-southeast-2, principal: B } }
switch:
  cloudflare:
    token: { env: CLOUDFLARE_API_TOKEN }
    zones: [ { name: gigadb.org }, { name: gigadb.host } ]
    ttl_max: 300s
    proxied: false
    records:
      - { id: web,       production: gigadb.org,           standby: alt-live.gigadb.host,           target: { eip: a } }
      - { id: portainer, production: portainer.gigadb.org, standby: portainer.alt-live.gigadb.host, target: { eip: a } }
      - { id: files,     production: files.gigadb.org,     standby: files.alt-live.gigadb.host,     target: { eip: b } }
      - { id: bastion,   production: bastion.gigadb.host,  standby: bastion.alt-live.gigadb.host,   target: { eip: c }, elsewhere: "not a users' name" }
webhooks: { team: { url: { env: TEAM_URL } } }
limits: { call: 400ms }
release:
  preflight: { skip: t }
  deploy: { skip: t }
  embargo: { skip: t }
  sync_off: { skip: t }
  backup: { skip: t }
  reset: { skip: t }
  validate: { skip: t }
  swap: { skip: t }
  sanity: { skip: t }
  soak: { planned: 30m, at_most: 4h }
closing: { lift: { skip: t }, renew: { skip: t }, sync_on: { skip: t } }
drill:
  records:
    - { id: web, production: drill.gigadb.org, standby: drill.gigadb.host, target: { eip: a } }
  sanity: { skip: t }
"#;

/// Time passes only while somebody sleeps.
#[derive(Debug)]
pub(super) struct FastClock(AtomicI64);

#[async_trait]
impl Clock for FastClock {
    fn now(&self) -> Time {
        Time::parse("2026-11-21T12:00:00Z").unwrap().plus_seconds(self.slept() / 1_000_000)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.slept()).unwrap())
    }

    async fn sleep(&self, lasting: Duration) {
        self.0.fetch_add(i64::try_from(lasting.as_micros()).unwrap(), Ordering::SeqCst);
        tokio::task::yield_now().await;
    }
}

impl FastClock {
    pub(super) fn slept(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Keeps the names of the calls.
#[derive(Debug, Default)]
pub(super) struct Calls(pub(super) Mutex<Vec<String>>);

#[async_trait]
impl Tap for Calls {
    async fn before(&self, call: &str) {
        self.0.lock().unwrap().push(call.to_owned());
    }

    async fn after(&self, _: &str) {}
}

pub(super) fn outside() -> Outside {
    let env = BTreeMap::from([("CLOUDFLARE_API_TOKEN".to_owned(), TOKEN.to_owned().into())]);
    Outside {
        cloudflare: "http://127.0.0.1:1/client/v4".into(),
        gitlab: "http://127.0.0.1:1".into(),
        connect_to: vec![],
        resolvers: vec![],
        authority: vec![],
        ssh: "ssh".into(),
        folder: ".".into(),
        env,
        differs: vec![],
    }
}

pub(super) struct Setting {
    pub(super) world: Actuators,
    pub(super) clock: Arc<FastClock>,
    pub(super) calls: Arc<Calls>,
}

pub(super) fn setting(outside: Outside) -> Setting {
    let clock = Arc::new(FastClock(AtomicI64::new(0)));
    let calls = Arc::new(Calls::default());
    let wire = Wire::new(outside, clock.clone(), calls.clone());
    Setting { world: Actuators::new(Arc::new(wire)), clock, calls }
}

pub(super) fn workflow() -> Workflow {
    let text: serde_json::Value = serde_yaml::from_str(WORKFLOW).unwrap();
    serde_json::from_value(text).unwrap()
}

/// A record in which the addresses of both sites are known.
pub(super) fn record() -> Record {
    let mut record = Record { journal: JOURNAL.into(), epoch: 7, ..Record::default() };
    for (site, at) in [("hk", 1), ("sydney", 2)] {
        let own = NAMES.iter().map(|it| (it.0.to_owned(), [it.1, it.2][at - 1].to_owned()));
        record.addresses.insert(site.into(), own.collect());
    }
    record
}

/// A call in run 3, a release; HK is production.
pub(super) fn call(params: Params) -> Call {
    let (hk, sydney) = (SiteName::from("hk"), SiteName::from("sydney"));
    Call {
        workflow: Arc::new(workflow()),
        at: At { kind: Kind::Release, way: Way::Forth, phase: Phase::Swap, group: 0, tried: 1 },
        step: "step".into(),
        params,
        on: None,
        production: hk,
        standby: sydney,
        run: RunFacts {
            number: 3,
            id: "r3".into(),
            version: Some("v4.4.0".into()),
            stamp: None,
            started: Time(0),
        },
        record: Arc::new(record()),
        op: OpId("0011".into()),
        attempt: 1,
        since: None,
        timeout: Duration::from_secs(5),
        kept: None,
    }
}

/// The parameters of this kind, from YAML.
pub(super) fn params(kind: &str, with: &str) -> Params {
    let with: serde_json::Value = serde_yaml::from_str(with).unwrap();
    Params::read(kind, &with).unwrap().unwrap()
}

/// The same call on the way back of the same run: the roles of the phase are the other way round.
pub(super) fn back(mut call: Call) -> Call {
    call.at.way = Way::Back;
    std::mem::swap(&mut call.production, &mut call.standby);
    call
}

pub(super) fn text(evidence: &impl serde::Serialize) -> String {
    serde_json::to_string(evidence).unwrap()
}
