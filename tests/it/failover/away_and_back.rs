//! Failover, rejoin, switchover back: the system ends where it began.

use changeover::conductor::{Command, MayLose};
use changeover::fault::Exit;
use changeover::machine::{FenceEnd, Owed, State};
use changeover::model::{Phase, SiteName};
use serde_json::Value;

use super::{failover, kill, plan, raise, to_the_end, users_are_on};
use crate::practice::{Lab, Operator};

fn crontabs(world: &Value) -> String {
    ["gigadb-hk-bastion", "gigadb-sydney-bastion"]
        .iter()
        .map(|host| format!("{host}:\n{}\n", world["hosts"][host]["crontab"]))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn production_dies_users_move_and_everything_comes_back() {
    let lab = Lab::start();
    let operator = Operator::new(&lab, "away");
    // A release first: then the standby answers as production would, and its copy has an age.
    operator.release("v4.3.4", "sydney").await;
    let before = lab.world();
    let loss = MayLose::Seconds(3_600);

    // What is seen and what it costs, with nothing changed.
    kill(&lab, "sydney", "ap-southeast-2");
    let written = operator.life().record.now;
    let shown = operator.dry("engineer-a", failover("hk", loss)).await.unwrap();
    let preview = plan(&shown);
    assert_eq!(preview.diagnosis.name(), "production_dead", "{preview:?}");
    assert_eq!((preview.refused.as_ref(), preview.fence_first), (None, false), "{preview:?}");
    let kinds: std::collections::BTreeSet<_> = preview.witnesses.iter().map(|it| it.seer).collect();
    assert!(kinds.len() >= 3, "{kinds:?}");
    assert_eq!(operator.life().record.now, written, "a dry run writes nothing");

    // One command moves users.
    let reply = operator.order("engineer-a", failover("hk", loss)).await;
    let reply = reply.unwrap_or_else(|fault| panic!("{fault}\n{}", operator.last_lines()));
    assert_eq!(reply.exit, Exit::Done, "{reply:?}\n{}", operator.last_lines());
    assert!(matches!(reply.state, State::Ready { at } if at.phase == Phase::Soak), "{reply:?}");
    users_are_on(&operator, &lab, "hk");
    let life = operator.life();
    assert_eq!(life.record.quarantined, Some("sydney".into()));
    let incident = life.record.incident.as_ref().unwrap();
    assert_eq!(incident.consent.diagnosis, "production_dead");
    let fence: Vec<_> = incident.fence.iter().map(|(part, it)| (part.as_str(), it.how)).collect();
    assert!(fence.contains(&("f-backup", FenceEnd::NotReachable)), "{fence:?}");
    let owes = |part: &str| {
        let (part, site) = (part.into(), SiteName::from("sydney"));
        operator.life().record.owed.contains(&Owed::Fence { part, site })
    };
    assert!(owes("f-backup"), "what is not fenced is owed");

    // It is the new production that is backed up from now on; the lost site is not fenced yet.
    to_the_end(&operator, "hk").await;
    let world = lab.world();
    assert!(world["hosts"]["gigadb-hk-bastion"]["crontab"].to_string().contains("s3backup"));
    let early = operator.order("engineer-a", rejoin()).await.unwrap_err();
    assert_eq!((early.code.id, early.exit()), ("E2060", Exit::Refused), "{early}");

    // The old site comes back with its cron still there: fenced first, then rebuilt.
    raise(&lab, "sydney");
    assert!(
        lab.world()["hosts"]["gigadb-sydney-bastion"]["crontab"].to_string().contains("s3backup")
    );
    operator.order("engineer-a", rejoin()).await.unwrap();
    assert!(!owes("f-backup"));
    assert!(
        !lab.world()["hosts"]["gigadb-sydney-bastion"]["crontab"].to_string().contains("s3backup")
    );
    to_the_end(&operator, "hk").await;
    let life = operator.life();
    assert_eq!((life.state, life.record.quarantined.clone()), (State::Steady, None));
    assert!(life.record.owed.is_empty(), "{:?}", life.record.owed);
    let databases = &lab.world()["databases"];
    assert!(life.record.loads[&SiteName::from("sydney")].whole, "{databases}");

    // Home again: a planned switch, with a reason so soon after.
    let back = |acknowledge: Option<&str>| Command::Failback {
        auto: false,
        waive: vec!["windows".into()],
        acknowledge: acknowledge.map(str::to_owned),
    };
    let soon = operator.order("engineer-a", back(None)).await.unwrap_err();
    assert_eq!((soon.code.id, soon.exit()), ("E2064", Exit::Refused), "{soon}");
    operator.order("engineer-a", back(Some("power is back"))).await.unwrap();
    to_the_end(&operator, "sydney").await;
    users_are_on(&operator, &lab, "sydney");
    let after = lab.world();
    assert_eq!(crontabs(&after), crontabs(&before));
    assert_eq!(sorted(&after["records"]), sorted(&before["records"]));
    let life = operator.life();
    assert!(life.record.owed.is_empty() && life.record.quarantined.is_none());
    let databases = |world: &Value| {
        let held = |site: &str, what: &str| {
            let held = &world["databases"][site][what];
            assert!(!held.is_null(), "{what} of {site}: {}", world["databases"]);
            held.to_string()
        };
        ["hk", "sydney"].map(|site| ["datasets", "files", "digest"].map(|what| held(site, what)))
    };
    let [hk, sydney] = databases(&after);
    assert_eq!(hk, sydney, "both hold the same");
    assert_eq!([hk, sydney], databases(&before), "and what they held before");
    let found = life.record.incident.unwrap().found.unwrap();
    assert!(found.ends_with(", 0 lost"), "{found}");
}

fn rejoin() -> Command {
    Command::Rejoin { auto: false, waive: vec!["windows".into()] }
}

/// The address records, whatever their comments and marks.
fn sorted(records: &Value) -> Vec<String> {
    fn all(value: &Value, into: &mut Vec<String>) {
        match value {
            Value::Object(map) if map.get("type").is_some_and(|it| it == "A") => {
                into.push(format!("{} {}", map["name"], map["content"]));
            }
            Value::Object(map) => map.values().for_each(|it| all(it, into)),
            Value::Array(items) => items.iter().for_each(|it| all(it, into)),
            _ => (),
        }
    }
    let mut found = vec![];
    all(records, &mut found);
    found.sort();
    assert!(!found.is_empty(), "{records}");
    found
}
