//! Interlocks and the embargo through the whole program: each trap is set in the practice cloud, nothing is
//! changed after it, and the answer names it; writes are refused on the right site at the right time.

use std::process::Command as Process;

use changeover::conductor::Command;
use changeover::fault::Exit;
use changeover::machine::State;
use changeover::model::{Phase, SiteName, Way};
use changeover::{app, view};
use serde_json::{Value, json};

use crate::practice::{Lab, Operator, last_call};

const SYDNEY_ENV: &str = "hosts/gigadb-sydney-bastion/home/centos/.env";
const OPEN: &str = "PGOPTIONS='-c default_transaction_read_only=off' PGHOST=$(sed -n s/^PGHOST=//p .env) \
                    psql -XAtc 'alter role gigadb reset default_transaction_read_only'";

/// Takes the release to the end of a phase.
pub(crate) async fn walk_to(operator: &Operator, phase: Phase) {
    for _ in 0..40 {
        if matches!(operator.life().state, State::Ready { at } if at.phase == phase) {
            return;
        }
        let (who, command) = operator.turn("v4.3.4", "sydney").expect("the run goes on");
        let shown = format!("{command:?}");
        let reply = operator.order(who, command).await;
        let well = reply.as_ref().is_ok_and(|it| !matches!(it.state, State::Halted { .. }));
        assert!(well, "{shown}: {reply:?}\n{}", operator.last_lines());
    }
    panic!("{phase:?} was not reached: {:?}", operator.life().state);
}

fn next(confirm: Option<&str>) -> Command {
    Command::Next { auto: false, confirm: confirm.map(SiteName::from), waive: vec![] }
}

/// What a command came to, whichever way it was refused.
async fn said(operator: &Operator, command: Command) -> String {
    match operator.order("engineer-a", command).await {
        Ok(reply) => format!("{reply:?}"),
        Err(fault) => fault.to_string(),
    }
}

