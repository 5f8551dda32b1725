//! Commands refuse while the switch and the journal disagree; adopting, or mending by hand, lets them go on.

use changeover::conductor::Command;
use changeover::fault::Exit;
use changeover::machine::State;
use changeover::model::{Phase, SiteName};

use super::act::{Hands, adopt, initialised, look, names};
use crate::practice::{Lab, Operator};

fn start() -> Command {
    let waive = vec!["windows".into()];
    Command::Start { version: "v4.3.4".to_owned(), auto: false, confirm: None, waive }
}

fn next() -> Command {
    Command::Next { auto: false, confirm: None, waive: vec![] }
}

async fn refused(operator: &Operator, command: Command) {
    let shown = format!("{command:?}");
    let fault = operator.order("engineer-a", command).await.unwrap_err();
    assert_eq!(fault.code.id, "E2040", "{shown}: {fault}");
    assert!(fault.to_string().contains("production ≠ journal"), "{shown}: {fault}");
    assert!(fault.hint.as_ref().unwrap().contains("changeover drift"), "{shown}: {fault}");
}

async fn production(operator: &Operator, site: &str) {
    assert_eq!(operator.life().record.production(), Some(&SiteName::from(site)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_moved_switch_stops_a_start_until_it_is_adopted() {
    let lab = Lab::start();
    let hands = Hands(&lab);
    let operator = initialised(&lab, "moved").await;
    hands.move_all(&operator, "sydney");
    let seen = look(&operator).await;
    assert_eq!(names(&seen)[0], "production-not-journal", "{:#?}", seen.report);
    assert!(names(&seen).contains(&"sync-backwards"), "{:#?}", seen.report);
    refused(&operator, start()).await;
    let wrong =
        operator.order("engineer-a", Command::DriftAdopt { confirm: Some("hk".into()) }).await;
    assert_eq!(wrong.unwrap_err().exit(), Exit::Usage);
    production(&operator, "hk").await;
    adopt(&operator, "sydney").await;
    production(&operator, "sydney").await;
    assert!(!names(&look(&operator).await).contains(&"production-not-journal"));
    // Marks are gone and come again under the next number.
    hands.delete("gigadb.org", "_changeover-gigadb.gigadb.org");
    assert!(names(&look(&operator).await).contains(&"missing-mark"));
    adopt(&operator, "sydney").await;
    let mark = hands.record("gigadb.org", "_changeover-gigadb.gigadb.org").unwrap();
    assert!(mark["content"].as_str().unwrap().contains("e=2"), "{mark}");
    assert!(!names(&look(&operator).await).contains(&"missing-mark"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_half_moved_switch_is_not_adopted() {
    let lab = Lab::start();
    let hands = Hands(&lab);
    let operator = initialised(&lab, "half").await;
    let own = operator.life().record.addresses;
    hands.lead("gigadb.org", &own[&"sydney".into()]["web"]);
    let fault =
        operator.order("engineer-a", Command::DriftAdopt { confirm: Some("sydney".into()) });
    let fault = fault.await.unwrap_err();
    assert_eq!((fault.code.id, fault.exit()), ("E2041", Exit::Refused));
    assert!(fault.to_string().contains("two writers"), "{fault}");
    refused(&operator, start()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_moved_by_hand_in_a_run_leave_a_way_to_steady() {
    let lab = Lab::start();
    let hands = Hands(&lab);
    let operator = initialised(&lab, "run").await;
    operator.order("engineer-a", start()).await.unwrap();
    operator.order("engineer-a", next()).await.unwrap();
    let at = operator.life().state.at().unwrap();
    assert_eq!(at.phase, Phase::Deploy);
    hands.move_all(&operator, "sydney");
    refused(&operator, next()).await;
    refused(&operator, Command::Abort).await;
    adopt(&operator, "sydney").await;
    // Forth is no way any more: the release lies on what is production now.
    let fault = operator.order("engineer-a", next()).await.unwrap_err();
    assert!(fault.code.id == "E2040" && fault.hint.unwrap().contains("abort"));
    // Giving up closes around the site that is production now: the other one is renewed from it.
    let mut reply = operator.order("engineer-a", Command::Abort).await.unwrap();
    for _ in 0..3 {
        if matches!(reply.state, State::Halted { .. }) {
            reply = operator.order("engineer-a", Command::Retry).await.unwrap();
        }
    }
    assert_eq!(reply.state, State::Steady, "{reply:?}\n{}", operator.last_lines());
    production(&operator, "sydney").await;
    let world = lab.world();
    assert_eq!(world["databases"]["sydney"]["drops"], 0, "production was never dropped");
    let after = look(&operator).await;
    let left: Vec<&str> = names(&after).into_iter().filter(|it| !it.starts_with("job")).collect();
    assert!(left.is_empty(), "{:#?}", after.report.differences);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_swap_is_named_and_a_move_ended_by_hand_is_adopted() {
    let lab = Lab::start();
    let hands = Hands(&lab);
    let operator = initialised(&lab, "halted").await;
    for _ in 0..40 {
        if changeover::view::target(&operator.life(), false).is_some() {
            break;
        }
        let (who, command) = operator.turn("v4.3.4", "sydney").unwrap();
        operator.order(who, command).await.unwrap();
    }
    let body = "_changeover-gigadb.gigadb.host";
    let rule = serde_json::json!({
        "service": "cloudflare", "method": "POST", "path": "/batch", "action": "status:400",
        "body_contains": body,
    });
    lab.post("/_lab/faults", &rule);
    let swap = Command::Next { auto: false, confirm: Some("sydney".into()), waive: vec![] };
    let reply = operator.order("engineer-a", swap).await.unwrap();
    assert_eq!(reply.code.as_deref(), Some("E2017"), "{reply:?}");
    let seen = look(&operator).await;
    let half = seen.report.differences.iter().find(|it| it.name.slug() == "half-a-swap").unwrap();
    assert_eq!(half.command.as_deref(), Some("changeover run retry"), "{half:?}");
    assert!(half.settle.contains("release rollback --confirm hk"), "{half:?}");
    let refused =
        operator.order("engineer-a", Command::DriftAdopt { confirm: Some("sydney".into()) });
    assert_eq!(refused.await.unwrap_err().code.id, "E2041");
    // As an embargo does that is enforced.
    hands.writes("hk", false);
    hands.writes("sydney", false);
    // People end the move by hand; the journal still says that users are on their way.
    hands.move_all(&operator, "sydney");
    let seen = look(&operator).await;
    assert!(names(&seen).contains(&"production-not-journal"), "{:#?}", seen.report);
    adopt(&operator, "sydney").await;
    production(&operator, "sydney").await;
    // The mark that the second zone lacks is set by going on: the step finds its records as wanted.
    let reply = operator.order("engineer-a", Command::Retry).await.unwrap();
    assert_eq!(reply.exit, Exit::Done, "{reply:?}\n{}", operator.last_lines());
    assert!(!names(&look(&operator).await).contains(&"half-a-swap"));
}
