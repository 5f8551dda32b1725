//! The site that users were brought to dies before the failover was accepted.

use changeover::app;
use changeover::conductor::{Command, GivenUp, MayLose, Preview};
use changeover::fault::Exit;
use changeover::machine::State;
use changeover::model::Phase;

use super::holds::PARTS;
use super::{failover, kill, plan, raise, to_the_end, users_are_on};
use crate::practice::{Lab, Operator};

const LOSS: MayLose = MayLose::Seconds(3_600);

fn acknowledged(to: &str) -> Command {
    let Command::Failover(it) = failover(to, LOSS) else { unreachable!() };
    Command::Failover(GivenUp { acknowledge: Some("hk burns as well".to_owned()), ..it })
}

fn soaks(operator: &Operator) -> bool {
    matches!(operator.life().state, State::Ready { at } if at.phase == Phase::Soak)
}

fn screen(operator: &Operator) -> String {
    let out = operator.program().arg("status").output().unwrap();
    String::from_utf8(out.stdout).unwrap()
}

/// The parts of the fence that are not done, all of them on this site.
fn owes_the_fence_of(operator: &Operator, site: &str) {
    let unfenced = operator.life().record.unfenced();
    let parts: Vec<&str> = unfenced.iter().map(|(part, _)| part.as_str()).collect();
    assert_eq!(parts, PARTS);
    assert!(unfenced.iter().all(|(_, it)| it.as_str() == site), "{unfenced:?}");
    let text = screen(operator);
    assert!(text.contains(&format!("{site} may still act")), "{text}");
    assert!(PARTS.iter().all(|it| text.contains(it)), "{text}");
}

/// Nobody is told to go on with a site that does not serve.
fn nowhere_to_go(preview: &Preview) {
    assert_eq!(preview.diagnosis.name(), "standby_not_ready", "{preview:?}");
    let refused = preview.refused.as_deref().unwrap();
    assert_eq!(refused, "bring the standby up first: there is nowhere to go");
}

/// Users are on hk, sydney is lost, and nothing is accepted yet.
async fn soaking(lab: &Lab, name: &str) -> Operator {
    let operator = Operator::new(lab, name);
    operator.release("v4.3.4", "sydney").await;
    kill(lab, "sydney", "ap-southeast-2");
    operator.order("engineer-a", failover("hk", LOSS)).await.unwrap();
    assert!(soaks(&operator));
    operator
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_new_production_dies_in_the_soak_and_the_way_on_is_named() {
    let lab = Lab::start();
    let operator = soaking(&lab, "again").await;
    kill(&lab, "hk", "ap-east-1");

    // Both are gone. Nothing moves by itself, and no reason moves users to where nothing answers.
    let (records, applied) = (lab.world()["records"].clone(), lab.applied());
    let written = operator.life().record.now;
    owes_the_fence_of(&operator, "sydney");
    app::drift(&operator.settings("reader"), &operator.system, None).await.unwrap();
    for command in [failover("sydney", LOSS), acknowledged("sydney")] {
        let shown = operator.dry("engineer-a", command).await.unwrap();
        let preview = plan(&shown);
        nowhere_to_go(preview);
    }
    assert_eq!(operator.life().record.now, written, "looking writes nothing");
    let fault = operator.order("engineer-a", acknowledged("sydney")).await.unwrap_err();
    assert_eq!((fault.code.id, fault.exit()), ("E2062", Exit::Refused), "{fault}");
    assert_eq!((lab.world()["records"].clone(), lab.applied()), (records.clone(), applied.clone()));

    // The site that was lost first is back, as it was. It is quarantined: a reason is wanted, and named.
    raise(&lab, "sydney");
    kill(&lab, "hk", "ap-east-1");
    let shown = operator.dry("engineer-a", failover("sydney", LOSS)).await.unwrap();
    let preview = plan(&shown);
    assert_eq!((preview.diagnosis.name(), &preview.refused), ("production_dead", &None));
    let asks = |part: &str| preview.asked.iter().any(|it| it.contains(part));
    assert!(asks("failed over") && asks("sydney is quarantined"), "{:?}", preview.asked);
    assert!(preview.command.ends_with("--acknowledge REASON"), "{}", preview.command);
    let fault = operator.order("engineer-a", failover("sydney", LOSS)).await.unwrap_err();
    assert_eq!((fault.code.id, fault.exit()), ("E2064", Exit::Refused), "{fault}");
    assert!(fault.hint.as_ref().is_some_and(|it| it.contains("--acknowledge")), "{fault:?}");
    assert!(soaks(&operator));
    assert_eq!((lab.world()["records"].clone(), lab.applied()), (records, applied));
    owes_the_fence_of(&operator, "sydney");

    // What it asks for is enough. Whoever serves users is not fenced; the site lost now is owed its fence.
    let reply = operator.order("engineer-a", acknowledged("sydney")).await;
    let reply = reply.unwrap_or_else(|fault| panic!("{fault}\n{}", operator.last_lines()));
    assert_eq!(reply.exit, Exit::Done, "{reply:?}\n{}", operator.last_lines());
    assert!(soaks(&operator), "{reply:?}");
    users_are_on(&operator, &lab, "sydney");
    assert_eq!(operator.life().record.quarantined, Some("hk".into()));
    owes_the_fence_of(&operator, "hk");
    to_the_end(&operator, "sydney").await;
    raise(&lab, "hk");
    operator.order("engineer-a", Command::Retry).await.unwrap();
    let rejoin = Command::Rejoin { auto: true, waive: vec!["windows".into()] };
    operator.order("engineer-a", rejoin).await.unwrap();
    let life = operator.life();
    assert_eq!((life.state, life.record.quarantined), (State::Steady, None));
    assert!(
        life.record.owed.is_empty() && life.record.intents.is_empty(),
        "{:?}",
        life.record.owed
    );
    app::verify(&operator.settings("reader"), &operator.system).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_new_production_dies_when_the_lost_site_was_stopped_by_the_fence() {
    let lab = Lab::start();
    let operator = soaking(&lab, "stopped").await;
    raise(&lab, "sydney");
    operator.order("engineer-a", Command::Retry).await.unwrap();
    assert!(operator.life().record.unfenced().is_empty());
    assert_eq!(lab.world()["sites"]["sydney"]["stopped"], true);
    kill(&lab, "hk", "ap-east-1");
    let records = lab.world()["records"].clone();
    let shown = operator.dry("engineer-a", acknowledged("sydney")).await.unwrap();
    let preview = plan(&shown);
    nowhere_to_go(preview);
    let fault = operator.order("engineer-a", acknowledged("sydney")).await.unwrap_err();
    assert_eq!((fault.code.id, fault.exit()), ("E2062", Exit::Refused), "{fault}");
    assert_eq!(lab.world()["records"], records);
    assert!(soaks(&operator));

    // What died comes back: the failover goes on from where it stood.
    raise(&lab, "hk");
    to_the_end(&operator, "hk").await;
    users_are_on(&operator, &lab, "hk");
    assert!(operator.life().record.intents.is_empty());
}
