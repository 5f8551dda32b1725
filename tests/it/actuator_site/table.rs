//! The status table and the closed windows, through the world's door.

use changeover::model::{Roles, Verdict};
use changeover::port::{Seen, Sent};
use serde_json::json;

use super::world::{World, done, says, todo, words};

#[tokio::test]
async fn the_table_is_written_once_and_follows_the_record() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(folder.path());
    let with = json!({ "file": "docs/status.md" });
    let action = world.action("status.render", &with, None);
    assert!(matches!(action.apply(&todo(&action.observe().await)).await, Sent::Accepted { .. }));
    done(&action.observe().await);
    let text = std::fs::read_to_string(folder.path().join("docs/status.md")).unwrap();
    let hk =
        "| hk | gigascience/upstream/gigadb-website | Upstream | ap-east-1 | production | v4.3.8 |";
    assert!(text.contains(hk), "{text}");
    assert!(text.contains("| ap-southeast-2 | standby | unknown |"), "{text}");
    world.record.roles = Some(Roles::Moving { from: "hk".into(), to: "sydney".into() });
    todo(&world.action("status.render", &with, None).observe().await);
    let seen = world.action("status.render", &json!({ "file": "../x" }), None).observe().await;
    assert!(matches!(seen, Seen::Failed { .. }) && says(&seen).contains("E3902"));
}

#[tokio::test]
async fn windows() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(folder.path());
    let mut verdict = async |closed: &[&str]| {
        let workflow = std::sync::Arc::make_mut(&mut world.workflow);
        workflow.closed = closed.iter().map(|&it| it.to_owned()).collect();
        let found = world.check("closed", &json!({}), None).look().await;
        (found.verdict, words(&found.evidence))
    };
    assert_eq!(verdict(&[]).await.0, Verdict::Pass);
    assert_eq!(verdict(&["00:00-12:00", "12:00-24:00"]).await.0, Verdict::Fail);
    let (unknown, text) = verdict(&["at night"]).await;
    assert!(unknown == Verdict::Unknown && text.contains("at night"));
}
