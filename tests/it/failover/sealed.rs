//! What `arm` did not write moves nobody, however whole it looks; nor does another system's workflow.

use changeover::app;
use changeover::conductor::Command;
use changeover::fault::Exit;
use changeover::model::Digest;

use super::armed::{LOSS, confirmed};
use super::{failover, kill, users_are_on};
use crate::practice::{Lab, Operator};

/// Changes a file of two parts, head and body, and writes the digest in its head anew.
fn forge(file: &std::path::Path, change: impl Fn(&str) -> String) {
    let text = std::fs::read_to_string(file).unwrap();
    let (head, body) = text.split_once('\n').unwrap();
    let forged = change(body);
    assert_ne!(forged, body);
    let digest = |of: &str| Digest::of(of.as_bytes()).to_string();
    let head = head.replace(&digest(body), &digest(&forged));
    std::fs::write(file, format!("{head}\n{forged}")).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_was_written_anew_is_not_carried_out_and_the_slower_way_is() {
    let lab = Lab::start();
    let operator = Operator::new(&lab, "forged");
    operator.release("v4.3.4", "sydney").await;
    operator.order("engineer-a", Command::Arm).await.unwrap();
    let glance = || app::glance(&operator.settings("reader"), &operator.system).unwrap();
    assert!(glance().armed.unwrap().armed);

    // Two records have changed places: what is meant for one would be written over the other.
    forge(&operator.state.join("gigadb/armed.json"), |body| {
        let (one, two) = ("\"name\": \"files.gigadb.org\"", "\"name\": \"gigadb.org\"");
        assert!(body.contains(one) && body.contains(two), "{body}");
        body.replace(one, "@").replace(two, one).replace('@', two)
    });
    let view = glance().armed.unwrap();
    assert!(!view.armed && view.says.contains("not the one that the journal says"), "{view:?}");
    kill(&lab, "sydney", "ap-southeast-2");
    let shown = operator.dry("engineer-a", failover("hk", LOSS)).await.unwrap();
    let said = &shown.plan.as_ref().unwrap().sentence;
    assert!(said.contains("slower") && said.contains("not the one"), "{said}");
    let before = lab.world()["records"].clone();
    let fault = operator.order("engineer-a", confirmed(&shown)).await.unwrap_err();
    assert_eq!((fault.code.id, fault.exit()), ("E2066", Exit::Refused), "{fault}");
    assert_eq!(lab.world()["records"], before, "nothing moved");
    operator.order("engineer-a", failover("hk", LOSS)).await.unwrap();
    users_are_on(&operator, &lab, "hk");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workflow_that_was_written_anew_is_not_used() {
    let lab = Lab::start();
    let operator = Operator::new(&lab, "rewritten");
    operator.release("v4.3.4", "sydney").await;
    operator.order("engineer-a", Command::Arm).await.unwrap();
    forge(&operator.state.join("gigadb/armed-workflow.json"), |body| {
        body.replace("\"ready\"", "\"forged\"")
    });
    let shown = operator.dry("engineer-a", failover("hk", LOSS)).await.unwrap();
    let said = format!("{:?}", shown.plan.unwrap().steps);
    assert!(said.contains("\"ready\"") && !said.contains("forged"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_describes_another_system_is_refused() {
    let lab = Lab::start();
    let operator = Operator::new(&lab, "misnamed");
    operator.order("engineer-a", Command::Init).await.unwrap();
    let text = std::fs::read_to_string(operator.workflows.join("gigadb.yaml")).unwrap();
    let workflows = lab.dir.path().join("misnamed workflows");
    std::fs::create_dir(&workflows).unwrap();
    let other = text.replace("\nsystem: gigadb\n", "\nsystem: other\n");
    assert_ne!(other, text);
    std::fs::write(workflows.join("gigadb.yaml"), other).unwrap();
    let there = Operator { workflows, state: operator.state.clone(), ..Operator::new(&lab, "m") };
    let before = lab.applied();
    for command in [failover("hk", LOSS), Command::Arm, Command::Adopt] {
        let fault = there.order("engineer-a", command).await.unwrap_err();
        assert_eq!((fault.code.id, fault.exit()), ("E2012", Exit::Usage), "{fault}");
    }
    assert_eq!(lab.applied(), before);
}
