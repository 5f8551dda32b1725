//! Each disagreement set in the practice cloud: it is named, and what it says settles it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Command as Process, Stdio};

use changeover::app::{self, Drift};
use changeover::conductor::Command;
use changeover::fault::Exit;
use serde_json::{Value, json};

use crate::practice::{Lab, Operator, last_call, looks};

pub(super) const ALIAS: [(&str, &str); 2] =
    [("hk", "gigadb-hk-bastion"), ("sydney", "gigadb-sydney-bastion")];

/// What people do by hand.
pub(super) struct Hands<'a>(pub(super) &'a Lab);

impl Hands<'_> {
    fn cloudflare(&self, method: &str, path: &str, body: &Value) -> Value {
        let url = format!("{}/{path}", self.0.env["CLOUDFLARE_BASE_URL"]);
        let token = format!("authorization: Bearer {}", self.0.env["CLOUDFLARE_API_TOKEN"]);
        let mut curl = Process::new("curl");
        curl.args(["-sS", "-X", method, "-H", &token, "-H", "content-type: application/json"]);
        if method != "GET" {
            curl.args(["-d", &body.to_string()]);
        }
        let out = curl.arg(&url).output().unwrap();
        let answer: Value = serde_json::from_slice(&out.stdout).unwrap_or_default();
        assert!(out.status.success() && answer["success"] != json!(false), "{url}: {answer}");
        answer["result"].clone()
    }

    fn zone(&self, zone: &str) -> String {
        let found = self.cloudflare("GET", &format!("zones?name={zone}"), &json!({}));
        found[0]["id"].as_str().unwrap().to_owned()
    }

    pub(super) fn record(&self, zone: &str, name: &str) -> Option<Value> {
        let path = format!("zones/{}/dns_records?per_page=500", self.zone(zone));
        let rows = self.cloudflare("GET", &path, &json!({}));
        rows.as_array().unwrap().iter().find(|it| it["name"] == name).cloned()
    }

    /// Gives a record another content.
    pub(super) fn lead(&self, name: &str, to: &str) {
        let zone = if name.ends_with("gigadb.org") { "gigadb.org" } else { "gigadb.host" };
        let id = self.record(zone, name).unwrap()["id"].as_str().unwrap().to_owned();
        let path = format!("zones/{}/dns_records/{id}", self.zone(zone));
        self.cloudflare("PATCH", &path, &json!({ "content": to }));
    }

    fn add(&self, zone: &str, row: &Value) {
        self.cloudflare("POST", &format!("zones/{}/dns_records", self.zone(zone)), row);
    }

    pub(super) fn delete(&self, zone: &str, name: &str) {
        let id = self.record(zone, name).unwrap()["id"].as_str().unwrap().to_owned();
        let path = format!("zones/{}/dns_records/{id}", self.zone(zone));
        self.cloudflare("DELETE", &path, &json!({}));
    }

    /// Moves every record of the group, as people would who cannot use Changeover.
    pub(super) fn move_all(&self, operator: &Operator, to: &str) {
        let own = operator.life().record.addresses;
        let other = if to == "hk" { "sydney" } else { "hk" };
        for (record, production, standby) in [
            ("web", "gigadb.org", "alt-live.gigadb.host"),
            ("portainer", "portainer.gigadb.org", "portainer.alt-live.gigadb.host"),
            ("files", "files.gigadb.org", "files.alt-live.gigadb.host"),
            ("bastion", "bastion.gigadb.host", "bastion.alt-live.gigadb.host"),
        ] {
            self.lead(production, &own[&to.into()][record]);
            self.lead(standby, &own[&other.into()][record]);
        }
    }

    /// Runs a command on a site's bastion.
    pub(super) fn on(&self, site: &str, command: &str) -> String {
        let alias = ALIAS.iter().find(|it| it.0 == site).unwrap().1;
        let mut ssh = Process::new(&self.0.env["CHANGEOVER_SSH"]);
        let out = ssh.args(["-n", alias, command]).envs(&self.0.env).output().unwrap();
        assert!(out.status.success(), "{command}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    /// Writes accepted at a site's database, or refused.
    pub(super) fn writes(&self, site: &str, accepted: bool) {
        let how = if accepted { "reset" } else { "set" };
        let value = if accepted { "" } else { " = on" };
        // Who changes the setting is not bound by it.
        let options = "PGOPTIONS='-c default_transaction_read_only=off' ";
        let set = format!("alter role gigadb {how} default_transaction_read_only{value}");
        self.on(site, &format!("set -a; . ./.env; set +a; {options}psql -XAtc \"{set}\""));
    }

    fn crontab(&self, site: &str, change: &str) {
        self.on(site, &format!("crontab -l | {change} | crontab -"));
    }
}

pub(super) async fn look(operator: &Operator) -> Drift {
    app::drift(&operator.settings("reader"), &operator.system, None).await.unwrap()
}

pub(super) fn names(drift: &Drift) -> Vec<&'static str> {
    drift.report.differences.iter().map(|it| it.name.slug()).collect()
}

