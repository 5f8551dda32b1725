//! A failover from an armed plan: nothing is looked up before the lever, the marks refuse what is too old.

use std::process::Command as Process;
use std::time::Instant;

use changeover::app;
use changeover::conductor::{Command, GivenUp, MayLose, Reply};
use changeover::fault::Exit;
use changeover::machine::{Body, Fact, Owed, State};
use changeover::model::{Kind, Phase};
use serde_json::{Value, json};

use super::{failover, kill, users_are_on, written};
use crate::practice::{Lab, Operator, last_call};

pub(super) const LOSS: MayLose = MayLose::Seconds(3_600);

pub(super) fn confirmed(shown: &Reply) -> Command {
    let plan = Some(shown.plan.as_ref().unwrap().digest.short());
    let (confirm, accept_data_loss) = (Some("hk".into()), Some(LOSS));
    Command::Failover(GivenUp {
        plan,
        confirm,
        accept_data_loss,
        armed: true,
        ..GivenUp::default()
    })
}

/// The requests since this one up to the last batch, and those that are batches.
fn before_the_lever(lab: &Lab, since: u64) -> (Vec<Value>, usize) {
    let mut calls = super::asked(lab, since, "");
    let batch = |it: &Value| it["path"].to_string().contains("/batch");
    let last = calls.iter().rposition(batch).expect("a batch was sent");
    calls.truncate(last + 1);
    let batches = calls.iter().filter(|it| batch(it)).count();
    (calls.into_iter().filter(|it| !batch(it)).collect(), batches)
}

/// Nothing of this region and of this site's machine answers at all: requests hang.
fn black_hole(lab: &Lab, site: &str) {
    lab.post("/_lab/set", &json!({ "sites": { site: { "dead": true } } }));
    let hang = |service: &str, place: Option<String>| {
        let mut rule = json!({
            "service": service, "action": "timeout_before", "times": 100_000, "hold_s": 20.0,
        });
        if let Some(place) = place {
            rule["place"] = place.into();
        }
        lab.post("/_lab/faults", &rule);
    };
    hang("aws", None);
    hang("host", Some(format!("gigadb-{site}-bastion")));
}