pub(crate) fn curl(args: &[&str]) -> String {
    let out = Process::new("curl").args(args).output().unwrap();
    assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// A request to AWS by the standby's user.
pub(crate) fn aws(
    operator: &Operator,
    service: &str,
    region: &str,
    args: &[&str],
    path: &str,
) -> String {
    let credentials =
        std::fs::read_to_string(&operator.env["AWS_SHARED_CREDENTIALS_FILE"]).unwrap();
    let value = |name: &str| {
        let line = credentials.lines().rev().find(|it| it.starts_with(name)).unwrap();
        line.split_once('=').unwrap().1.trim().to_owned()
    };
    let user = format!("{}:{}", value("aws_access_key_id"), value("aws_secret_access_key"));
    let sign = format!("aws:amz:{region}:{service}");
    let url = format!("{}{path}", operator.env["AWS_ENDPOINT_URL"]);
    let fixed = ["-sS", "--fail-with-body", "--aws-sigv4", &sign, "--user", &user, &url];
    curl(&[&fixed[..], args].concat())
}

/// Runs a command on a practice host, as somebody who is logged in there.
fn by_hand(operator: &Operator, alias: &str, command: &str) {
    let out = Process::new(&operator.env["CHANGEOVER_SSH"]).args(["-n", alias, command]).output();
    let out = out.unwrap();
    assert!(out.status.success(), "{command}: {}", String::from_utf8_lossy(&out.stderr));
}

/// The status that a site gives to a write.
fn write(operator: &Operator, site: &str, key: &str) -> String {
    let address = &operator.life().record.addresses[&SiteName::from(site)]["web"];
    let mut args: Vec<String> =
        ["-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST", "--cacert"]
            .map(str::to_owned)
            .into();
    args.push(operator.env["SSL_CERT_FILE"].clone());
    let to = operator.env["CHANGEOVER_CONNECT_TO"].split(',');
    let port = to
        .filter_map(|it| it.rsplit_once(':'))
        .find(|(rest, _)| rest.contains(address.as_str()) || rest.starts_with(':'))
        .map_or("8443", |(_, port)| port);
    args.extend(["--connect-to".to_owned(), format!("::{address}:{port}")]);
    args.push(format!("https://alt-live.gigadb.host/write?key={key}"));
    curl(&args.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Changes that took effect since then on databases, on the bucket or in AWS; announcements aside.
fn changes(lab: &Lab, since: u64) -> Vec<String> {
    let calls = lab.get(&format!("/_lab/calls?changes=true&applied=true&since={since}"));
    let of = |it: &Value| format!("{} {} {}", it["service"], it["operation"], it["path"]);
    calls.as_array().unwrap().iter().filter(|it| it["service"] != "webhook").map(of).collect()
}

struct Trap {
    name: &'static str,
    set: Box<dyn Fn()>,
    unset: Box<dyn Fn()>,
    says: &'static str,
}

fn traps(lab: &Lab, operator: &Operator) -> Vec<Trap> {
    let file = lab.dir.path().join(SYDNEY_ENV);
    let good = std::fs::read_to_string(&file).unwrap();
    let other = good.replace("rds-server-live-gigadbalt", "rds-server-live-gigadb");
    let other = other.replace("ap-southeast-2", "ap-east-1");
    assert_ne!(good, other);
    let env = |text: String| -> Box<dyn Fn()> {
        let file = file.clone();
        Box::new(move || std::fs::write(&file, &text).unwrap())
    };
    let stamp = operator.life().record.last_stamp.unwrap();
    let key = format!(
        "/gigadb-database-backups/gigadb_gigascience-upstream-gigadb-website_live_{stamp}.backup"
    );
    let body = aws(operator, "s3", "ap-east-1", &[], &key);
    let env_of = operator.env.clone();
    let put = |body: String| -> Box<dyn Fn()> {
        let operator = Operator { env: env_of.clone(), ..Operator::new(lab, "by-hand") };
        let key = key.clone();
        Box::new(move || {
            aws(
                &operator,
                "s3",
                "ap-east-1",
                &["-X", "PUT", "-H", "Content-Type: text/plain", "--data-binary", &body],
                &key,
            );
        })
    };
    let gone: Box<dyn Fn()> = {
        let (operator, key) = (Operator::new(lab, "by-hand"), key.clone());
        Box::new(move || {
            aws(&operator, "s3", "ap-east-1", &["-X", "DELETE"], &key);
        })
    };
    let torn = body[..body.len() / 2].to_owned();
    let reached = format!("{good}PGHOSTADDR=10.99.0.21\n");
    vec![
        Trap {
            name: "G5 PGHOST",
            set: env(other),
            unset: env(good.clone()),
            says: "that is production's database",
        },
        Trap {
            name: "V2 PGHOSTADDR",
            set: env(reached),
            unset: env(good),
            says: "leads to another server",
        },
        Trap { name: "G3 no dump", set: gone, unset: put(body.clone()), says: "it is not there" },
        Trap {
            name: "G3 torn dump",
            set: put(torn),
            unset: put(body.clone()),
            says: "it is not the proven",
        },
        Trap {
            name: "G1 another dump",
            set: put(format!("{body}\n")),
            unset: put(body),
            says: "it is not the proven",
        },
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trap_before_a_load_is_named_and_nothing_is_changed_after_it() {
    let lab = Lab::start();
    let operator = Operator::new(&lab, "traps");
    walk_to(&operator, Phase::Backup).await;
    let before = lab.world()["databases"].clone();
    for (number, trap) in traps(&lab, &operator).into_iter().enumerate() {
        (trap.set)();
        let since = last_call(&lab);
        let command = if number == 0 { next(None) } else { Command::Retry };
        let says = said(&operator, command).await;
        assert!(says.contains(trap.says), "{}: {says}", trap.name);
        assert_eq!(changes(&lab, since), [""; 0], "{}", trap.name);
        assert_eq!(lab.world()["databases"], before, "{}", trap.name);
        (trap.unset)();
    }
    // The switch was moved by hand while the run stood still.
    let url = &operator.env["CLOUDFLARE_BASE_URL"];
    let token = format!("Authorization: Bearer {}", operator.env["CLOUDFLARE_API_TOKEN"]);
    let read = |path: &str| -> Value {
        serde_json::from_str(&curl(&["-sS", "-H", &token, &format!("{url}{path}")])).unwrap()
    };
    let zone = read("/zones?name=gigadb.org")["result"][0]["id"].as_str().unwrap().to_owned();
    let record =
        read(&format!("/zones/{zone}/dns_records?name=gigadb.org&type=A"))["result"][0].clone();
    let here = format!("{url}/zones/{zone}/dns_records/{}", record["id"].as_str().unwrap());
    let patch = |content: &str| {
        let body = json!({ "content": content }).to_string();
        let kind = "Content-Type: application/json";
        curl(&[
            "-sS",
            "--fail-with-body",
            "-X",
            "PATCH",
            "-H",
            &token,
            "-H",
            kind,
            "-d",
            &body,
            &here,
        ]);
    };
    patch(&operator.life().record.addresses[&SiteName::from("sydney")]["web"]);
    let since = last_call(&lab);
    let says = said(&operator, Command::Retry).await;
    assert!(says.contains("do not lead where hk being production puts them"), "{says}");
    assert_eq!(changes(&lab, since), [""; 0]);
    patch(record["content"].as_str().unwrap());
    // V17: the copy of what would be overwritten is gone.
    let name = operator
        .life()
        .record
        .copies
        .iter()
        .find(|(_, it)| it.site.as_str() == "sydney")
        .unwrap()
        .0
        .clone();
    let form = format!("Action=DeleteDBSnapshot&Version=2014-10-31&DBSnapshotIdentifier={name}");
    aws(&operator, "rds", "ap-southeast-2", &["-d", &form], "/");
    let since = last_call(&lab);
    let says = said(&operator, Command::Retry).await;
    assert!(
        says.contains(&format!("the snapshot {name} of rds-server-live-gigadbalt is gone")),
        "{says}"
    );
    assert_eq!(changes(&lab, since), [""; 0]);
    assert_eq!(lab.world()["databases"], before);
    // The way out is open, and production takes writes again.
    operator.order("engineer-a", Command::Abort).await.unwrap();
    assert_eq!(operator.life().state, State::Steady, "{}", operator.last_lines());
    assert_eq!(write(&operator, "hk", "after"), "201");
}

/// Whether each site takes a write: production's old site, then the other.
fn writes(operator: &Operator, key: &str) -> [String; 2] {
    ["hk", "sydney"].map(|site| write(operator, site, key))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_are_refused_on_the_right_site_at_the_right_time() {
    let lab = Lab::start();
    let operator = Operator::new(&lab, "writes");
    let ftp = || lab.world()["ftp"].clone();
    let steps = [
        (Phase::Deploy, ["201", "201"], [true, true]),
        (Phase::Embargo, ["503", "201"], [false, true]),
        (Phase::Backup, ["503", "201"], [false, true]),
        (Phase::Reset, ["503", "503"], [false, false]),
        (Phase::Swap, ["503", "503"], [false, false]),
        (Phase::Sanity, ["503", "503"], [false, false]),
    ];
    for (phase, wanted, runs) in steps {
        walk_to(&operator, phase).await;
        assert_eq!(writes(&operator, phase.name()), wanted, "after {phase:?}");
        assert_eq!(ftp(), json!({ "hk": runs[0], "sydney": runs[1] }), "after {phase:?}");
    }
    walk_to(&operator, Phase::Lift).await;
    assert_eq!(writes(&operator, "lift"), ["503", "201"], "the site that lost the role refuses");
    operator.release("v4.3.4", "sydney").await;
    assert_eq!(writes(&operator, "steady"), ["201", "201"]);
    assert_eq!(ftp(), json!({ "hk": true, "sydney": true }));
    let record = operator.life().record;
    assert!(record.embargoes.is_empty() && record.owed.is_empty(), "{record:?}");
    assert!(record.copies.len() >= 3, "final copies are kept: {:?}", record.copies);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_embargo_lifted_by_hand_is_seen_before_the_next_phase_and_laid_again() {
    let lab = Lab::start();
    let operator = Operator::new(&lab, "lifted");
    walk_to(&operator, Phase::SyncOff).await;
    by_hand(&operator, "gigadb-hk-bastion", OPEN);
    let since = last_call(&lab);
    let says = said(&operator, next(None)).await;
    assert!(says.contains("E2031") && says.contains("the embargo on hk does not hold"), "{says}");
    assert!(says.contains("run retry") && says.contains("a write was accepted"), "{says}");
    assert_eq!(changes(&lab, since), [""; 0]);
    operator.order("engineer-a", Command::Retry).await.unwrap();
    by_hand(&operator, "gigadb-hk-files", "docker compose start ftpd");
    let says = said(&operator, next(None)).await;
    assert!(says.contains("the FTP server runs"), "{says}");
    operator.order("engineer-a", Command::Retry).await.unwrap();
    assert_eq!(write(&operator, "hk", "between"), "503");
    walk_to(&operator, Phase::Validate).await;
    // A write came in while it was lifted: it would be lost to users, and is seen at the swap.
    by_hand(&operator, "gigadb-hk-bastion", OPEN);
    by_hand(
        &operator,
        "gigadb-hk-bastion",
        &OPEN.replace(
            "alter role gigadb reset default_transaction_read_only",
            "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = 1",
        ),
    );
    assert_eq!(write(&operator, "hk", "lost"), "201");
    let says = said(&operator, next(Some("sydney"))).await;
    assert!(says.contains("E2031"), "{says}");
    operator.order("engineer-a", Command::Retry).await.unwrap();
    let since = last_call(&lab);
    let says = said(&operator, next(Some("sydney"))).await;
    // Users would miss it on the news page, which is part of what was approved, before anybody counts rows.
    assert!(says.contains("E2008") && says.contains("rss: pass → fail"), "{says}");
    assert_eq!(changes(&lab, since), [""; 0]);
    operator.order("engineer-a", Command::Abort).await.unwrap();
    assert_eq!(operator.life().state, State::Steady, "{}", operator.last_lines());
    assert_eq!(write(&operator, "hk", "after"), "201");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_out_lifts_it() {
    let lab = Lab::start();
    for phase in [Phase::Embargo, Phase::Backup, Phase::Reset, Phase::Validate] {
        lab.reset();
        let operator = Operator::new(&lab, &format!("abort-{}", phase.name()));
        walk_to(&operator, phase).await;
        operator.order("engineer-a", Command::Abort).await.unwrap();
        lifted(&lab, &operator);
    }
    lab.reset();
    let operator = Operator::new(&lab, "back");
    walk_to(&operator, Phase::Sanity).await;
    let back = Command::Rollback { confirm: Some("hk".into()), accept_data_loss: false };
    operator.order("engineer-a", back).await.unwrap();
    assert_eq!(writes(&operator, "waits"), ["201", "503"], "the site that lost the role refuses");
    while !matches!(operator.life().state, State::Steady) {
        let at = operator.life().state.at().unwrap();
        assert!(at.way == Way::Back, "{at:?}");
        operator.order("engineer-a", next(None)).await.unwrap();
    }
    lifted(&lab, &operator);
}

fn lifted(lab: &Lab, operator: &Operator) {
    let life = operator.life();
    assert_eq!(life.state, State::Steady, "{}", operator.last_lines());
    assert!(life.record.embargoes.is_empty() && life.record.owed.is_empty(), "{:?}", life.record);
    assert_eq!(writes(operator, "lifted"), ["201", "201"]);
    assert_eq!(lab.world()["ftp"], json!({ "hk": true, "sydney": true }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_embargo_is_a_fault_on_every_screen_and_can_be_extended() {
    let lab = Lab::start();
    let operator = Operator::new(&lab, "expired");
    let file = operator.workflows.join("gigadb.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("expires: 12h", "expires: 1s")).unwrap();
    walk_to(&operator, Phase::Embargo).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    let faults = || {
        let glance = app::glance(&operator.settings("reader"), &operator.system).unwrap();
        let look = glance.look();
        (view::status(&look).faults, view::run(&look, None).unwrap().faults)
    };
    let (status, run) = faults();
    assert!(
        status.iter().any(|it| it.contains("the embargo on hk should have been lifted")),
        "{status:?}"
    );
    assert_eq!(run.len(), 1, "{run:?}");
    assert_eq!(write(&operator, "hk", "expired"), "503", "an expiry lifts nothing");
    let extend = |seconds| Command::Extend { site: None, until: None, seconds: Some(seconds) };
    operator.order("engineer-a", extend(3_600)).await.unwrap();
    assert_eq!(faults(), (vec![], vec![]));
    let fault = operator.order("engineer-a", extend(60)).await.unwrap_err();
    assert_eq!(fault.exit(), Exit::Usage, "{fault}");
    operator.order("engineer-a", Command::Abort).await.unwrap();
    let fault = operator.order("engineer-a", extend(60)).await.unwrap_err();
    assert_eq!(fault.code.id, "E2032", "{fault}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_is_given_up_by_an_act_only() {
    let lab = Lab::start();
    let operator = Operator::new(&lab, "kept");
    walk_to(&operator, Phase::Backup).await;
    let name = operator.life().record.copies.keys().next().unwrap().clone();
    let give_up = |copy: &str| Command::GiveUp { copy: copy.to_owned() };
    assert!(said(&operator, give_up("nothing")).await.contains("E2032"));
    operator.order("engineer-a", give_up(&name)).await.unwrap();
    assert!(!operator.life().record.copies.contains_key(&name));
    assert!(operator.last_lines().contains("practice"), "the reason is in the line");
}