pub(super) async fn initialised(lab: &Lab, name: &str) -> Operator {
    lab.reset();
    let operator = Operator::new(lab, name);
    operator.order("engineer-a", Command::Init).await.unwrap();
    operator
}

pub(super) async fn adopt(operator: &Operator, site: &str) {
    let command = Command::DriftAdopt { confirm: Some(site.into()) };
    let reply = operator.order("engineer-a", command).await.unwrap();
    assert_eq!(reply.exit, Exit::Done, "{reply:?}");
}

/// What the program itself ends with.
fn status(operator: &Operator, words: &[&str]) -> (Option<i32>, String) {
    let out = operator.program().args(words).output().unwrap();
    (out.status.code(), String::from_utf8_lossy(&out.stdout).into_owned())
}

const RESET: &str = "5 10 * * * /usr/local/bin/databaseReset latest";

/// Sets it, then what a person does who follows the advice.
type Hand = fn(&Hands<'_>, &BTreeMap<String, String>);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_disagreement_is_named_and_its_advice_settles_it() {
    let lab = Lab::start();
    let hands = Hands(&lab);
    let operator = initialised(&lab, "each").await;
    let clean = look(&operator).await;
    assert!(clean.report.unknown.is_empty() && names(&clean).is_empty(), "{:?}", clean.report);
    assert_eq!(status(&operator, &["drift", "--exit-code"]).0, Some(0));
    let record = operator.life().record;
    let mut own: BTreeMap<String, String> = BTreeMap::new();
    for (site, addresses) in &record.addresses {
        own.extend(addresses.iter().map(|(id, it)| (format!("{site} {id}"), it.clone())));
    }
    let cases: &[(&[&str], &str, Hand, Hand)] = &[
        (
            &["two-writers", "half-a-swap"],
            "gigadb.org A",
            |it, own| it.lead("gigadb.org", &own["sydney web"]),
            |it, own| it.lead("gigadb.org", &own["hk web"]),
        ),
        (
            &["half-a-swap"],
            "files.alt-live.gigadb.host A",
            |it, own| it.lead("files.alt-live.gigadb.host", &own["hk files"]),
            |it, own| it.lead("files.alt-live.gigadb.host", &own["sydney files"]),
        ),
        (
            &["record-not-owner"],
            "files.gigadb.org A",
            |it, _| it.lead("files.gigadb.org", "127.9.9.9"),
            |it, own| it.lead("files.gigadb.org", &own["hk files"]),
        ),
        (
            &["wrong-zone"],
            "delete files.gigadb.host",
            |it, own| {
                let row = json!({ "type": "A", "name": "files.gigadb.host", "content": own["hk files"], "ttl": 60 });
                it.add("gigadb.host", &row);
            },
            |it, _| it.delete("gigadb.host", "files.gigadb.host"),
        ),
        (
            &["no-writer"],
            "reset default_transaction_read_only",
            |it, _| it.writes("hk", false),
            |it, _| it.writes("hk", true),
        ),
        (
            &["embargo-stray"],
            "reset default_transaction_read_only",
            |it, _| it.writes("sydney", false),
            |it, _| it.writes("sydney", true),
        ),
        (
            &["sync-backwards"],
            "out of the crontab of bastion of hk",
            |it, _| it.crontab("hk", &format!("{{ cat; echo '{RESET}'; }}")),
            |it, _| it.crontab("hk", "grep -v databaseReset"),
        ),
        (
            &["job-on"],
            "out of the crontab of bastion of sydney",
            |it, _| it.crontab("sydney", "{ cat; echo '0 22 * * * /usr/local/bin/s3backup'; }"),
            |it, _| it.crontab("sydney", "grep -v s3backup"),
        ),
        (
            &["job-changed"],
            "crontab of bastion of sydney",
            |it, _| it.crontab("sydney", "sed 's/^0 11/0 12/'"),
            |it, _| it.crontab("sydney", "sed 's/^0 12/0 11/'"),
        ),
        (
            &["job-missing"],
            "0 22 * * * /usr/local/bin/s3backup",
            |it, _| it.crontab("hk", "grep -v s3backup"),
            |it, _| {
                it.crontab(
                    "hk",
                    "sed '/^#Ansible: Create database dump/a 0 22 * * * /usr/local/bin/s3backup'",
                )
            },
        ),
    ];
    for (wanted, advice, set, settle) in cases {
        set(&hands, &own);
        let seen = look(&operator).await;
        assert_eq!(names(&seen), *wanted, "{:#?}", seen.report);
        let said: Vec<&str> = seen.report.differences.iter().map(|it| it.settle.as_str()).collect();
        assert!(said.iter().any(|it| it.contains(advice)), "{advice}: {said:?}");
        settle(&hands, &own);
        let after = look(&operator).await;
        assert!(
            names(&after).is_empty(),
            "{wanted:?} is not settled: {:#?}",
            after.report.differences
        );
    }
    hands.lead("gigadb.org", &own["sydney web"]);
    let (code, text) = status(&operator, &["drift", "--exit-code"]);
    assert!(code == Some(8) && text.contains("two writers"), "{code:?} {text}");
    assert_eq!(status(&operator, &["drift"]).0, Some(0), "without the flag nothing is counted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_unknown_and_never_clean() {
    let lab = Lab::start();
    let operator = initialised(&lab, "dark").await;
    let cases = [
        (json!({ "regions_down": ["ap-east-1"] }), json!({ "regions_down": [] }), "aws ec2"),
        (json!({ "dns_down": true }), json!({ "dns_down": false }), "dns gigadb.org"),
        (
            json!({ "hosts": { "gigadb-hk-bastion": { "down": true } } }),
            json!({ "hosts": { "gigadb-hk-bastion": { "down": false } } }),
            "host gigadb-hk-bastion",
        ),
        (
            json!({ "sites": { "sydney": { "dead": true } } }),
            json!({ "sites": { "sydney": { "dead": false } } }),
            "http",
        ),
    ];
    for (set, back, source) in cases {
        lab.post("/_lab/set", &set);
        let seen = look(&operator).await;
        assert!(names(&seen).is_empty(), "{source}: {:#?}", seen.report.differences);
        let unknown = &seen.report.unknown;
        assert!(unknown.iter().any(|it| it.source.starts_with(source)), "{source}: {unknown:?}");
        lab.post("/_lab/set", &back);
    }
    let refuse = json!({ "service": "cloudflare", "action": "status:403", "times": 1000 });
    lab.post("/_lab/faults", &refuse);
    let (code, text) = status(&operator, &["drift", "--exit-code"]);
    assert_eq!(code, Some(6), "{text}");
    assert!(text.contains("unknown") && !text.contains("no drift"), "{text}");
    let refused = operator.order("engineer-a", Command::DriftAdopt { confirm: Some("hk".into()) });
    assert_eq!(refused.await.unwrap_err().code.id, "E2041");
    lab.delete("/_lab/faults");
    assert_eq!(status(&operator, &["drift", "--exit-code"]).0, Some(0));
}

/// The one under way just then, the next one, and one that may have begun since it was told: ten seconds where
/// nothing else keeps the machine busy.
pub(crate) fn in_two_looks(operator: &Operator, lab: &Lab, since: u64) {
    let looks = looks(lab, since);
    assert!((1..=3).contains(&looks), "{looks} looks");
    let (_, help) = status(operator, &["drift", "--help"]);
    assert!(help.contains("[default: 5s]"), "from one look to the next: {help}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_writers_are_named_within_ten_seconds() {
    let lab = Lab::start();
    let hands = Hands(&lab);
    let operator = initialised(&lab, "watch").await;
    let own = operator.life().record.addresses;
    let mut watch =
        operator.program().args(["drift", "--watch"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(first.contains("no drift"), "{first}");
    hands.lead("gigadb.org", &own[&"sydney".into()]["web"]);
    let since = last_call(&lab);
    assert!(lines.by_ref().map(Result::unwrap).any(|it| it.contains("two writers")));
    in_two_looks(&operator, &lab, since);
    hands.lead("gigadb.org", &own[&"hk".into()]["web"]);
    let settled = lines.map(Result::unwrap).find(|it| it.contains("SETTLED")).unwrap();
    assert!(settled.contains("two writers") || settled.contains("half a swap"), "{settled}");
    // A watch neither takes the lock nor opens the store.
    let reply =
        operator.order("engineer-a", Command::DriftAdopt { confirm: Some("hk".into()) }).await;
    assert!(reply.is_ok(), "{reply:?}");
    watch.kill().unwrap();
    watch.wait().unwrap();
}
