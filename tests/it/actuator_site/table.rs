//! The status table and the closed windows, through the world's door.

use changeover::model::Verdict;
use changeover::port::{Seen, Sent};
use serde_json::json;

use super::world::{World, done, says, todo, words};

#[tokio::test]
async fn the_table_is_written_between_the_markers_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new(folder.path());
    let file = folder.path().join("docs/status.md");
    let with = json!({ "file": "docs/status.md" });
    let action = world.action("status.render", &with, None);
    let head = "# Sites\r\n\n<!-- changeover:status:begin -->";
    let tail = "<!-- changeover:status:end -->\ttail without an end";
    std::fs::create_dir(folder.path().join("docs")).unwrap();
    std::fs::write(&file, format!("{head}\n| old |\n{tail}")).unwrap();
    assert!(matches!(action.apply(&todo(&action.observe().await)).await, Sent::Accepted { .. }));
    done(&action.observe().await);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with(&format!("{head}\n| site | profile | region |")), "{text}");
    assert!(text.ends_with(tail) && !text.contains("old"), "{text}");
    // Nothing of this world can be read, and that is what it says: the journal alone proves nothing.
    let hk = "| hk | Upstream | ap-east-1 | unknown | does not answer, v4.3.8 by the journal | nobody could";
    assert!(text.contains(hk) && text.contains("\nObserved 20"), "{text}");
    for (wrong, why) in [
        ("a table that somebody wrote\n".to_owned(), "1 lines and no marker"),
        (format!("a\n{tail}\n{head}\n"), "line 2: "),
        (format!("{head}\n{head}\n{tail}"), "line 6: a second"),
    ] {
        std::fs::write(&file, &wrong).unwrap();
        let seen = action.observe().await;
        assert!(matches!(seen, Seen::Failed { .. }), "{wrong}");
        assert!(says(&seen).contains("E3902") && says(&seen).contains(why), "{}", says(&seen));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), wrong);
    }
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