/// As a second conductor with the same journal would: the number that the armed plan needs is taken.
fn post_next_marks(operator: &Operator) {
    let text = std::fs::read_to_string(operator.state.join("gigadb/armed.json")).unwrap();
    let armed: Value = serde_json::from_str(text.split_once('\n').unwrap().1).unwrap();
    let zones = armed["zones"].as_array().unwrap();
    assert_eq!(zones.len(), 2);
    for zone in zones {
        let (base, id) = (&operator.env["CLOUDFLARE_BASE_URL"], zone["id"].as_str().unwrap());
        let comment = format!(
            "changeover gigadb journal {} forth epoch 9 release 9",
            text_of(&armed["journal"])
        );
        let body = json!({
            "type": "TXT", "name": format!("_changeover-gigadb.{}", text_of(&zone["name"])),
            "content": format!("e={}", zone["mark"].as_u64().unwrap() + 1), "ttl": 60, "comment": comment,
        });
        let out = Process::new("curl")
            .args(["-sS", "--fail-with-body", "-H", "content-type: application/json", "-H"])
            .arg(format!("authorization: Bearer {}", operator.env["CLOUDFLARE_API_TOKEN"]))
            .args(["-d", &body.to_string(), &format!("{base}/zones/{id}/dns_records")])
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
    }
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn armed_it_asks_nobody_before_the_lever_though_the_lost_region_hangs() {
    let lab = Lab::start();
    let operator = Operator::new(&lab, "armed");
    operator.release("v4.3.4", "sydney").await;
    let glance = || app::glance(&operator.settings("reader"), &operator.system).unwrap();
    let view = glance().armed.unwrap();
    assert!(!view.armed && view.says.starts_with("not armed"), "{view:?}");

    // A dry run keeps nothing; arming changes nothing outside.
    let (before, began) = (lab.applied(), Instant::now());
    let dry = operator.dry("engineer-a", Command::Arm).await.unwrap();
    assert_eq!(dry.exit, Exit::Done, "{dry:?}");
    assert!(glance().armed.unwrap().plan.is_none());
    let reply = operator.order("engineer-a", Command::Arm).await.unwrap();
    assert!(
        reply.sentence.starts_with("a failover from sydney to hk is armed: plan "),
        "{reply:?}"
    );
    assert!(reply.sentence.contains("runbook.md") && reply.next.contains("failover --dry-run"));
    assert_eq!(lab.applied(), before);
    let view = glance().armed.unwrap();
    assert!(view.armed && view.says.starts_with("armed "), "{view:?}");
    let file = operator.state.join("gigadb/armed.json");
    let text = std::fs::read_to_string(&file).unwrap();
    let token = &operator.env["CLOUDFLARE_API_TOKEN"];
    assert!(text.contains("gigadb.org") && !text.contains(token.as_str()));

    black_hole(&lab, "sydney");
    let shown = operator.dry("engineer-a", failover("hk", LOSS)).await.unwrap();
    assert_eq!(super::plan(&shown).armed.plan, view.plan, "{shown:?}");
    let since = last_call(&lab);
    let reply = operator.order("engineer-a", confirmed(&shown)).await;
    let reply = reply.unwrap_or_else(|fault| panic!("{fault}\n{}", operator.last_lines()));
    assert!(matches!(reply.state, State::Ready { at } if at.phase == Phase::Soak), "{reply:?}");
    users_are_on(&operator, &lab, "hk");
    let (asked, batches) = before_the_lever(&lab, since);
    assert_eq!(batches, 2, "one batch a zone");
    // One look at both, then for each one call that takes it out and looks.
    let ssh = asked.iter().filter(|it| it["method"] == "SSH").count();
    assert_eq!(ssh, 3, "two jobs were on: {asked:?}");
    assert_eq!(format!("{:?}", operator.life().record.owed).matches("Job").count(), 2);
    let strange = |it: &&Value| {
        it["service"] != "host" || !it["path"].to_string().contains("gigadb-hk-bastion")
    };
    let strange: Vec<&Value> = asked.iter().filter(strange).collect();
    assert!(strange.is_empty(), "only the standby's own host is asked: {strange:?}");

    // The journal says that it was armed, how old that was, and has the intent before the effect.
    let lines = glance().lines;
    let consents = lines.iter().filter_map(|line| match &line.body {
        Body::Decided { facts, .. } => facts.iter().find_map(|it| match it {
            Fact::Consented { consent } => consent.armed.clone(),
            _ => None,
        }),
        Body::Note { .. } | Body::Intent(_) | Body::Refused { .. } => None,
    });
    let armed: Vec<_> = consents.collect();
    assert_eq!(armed.len(), 1);
    assert_eq!(Some(armed[0].plan), view.plan);
    let since = i64::try_from(began.elapsed().as_secs()).unwrap();
    assert!((0..=since).contains(&armed[0].age), "{armed:?}");
    app::verify(&operator.settings("reader"), &operator.system).unwrap();
    // Used once: what was armed is of another epoch now.
    let fault = operator.order("engineer-a", Command::Arm).await.unwrap_err();
    assert_eq!(fault.code.id, "E2001", "{fault}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_that_are_off_already_are_seen_so_at_one_look() {
    let lab = Lab::start();
    let operator = Operator::new(&lab, "off");
    operator.release("v4.3.4", "sydney").await;
    let cleared = Process::new(&operator.env["CHANGEOVER_SSH"])
        .args(["gigadb-hk-bastion", "crontab -"])
        .envs(&operator.env)
        .stdin(std::process::Stdio::null())
        .status();
    assert!(cleared.unwrap().success());
    operator.order("engineer-a", Command::Arm).await.unwrap();
    kill(&lab, "sydney", "ap-southeast-2");
    let shown = operator.dry("engineer-a", failover("hk", LOSS)).await.unwrap();
    assert!(operator.state.join("gigadb/ready.json").exists());
    let since = last_call(&lab);
    let reply = operator.order("engineer-a", confirmed(&shown)).await;
    reply.unwrap_or_else(|fault| panic!("{fault}\n{}", operator.last_lines()));
    users_are_on(&operator, &lab, "hk");
    let (asked, batches) = before_the_lever(&lab, since);
    let looks = asked.iter().filter(|it| it["method"] == "SSH").count();
    assert_eq!((looks, batches), (1, 2), "{asked:?}");
    // Nothing is owed of jobs that it found off.
    let owed = operator.life().record.owed;
    assert!(!owed.iter().any(|it| matches!(it, Owed::Job { .. })), "{owed:?}");
    app::verify(&operator.settings("reader"), &operator.system).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_switch_itself_refuses_a_plan_that_somebody_overtook() {
    let lab = Lab::start();
    let operator = Operator::new(&lab, "overtaken");
    operator.release("v4.3.4", "sydney").await;

    // Not armed: it works, slower, and says so; demanded, it is refused.
    kill(&lab, "sydney", "ap-southeast-2");
    let shown = operator.dry("engineer-a", failover("hk", LOSS)).await.unwrap();
    let said = &shown.plan.as_ref().unwrap().sentence;
    assert!(said.contains("slower") && said.contains("not armed"), "{said}");
    let fault = operator.order("engineer-a", confirmed(&shown)).await.unwrap_err();
    assert_eq!((fault.code.id, fault.exit()), ("E2066", Exit::Refused), "{fault}");
    super::raise(&lab, "sydney");

    // What fails is not armed.
    lab.post("/_lab/set", &json!({ "sites": { "hk": { "dead": true } } }));
    let fault = operator.order("engineer-a", Command::Arm).await.unwrap_err();
    assert_eq!((fault.code.id, fault.exit()), ("E2065", Exit::Refused), "{fault}");
    super::raise(&lab, "hk");
    operator.order("engineer-a", Command::Arm).await.unwrap();

    kill(&lab, "sydney", "ap-southeast-2");
    let shown = operator.dry("engineer-a", failover("hk", LOSS)).await.unwrap();
    // Between the plan and the command another Changeover posts the next mark in both zones.
    post_next_marks(&operator);
    let before = lab.world()["records"].clone();
    let reply = operator.order("engineer-a", confirmed(&shown)).await.unwrap();
    assert!(
        matches!(reply.state, State::Halted { at, .. } if at.phase == Phase::Swap),
        "{reply:?}"
    );
    assert!(matches!(reply.exit, Exit::Failed | Exit::Conflict), "{reply:?}");
    assert_eq!(lab.world()["records"], before, "nothing moved");
    assert!(!reply.next.is_empty() && operator.last_lines().contains("E3104"), "{reply:?}");
    // The way on: look again.
    let reply = operator.order("engineer-a", Command::Retry).await.unwrap();
    assert!(matches!(reply.state, State::Ready { at } if at.phase == Phase::Soak), "{reply:?}");
    users_are_on(&operator, &lab, "hk");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_confirm_one_armed_plan_one_moves_users() {
    let lab = Lab::start();
    let operator = Operator::new(&lab, "two");
    operator.release("v4.3.4", "sydney").await;
    operator.order("engineer-a", Command::Arm).await.unwrap();
    kill(&lab, "sydney", "ap-southeast-2");
    let shown = operator.dry("engineer-a", failover("hk", LOSS)).await.unwrap();
    let since = last_call(&lab);
    let (one, two) = tokio::join!(
        operator.order("engineer-a", confirmed(&shown)),
        operator.order("engineer-b", confirmed(&shown)),
    );
    let said = format!("{one:?}\n{two:?}");
    let lost: Vec<_> = [&one, &two].into_iter().filter_map(|it| it.as_ref().err()).collect();
    assert_eq!(lost.len(), 1, "{said}");
    assert_eq!(before_the_lever(&lab, since).1, 2, "{said}");
    let life = operator.life();
    assert!(matches!(life.state, State::Ready { at } if at.kind == Kind::Failover), "{said}");
    users_are_on(&operator, &lab, "hk");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_journals_disk_dead_it_goes_on_elsewhere_and_is_joined() {
    let lab = Lab::start();
    let operator = Operator::new(&lab, "dead");
    operator.release("v4.3.4", "sydney").await;
    operator.order("engineer-a", Command::Arm).await.unwrap();
    kill(&lab, "sydney", "ap-southeast-2");
    // Nothing of it is opened for writing any more.
    let before = written(&operator.state);
    let other = lab.dir.path().join("other disk");
    let settings = app::elsewhere(&operator.settings("engineer-a"), None, other.clone()).unwrap();
    let there = Operator { state: settings.state, ..Operator::new(&lab, "dead too") };
    let there = Operator { workflows: operator.workflows.clone(), ..there };
    let shown = there.dry("engineer-a", failover("hk", LOSS)).await.unwrap();
    let reply = there.order("engineer-a", confirmed(&shown)).await;
    let reply = reply.unwrap_or_else(|fault| panic!("{fault}\n{}", there.last_lines()));
    assert!(matches!(reply.state, State::Ready { at } if at.phase == Phase::Soak), "{reply:?}");
    users_are_on(&there, &lab, "hk");
    assert_eq!(written(&operator.state), before);

    // The disk is back.
    let home = operator.settings("engineer-a");
    let says = app::join(&home, &operator.system, &other, "a new disk".to_owned()).unwrap();
    assert!(says.contains("lines written in"), "{says}");
    app::verify(&home, &operator.system).unwrap();
    operator.order("engineer-a", Command::Accept).await.unwrap();
    // Joined twice, or gone on in both: refused.
    let fault = app::join(&home, &operator.system, &other, "again".to_owned()).unwrap_err();
    assert_eq!((fault.code.id, fault.exit()), ("E4012", Exit::Conflict), "{fault}");
}
