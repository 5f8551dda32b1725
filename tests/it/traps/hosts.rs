//! Traps in the scripts of a bastion: upstream's dump in the place of ours.

use serde_json::{Value, json};

use super::{Run, Trap, dumps};
use crate::interlock::aws;

/// Puts other lines before what the practice program of this name does, and other arguments after it.
fn replace(run: &Run, before: &str, arguments: &str) {
    let file = run.file("hk", "usr/local/bin/s3backup");
    let own = std::fs::read_to_string(&file).unwrap();
    let (head, rest) = own.split_once('\n').unwrap();
    let text = format!("{head}\n{before}\n{}", rest.replace("\"$@\"", arguments));
    assert_ne!(own, text);
    std::fs::write(file, text).unwrap();
}

/// Connections of production's database that are ended, as upstream's script does it.
fn ends(call: &Value) -> bool {
    call["operation"] == "psql"
        && call["place"] == "gigadb-hk-bastion"
        && call["query"].as_str().unwrap().contains("datname = 'gigadb'")
}

const REPLACED: &[&str] =
    &["scripts: /usr/local/bin/s3backup is another file than the one we ship"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g02_a_second_dump_of_the_day_would_replace_the_first() {
    let run = Run::start("g02");
    run.init().await;
    let day = jiff::Timestamp::now().strftime("%Y%m%d").to_string();
    let key = format!("gigadb_gigascience-upstream-gigadb-website_live_{day}.backup");
    let newest = run.lab.world()["bucket"][0]["key"].as_str().unwrap().to_owned();
    let body =
        aws(&run.operator, "s3", "ap-east-1", &[], &format!("/gigadb-database-backups/{newest}"));
    run.lab.post("/_lab/object", &json!({ "key": key, "body": format!("-- by hand\n{body}") }));
    let first = || {
        let bucket = run.lab.world()["bucket"].clone();
        bucket.as_array().unwrap().iter().find(|it| it["key"] == json!(key)).cloned().unwrap()
    };
    let before = first();
    // Upstream's takes no stamp: whatever it is told, it writes the day's.
    replace(&run, "", "\"$(date -u +%Y%m%d)\"");
    run.springs(&Trap { says: REPLACED, guards: &["scripts"], touches: dumps }).await;
    assert_ne!(first(), before, "the first dump of the day is gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g07_a_dump_would_end_productions_connections() {
    let run = Run::start("g07");
    run.init().await;
    let end =
        "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = 'gigadb'";
    let before = format!(". \"$HOME/.env\"; export PGHOST; psql -XAtc \"{end}\"");
    replace(&run, &before, "\"$@\"");
    run.springs(&Trap { says: REPLACED, guards: &["scripts"], touches: ends }).await;
}

#[test]
fn g07_the_shipped_dump_ends_no_connection() {
    let shipped = std::fs::read_to_string("docs/gigadb/s3backup").unwrap();
    let code: String = shipped.lines().filter(|it| !it.starts_with('#')).collect();
    assert!(code.contains("pg_dump") && !code.contains("pg_terminate"), "{code}");
}
