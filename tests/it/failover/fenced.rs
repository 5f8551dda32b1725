//! The lost site's machines answer: it is fenced before users are moved, and stays so until it is rebuilt.

use changeover::app;
use changeover::conductor::{Command, MayLose};
use changeover::fault::Exit;
use changeover::machine::{Body, Fact, FenceEnd, State};
use changeover::model::{Phase, SiteName};
use changeover::port::Line;
use changeover::view;
use serde_json::json;

use super::{failover, plan, to_the_end, users_are_on};
use crate::practice::{Lab, Operator};

fn facts(line: &Line) -> &[Fact] {
    match &line.body {
        Body::Decided { facts, .. } | Body::Note { facts, .. } => facts,
        Body::Intent(_) | Body::Refused { .. } => &[],
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_that_may_still_serve_is_fenced_before_users_are_moved() {
    let lab = Lab::start();
    let operator = Operator::new(&lab, "fenced");
    // A witness from elsewhere: it says what stands in a file.
    let says = lab.dir.path().join("elsewhere.json");
    let heard = |text: &str| {
        std::fs::write(&says, json!({ "says": text, "text": "seen there" }).to_string())
    };
    let file = operator.workflows.join("gigadb.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let witness = format!(
        "  witnesses:\n    - {{ id: cafe, command: [cat, \"{}\"] }}\n  target: 15m\n",
        says.display()
    );
    let more = text.replacen("  target: 15m\n", &witness, 1);
    assert_ne!(text, more);
    std::fs::write(&file, more).unwrap();
    operator.release("v4.3.4", "sydney").await;
    let loss = MayLose::Seconds(3_600);

    // From here it is down; from elsewhere it is not; then nobody sees it serve, but its machine answers.
    lab.post("/_lab/set", &json!({ "sites": { "sydney": { "dead": true } } }));
    heard("up").unwrap();
    let seen = operator.dry("engineer-a", failover("hk", loss)).await.unwrap();
    assert_eq!(plan(&seen).diagnosis.name(), "unreachable_but_serving", "{:?}", plan(&seen));
    heard("down").unwrap();
    let seen = operator.dry("engineer-a", failover("hk", loss)).await.unwrap();
    let preview = plan(&seen);
    assert_eq!(preview.diagnosis.name(), "partition_suspected", "{preview:?}");
    assert!(preview.fence_first && preview.loss_seconds.is_some(), "{preview:?}");

    let reply = operator.order("engineer-a", failover("hk", loss)).await;
    let reply = reply.unwrap_or_else(|fault| panic!("{fault}\n{}", operator.last_lines()));
    assert_eq!(reply.exit, Exit::Done, "{reply:?}\n{}", operator.last_lines());
    assert!(matches!(reply.state, State::Ready { at } if at.phase == Phase::Soak), "{reply:?}");
    users_are_on(&operator, &lab, "hk");
    let record = operator.life().record;
    let incident = record.incident.clone().unwrap();
    let fence: Vec<_> = incident.fence.iter().map(|(part, it)| (part.as_str(), it.how)).collect();
    assert_eq!(fence, ["f-backup", "f-embargo", "f-stop"].map(|it| (it, FenceEnd::Done)));
    assert!(record.unfenced().is_empty());
    assert!(record.embargoes.contains_key(&SiteName::from("sydney")));
    let world = lab.world();
    assert!(!world["hosts"]["gigadb-sydney-bastion"]["crontab"].to_string().contains("s3backup"));
    assert_eq!(world["sites"]["sydney"]["stopped"], true, "{}", world["sites"]);

    // In the journal the fence comes before the lever, and the time it took is told by its lines.
    let glance = app::glance(&operator.settings("reader"), &operator.system).unwrap();
    let mut last = glance.lines.iter();
    let fenced =
        last.rposition(|line| facts(line).iter().any(|it| matches!(it, Fact::Fenced { .. })));
    let mut last = glance.lines.iter();
    let lever = last.rposition(|it| matches!(&it.body, Body::Intent(it) if it.action == "switch"));
    assert!(fenced.unwrap() < lever.unwrap());
    let rto = view::rto(&glance.lines, None, Some(900)).unwrap();
    let parts = [rto.approve, rto.execute, rto.propagate, rto.verify];
    let sum: u64 = parts.iter().map(|it| it.unwrap()).sum();
    assert!(rto.whole.unwrap().abs_diff(sum) <= 4, "{rto:?}");
    assert!(rto.says().contains("of 15m aimed at (met)"), "{}", rto.says());

    // The page of the site comes up again only when it is rebuilt.
    lab.post("/_lab/set", &json!({ "sites": { "sydney": { "dead": false } } }));
    to_the_end(&operator, "hk").await;
    assert_eq!(lab.world()["sites"]["sydney"]["stopped"], true);
    let rejoin = Command::Rejoin { auto: true, waive: vec!["windows".into()] };
    operator.order("engineer-a", rejoin).await.unwrap();
    let life = operator.life();
    assert_eq!(life.state, State::Steady, "{}", operator.last_lines());
    assert!(
        life.record.owed.is_empty() && life.record.embargoes.is_empty(),
        "{:?}",
        life.record.owed
    );
    assert_eq!(lab.world()["sites"]["sydney"]["stopped"], false);
}
