//! Traps before data is overwritten: the wrong dump, no dump, the wrong database, an image that is gone.

use changeover::machine::State;
use changeover::model::Phase;
use serde_json::json;

use super::{Run, Trap, loads};
use crate::interlock::aws;
use crate::practice::last_call;

const PREFIX: &str = "gigadb_gigascience-upstream-gigadb-website_live_";

/// A run that has made its backup and loads next.
async fn before_the_load(name: &str) -> Run {
    let run = Run::start(name);
    run.until(|it| matches!(it, State::Ready { at } if at.phase == Phase::Backup)).await;
    run
}

impl Run {
    /// The key that the restore reads.
    fn restored(&self) -> String {
        format!("{PREFIX}{}.backup", self.operator.life().record.last_stamp.unwrap())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g01_a_standby_would_load_a_dump_of_itself() {
    // Sydney is production now; its dumps have another name than the one that the restore reads.
    let mut run = Run::start("g01");
    run.operator.release("v4.3.4", "sydney").await;
    (run.release, run.to) = ("v4.3.5", "hk");
    run.until(|it| matches!(it, State::Ready { at } if at.phase == Phase::Backup)).await;
    let bucket = run.lab.world()["bucket"].clone();
    let mut own = bucket.as_array().unwrap().iter().map(|it| it["key"].as_str().unwrap());
    let stale = own.find(|it| it.starts_with(PREFIX) && **it != run.restored()).unwrap();
    let body =
        aws(&run.operator, "s3", "ap-east-1", &[], &format!("/gigadb-database-backups/{stale}"));
    run.lab.post("/_lab/object", &json!({ "key": run.restored(), "body": body }));
    let before = run.database("hk");
    run.springs(&Trap {
        says: &["E3806", "it is not the proven", "gigascience-upstream-alt-gigadb-website"],
        guards: &["own look"],
        touches: loads,
    })
    .await;
    let after = run.database("hk");
    assert_ne!(before["drops"], after["drops"], "overwritten with what it had itself");
    let loaded = after["objects"].as_array().unwrap().last().unwrap()["digest"].clone();
    let dumped = run.database("sydney")["dumped"].clone();
    assert!(!dumped.as_array().unwrap().contains(&loaded), "production never dumped that");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g03_a_database_would_be_dropped_for_no_dump_or_half_a_one() {
    let run = before_the_load("g03").await;
    let key = format!("/gigadb-database-backups/{}", run.restored());
    let body = aws(&run.operator, "s3", "ap-east-1", &[], &key);
    run.lab.post("/_lab/object", &json!({ "key": run.restored(), "body": body[..body.len() / 2] }));
    let since = last_call(&run.lab);
    let said = run.turn(changeover::app::Hooks::default()).await;
    assert!(said.contains("it is not the proven"), "half a dump: {said}");
    assert!(run.changes(since).is_empty(), "half a dump: {said}");
    aws(&run.operator, "s3", "ap-east-1", &["-X", "DELETE"], &key);
    let trap = Trap { says: &["E3806", "it is not there"], guards: &["own look"], touches: loads };
    run.springs(&trap).await;
    let after = run.database("sydney");
    assert!(after["tables"] == false && after["datasets"] == 0, "dropped, and left empty: {after}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g05_the_restore_would_drop_productions_database() {
    let run = before_the_load("g05").await;
    let file = run.file("sydney", "home/centos/.env");
    let good = std::fs::read_to_string(&file).unwrap();
    let other = good.replace("rds-server-live-gigadbalt", "rds-server-live-gigadb");
    std::fs::write(&file, other.replace("ap-southeast-2", "ap-east-1")).unwrap();
    run.springs(&Trap {
        says: &["E3803", "PGHOST is rds-server-live-gigadb.", "that is production's database"],
        guards: &["target", "own look"],
        touches: loads,
    })
    .await;
    assert_eq!(run.database("hk")["drops"], 1, "production's database was dropped");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g10_an_image_that_a_prune_took_away() {
    let run = before_the_load("g10").await;
    let gone = json!({ "gigadb-sydney-bastion": { "missing_images": ["production_app"] } });
    run.lab.post("/_lab/set", &json!({ "hosts": gone }));
    run.springs(&Trap {
        says: &["img-load", "alt-gigadb-website/production_app:live is not there"],
        guards: &["img-load"],
        touches: loads,
    })
    .await;
    let lines = run.operator.last_lines();
    assert!(lines.contains("No such image") || lines.contains("E3703"), "half loaded: {lines}");
}
