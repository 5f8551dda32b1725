//! Preflight of the shipped workflow over the practice cloud: for each of its checks a trouble that fails it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command as Process;

use changeover::conductor::{Command, NoWatcher, Order};
use changeover::workflow::step::Params;
use changeover::workflow::step::pages::{PAGES, page};
use serde_json::{Value, json};

use crate::practice::{Lab, Operator};

const RELEASE: &str = "v4.3.4";
const HK: &str = "gigascience/upstream/gigadb-website";
const BASTION: &str = "gigadb-hk-bastion";

/// What is done to the practice cloud.
enum Trouble {
    /// A setting.
    Set(Value),
    /// A record of a zone gets these fields.
    Record(&'static str, Value),
    /// A new record in a zone.
    NewRecord(Value),
    /// A GitLab call: method, path under the API of Hong Kong's project, body.
    Gitlab(&'static str, &'static str, Value),
    /// A file of Hong Kong's bastion gets this text.
    File(&'static str, &'static str),
    /// The newest dump is cut.
    CutDump,
    /// The workflow says this instead.
    Workflow(&'static str, &'static str),
}

use Trouble::{CutDump, File, Gitlab, NewRecord, Set, Workflow};

/// A check, what fails it, and what else cannot pass then.
type Case = (&'static str, Trouble, &'static [&'static str]);

fn cases() -> Vec<Case> {
    let hk = |set: Value| Set(json!({ "sites": { "hk": set } }));
    let sydney = |set: Value| Set(json!({ "sites": { "sydney": set } }));
    let bastion = |set: Value| Set(json!({ "hosts": { BASTION: set } }));
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(90);
    let (from, to) = (soon, soon + jiff::SignedDuration::from_mins(30));
    let window = format!("{}-{}", from.strftime("%H:%M"), to.strftime("%H:%M"));
    vec![
        ("identity", Set(json!({ "one_principal": true })), &[]),
        (
            "group",
            Trouble::Record("bastion.alt-live.gigadb.host", json!({ "content": "192.0.2.1" })),
            &["aged"],
        ),
        ("siblings", NewRecord(json!({ "type": "A", "name": "www.gigadb.org", "ttl": 60 })), &[]),
        (
            "unproxied",
            Trouble::Record("files.gigadb.org", json!({ "proxied": true })),
            &["group", "aged"],
        ),
        ("ttl", Trouble::Record("gigadb.org", json!({ "ttl": 3600 })), &["aged"]),
        ("aged", Trouble::Record("gigadb.org", json!({ "comment": "touched" })), &[]),
        ("zones", Set(json!({ "dns_foreign": true })), &[]),
        ("signatures", Set(json!({ "dnssec": "broken" })), &[]),
        ("token", Set(json!({ "cloudflare_token": "disabled" })), &[]),
        ("eip-prod", hk(json!({ "stopped": true })), &[]),
        ("eip-stby", sydney(json!({ "stopped": true })), &[]),
        ("quota", Set(json!({ "eip_quota": 3 })), &[]),
        ("is-prod", hk(json!({ "marker": "it works!" })), &[]),
        ("is-stby", sydney(json!({ "marker": "gigadb-hk" })), &[]),
        ("alive", hk(json!({ "status": 503 })), &["is-prod"]),
        ("tls", sydney(json!({ "cert_without": ["files.gigadb.org"] })), &[]),
        (
            "agree",
            Gitlab(
                "PUT",
                "variables/REMOTE_HOSTNAME?filter[environment_scope]=live",
                json!({ "value": "gigadb.com" }),
            ),
            &[],
        ),
        ("rds-prod", hk(json!({ "database_status": "modifying" })), &[]),
        ("rds-stby", sydney(json!({ "database_status": "stopped" })), &[]),
        ("rds-quiet", sydney(json!({ "database_parameters": "pending-reboot" })), &[]),
        ("rds-hours", hk(json!({ "database_window": window })), &[]),
        ("daily", CutDump, &[]),
        ("crons", File("var/spool/cron/centos", "0 23 * * * df -h\n"), &[]),
        ("tag", Set(json!({ "tags": "plain" })), &["signed"]),
        ("signed", Set(json!({ "tags": "annotated" })), &[]),
        ("green-prod", Set(json!({ "red_jobs": [format!("{HK}:a_gigadb")] })), &[]),
        (
            "green-stby",
            Set(json!({ "red_jobs": ["gigascience/upstream/alt-gigadb-website:all_tests"] })),
            &[],
        ),
        ("runner", Set(json!({ "runner_online": false })), &[]),
        ("rights", Set(json!({ "tag_level": 60 })), &[]),
        (
            "idle",
            Gitlab(
                "POST",
                "deployments",
                json!({
                    "environment": "live", "sha": "0".repeat(40), "ref": "v4.3.5", "tag": true, "status": "running",
                }),
            ),
            &[],
        ),
        ("img-prod", bastion(json!({ "missing_images": ["production_app"] })), &[]),
        (
            "images",
            Set(
                json!({ "hosts": { "gigadb-sydney-bastion": { "missing_images": ["production_app"] } } }),
            ),
            &[],
        ),
        (
            "scripts",
            File("usr/local/bin/databaseReset", "#!/bin/sh\n# upstream's own\nexit 0\n"),
            &[],
        ),
        ("counter", File("usr/local/bin/site_requests", "#!/bin/sh\necho no log\n"), &[]),
        ("disk", bastion(json!({ "disk_used": 91 })), &[]),
        ("shares", bastion(json!({ "unmounted": ["/share/dropbox"] })), &[]),
        ("windows", Workflow("\nclosed: [", "\nclosed: [\"00:00-24:00\", "), &[]),
    ]
}

/// Other ways for checks to fail than those in the table, and ways to be unknown, which refuses as well; those of
/// one group are set together.
fn more() -> Vec<Vec<(&'static str, Trouble, &'static str)>> {
    let hk = |set: Value| Set(json!({ "sites": { "hk": set } }));
    let aaaa = json!({ "type": "AAAA", "name": "gigadb.org", "content": "2001:db8::1", "ttl": 60 });
    let crontab = "#Ansible: Create database dump file from RDS and upload to S3 every day\n\
                   0 22 * * * /usr/local/bin/s3backup\n\
                   5 10 * * * /usr/local/bin/databaseReset latest\n";
    vec![
        vec![
            ("siblings", NewRecord(aaaa), "fail"),
            ("signatures", Set(json!({ "dnssec": "ending" })), "fail"),
            ("token", Set(json!({ "cloudflare_used": 700_000 })), "fail"),
            ("rds-quiet", hk(json!({ "database_change": true })), "fail"),
            ("agree", hk(json!({ "cert_without": ["gigadb.org"] })), "fail"),
            ("rights", Set(json!({ "access_level": 20 })), "fail"),
            ("crons", File("var/spool/cron/centos", crontab), "fail"),
        ],
        vec![
            ("signatures", Set(json!({ "dnssec": "signed" })), "pass"),
            ("rds-quiet", hk(json!({ "database_maintenance": "system-update" })), "fail"),
            ("is-prod", hk(json!({ "dead": true })), "unknown"),
            ("disk", Set(json!({ "hosts": { BASTION: { "down": true } } })), "unknown"),
        ],
        vec![("rds-quiet", Set(json!({ "regions_down": ["ap-east-1"] })), "unknown")],
    ]
}

/// One practice cloud and an operator in it; troubles come and go.
struct Practice {
    lab: Lab,
    operator: Operator,
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Practice {
    async fn start() -> Self {
        let lab = Lab::start();
        let operator = Operator::new(&lab, "preflight");
        operator.order("engineer-a", Command::Init).await.unwrap();
        Self { lab, operator, files: BTreeMap::new() }
    }

    /// Verdict and last words of each check, as a dry run of a release shows them; nothing is begun.
    async fn look(&self) -> BTreeMap<String, (String, String)> {
        self.look_for(RELEASE).await
    }

    async fn look_for(&self, release: &str) -> BTreeMap<String, (String, String)> {
        let command = Command::Start {
            version: release.to_owned(),
            auto: false,
            confirm: None,
            waive: vec![],
        };
        let order = Order { command, reason: Some("practice".to_owned()), dry_run: true };
        let settings = self.operator.settings("engineer-a");
        let watcher = std::sync::Arc::new(NoWatcher);
        let reply = changeover::app::order(&settings, &self.operator.system, order, watcher);
        let plan = reply.await.unwrap().plan.unwrap();
        let looked = plan.steps.into_iter().filter(|it| !it.evidence.is_empty()).map(|it| {
            let says: Vec<_> = it.evidence.iter().map(|it| it.says.clone()).collect();
            (it.id.to_string(), (it.verdict, says.join("; ")))
        });
        looked.collect()
    }

    fn make(&mut self, trouble: &Trouble) {
        match trouble {
            Set(body) => drop(self.lab.post("/_lab/set", body)),
            Trouble::Record(name, fields) => {
                let (zone, id) = self.record(name);
                self.cloudflare("PATCH", &format!("/zones/{zone}/dns_records/{id}"), fields);
            }
            NewRecord(fields) => {
                let (zone, id) = self.record("gigadb.org");
                let path = format!("/zones/{zone}/dns_records");
                let one = self.cloudflare("GET", &format!("{path}/{id}"), &Value::Null);
                let mut fields = fields.clone();
                if fields.get("content").is_none() {
                    fields["content"] = one["result"]["content"].clone();
                }
                self.cloudflare("POST", &path, &fields);
            }
            Gitlab(method, path, body) => {
                let url = format!(
                    "{}/api/v4/projects/{}/{path}",
                    self.lab.env["CI_SERVER_URL"],
                    HK.replace('/', "%2F")
                );
                let token = format!("PRIVATE-TOKEN: {}", self.lab.env["GITLAB_TOKEN"]);
                call(method, &url, &token, body);
            }
            File(path, text) => {
                let path = self.lab.dir.path().join("hosts").join(BASTION).join(path);
                self.files.insert(path.clone(), std::fs::read(&path).unwrap());
                std::fs::write(path, text).unwrap();
            }
            CutDump => {
                let world = self.lab.world();
                let key = world["bucket"][0]["key"].as_str().unwrap();
                let cut = json!({ "key": key, "body": "-- PostgreSQL database dump\nCOPY data" });
                self.lab.post("/_lab/object", &cut);
            }
            Workflow(from, to) => {
                let path = self.operator.workflows.join("gigadb.yaml");
                let text = std::fs::read_to_string(&path).unwrap();
                self.files.insert(path.clone(), text.clone().into_bytes());
                assert!(text.contains(from), "the file does not hold {from:?}");
                std::fs::write(path, text.replacen(from, to, 1)).unwrap();
            }
        }
    }

    /// Everything as it was; the world is made anew only where something was changed in it.
    async fn undo(&mut self, trouble: &Trouble) {
        for (path, bytes) in std::mem::take(&mut self.files) {
            std::fs::write(path, bytes).unwrap();
        }
        match trouble {
            Set(_) | File(..) | Workflow(..) => {
                let first = json!({
                    "one_principal": false, "dns_foreign": false, "dnssec": "no", "eip_quota": 10,
                    "cloudflare_token": "active", "cloudflare_used": 0, "tags": "signed",
                    "cloudflare_limit": 1_000_000, "red_jobs": [], "runner_online": true,
                    "access_level": 40, "tag_level": 30, "regions_down": [],
                });
                self.lab.post("/_lab/set", &first);
                let (sites, hosts) = (["hk", "sydney"], [BASTION, "gigadb-sydney-bastion"]);
                let none = json!({
                    "dead": false, "cert_without": [], "status": null, "marker": null,
                    "stopped": false, "database_status": null, "database_parameters": null,
                    "database_change": false, "database_maintenance": null, "database_window": null,
                });
                for site in sites {
                    self.lab.post("/_lab/set", &json!({ "sites": { site: none } }));
                }
                let none = json!({
                    "down": false, "disk_used": null, "unmounted": [], "missing_images": [],
                });
                for host in hosts {
                    self.lab.post("/_lab/set", &json!({ "hosts": { host: none } }));
                }
            }
            Trouble::Record(..) | NewRecord(_) => {
                self.lab.post("/_lab/reset", &json!({ "only": "records" }));
                let _ = std::fs::remove_dir_all(&self.operator.state);
                self.operator.order("engineer-a", Command::Init).await.unwrap();
            }
            Gitlab(..) | CutDump => {
                self.lab.reset();
                let _ = std::fs::remove_dir_all(&self.operator.state);
                self.operator.order("engineer-a", Command::Init).await.unwrap();
            }
        }
    }

    /// The ids of a name's zone and of its first record.
    fn record(&self, name: &str) -> (String, String) {
        let zone = if name.ends_with("gigadb.host") { "gigadb.host" } else { "gigadb.org" };
        let zones = self.cloudflare("GET", &format!("/zones?name={zone}"), &Value::Null);
        let zone = zones["result"][0]["id"].as_str().unwrap().to_owned();
        let path = format!("/zones/{zone}/dns_records?name={name}");
        let records = self.cloudflare("GET", &path, &Value::Null);
        (zone, records["result"][0]["id"].as_str().unwrap().to_owned())
    }

    fn cloudflare(&self, method: &str, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.lab.env["CLOUDFLARE_BASE_URL"]);
        let token = format!("Authorization: Bearer {}", self.lab.env["CLOUDFLARE_API_TOKEN"]);
        call(method, &url, &token, body)
    }
}

pub(crate) fn call(method: &str, url: &str, token: &str, body: &Value) -> Value {
    let mut curl = Process::new("curl");
    curl.args(["-sS", "-g", "--fail-with-body", "-X", method, "-H", token]);
    if !body.is_null() {
        curl.args(["-H", "content-type: application/json", "-d", &body.to_string()]);
    }
    let out = curl.arg(url).output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(out.status.success(), "{method} {url}: {text}");
    serde_json::from_str(&text).unwrap()
}

/// The ids of the shipped file's preflight, with their kinds.
fn shipped() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string("workflows/gigadb.yaml").unwrap();
    let file: Value = changeover::workflow::data(&text, "workflows/gigadb.yaml").unwrap();
    let steps = file["release"]["preflight"].as_array().unwrap().iter();
    steps
        .map(|it| (it["id"].as_str().unwrap().to_owned(), it["check"].as_str().unwrap().to_owned()))
        .collect()
}

#[test]
fn preflight_has_its_twenty_five_meanings_each_with_a_fixture() {
    let shipped = shipped();
    let kinds: BTreeSet<&String> = shipped.values().collect();
    println!("preflight: {} checks of {} kinds", shipped.len(), kinds.len());
    assert!(shipped.len() >= 25 && kinds.len() >= 25, "{} of {}", shipped.len(), kinds.len());
    let ids: BTreeSet<&str> = shipped.keys().map(String::as_str).collect();
    let tried: BTreeSet<&str> = cases().iter().map(|it| it.0).collect();
    assert_eq!(ids, tried, "each id has a trouble that fails it, and each trouble an id");
}

#[test]
fn every_kind_of_check_has_a_page_worth_reading() {
    for (is_check, kind) in Params::KINDS {
        assert_eq!(*is_check, page(kind).is_some(), "docs/checks/{kind}.md");
    }
    for (kind, page) in PAGES {
        assert!(Params::KINDS.iter().any(|it| it.1 == *kind), "there is no kind {kind}");
        let lines = page.lines().count();
        assert!((8..=20).contains(&lines), "{kind}: {lines} lines");
        for part in ["## What it proves", "## What fails it", "## What to do"] {
            assert!(
                page.starts_with(&format!("# {kind}\n")) && page.contains(part),
                "{kind}: {part}"
            );
        }
    }
}

#[test]
fn the_scripts_demanded_are_those_that_we_ship() {
    let text = std::fs::read_to_string("workflows/gigadb.yaml").unwrap();
    for name in ["s3backup", "databaseReset"] {
        let out = Process::new("sha256sum").arg(format!("docs/gigadb/{name}")).output().unwrap();
        let digest = String::from_utf8_lossy(&out.stdout)[..64].to_owned();
        assert!(text.contains(&format!("/usr/local/bin/{name}: {digest}")), "{name}: {digest}");
    }
}

#[tokio::test]
async fn each_trouble_fails_its_check_and_no_other() {
    let began = std::time::Instant::now();
    let mut practice = Practice::start().await;
    let hour = |id: &str| id == "windows"; // whether the file's hours are closed depends on the hour
    let good = practice.look().await;
    let bad: Vec<_> = good.iter().filter(|(id, it)| it.0 != "pass" && !hour(id)).collect();
    assert!(bad.is_empty(), "nothing is wrong yet: {bad:#?}");
    assert_eq!(good.len(), shipped().len());
    let mut wrong = vec![];
    for (id, trouble, follow) in cases() {
        practice.make(&trouble);
        let looked = practice.look().await;
        practice.undo(&trouble).await;
        if looked[id].0 != "fail" {
            wrong.push(format!("{id}: {:?}", looked[id]));
        }
        for (other, (verdict, says)) in &looked {
            let may = other == id || hour(other) || follow.contains(&other.as_str());
            if verdict != "pass" && !may {
                wrong.push(format!("{id} takes {other} along: {verdict}: {says}"));
            }
        }
    }
    for group in more() {
        group.iter().for_each(|it| practice.make(&it.1));
        let looked = practice.look().await;
        for (id, trouble, wanted) in &group {
            practice.undo(trouble).await;
            if looked[*id].0 != *wanted {
                wrong.push(format!("{id} should be {wanted}: {:?}", looked[*id]));
            }
        }
    }
    println!(
        "preflight: {} troubles in {:?}",
        cases().len() + more().iter().map(Vec::len).sum::<usize>(),
        began.elapsed()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn the_next_release_the_other_way_passes_as_well() {
    let practice = Practice::start().await;
    practice.operator.release(RELEASE, "sydney").await;
    let looked = practice.look_for("v4.3.5").await;
    let bad: Vec<_> = looked.iter().filter(|(id, it)| it.0 != "pass" && *id != "windows").collect();
    assert!(bad.is_empty(), "with sydney as production: {bad:#?}");
    assert!(looked["aged"].1.contains("or by us"), "{:?}", looked["aged"]);
    assert!(looked["daily"].1.contains("bytes, written"), "{:?}", looked["daily"]);
}
