//! Faults, records, reset, sites.

use std::time::Instant;

use serde_json::{Value, json};

use crate::support::{Lab, move_batch};

fn marks(lab: &Lab) -> usize {
    let world = lab.world();
    let records = world["records"]["gigadb.org"].as_array().unwrap();
    records.iter().filter(|record| record["type"] == "TXT").count()
}

#[test]
fn every_fault_has_its_own_effect() {
    let lab = Lab::start("faults", &[]);
    let zones = lab.cloudflare("GET", "/zones?name=gigadb.org", &Value::Null).unwrap().json();
    let path = format!("/zones/{}/dns_records", zones["result"][0]["id"].as_str().unwrap());
    // Action, status seen (0 for a closed connection), marks before and after a while.
    let cases = [
        ("refuse", 0, 0, 0),
        ("429", 429, 0, 0),
        ("500", 500, 0, 0),
        ("status:503", 503, 0, 0),
        ("500_after", 500, 1, 1),
        ("timeout_before", 0, 0, 0),
        ("timeout_after", 0, 1, 1),
        ("late", 0, 0, 1),
    ];
    for (number, (action, status, now, later)) in cases.into_iter().enumerate() {
        let before = marks(&lab);
        let rule = json!({"service": "cloudflare", "method": "POST", "path": "/dns_records",
            "action": action, "hold_s": 0.1, "late_s": 600});
        lab.fault(&rule);
        let post = json!({"type": "TXT", "name": "m", "content": format!("e={number}"), "ttl": 60});
        let answer = lab.cloudflare("POST", &path, &post);
        assert_eq!(answer.map_or(0, |answer| answer.status), status, "{action}");
        assert_eq!(marks(&lab) - before, now, "{action} now");
        if later > now {
            lab.control("POST", "go", &json!({}));
            lab.until("late", |lab| marks(lab) - before == later);
        }
        // The rule has acted once and acts no more.
        let next = json!({"type": "TXT", "name": "n", "content": format!("e={number}"), "ttl": 60});
        assert_eq!(lab.cloudflare("POST", &path, &next).unwrap().status, 200, "{action} again");
    }
    let calls = lab.control("GET", "calls?service=cloudflare&changes=true", &Value::Null);
    let applied = calls.as_array().unwrap().iter().filter(|call| call["applied"] == true).count();
    assert_eq!(applied, cases.len() + 3);
    assert_eq!(calls[0]["headers"]["authorization"], "Bearer (redacted)");
    assert_eq!(calls[0]["fault"], "refuse");
}

#[test]
fn a_torn_batch_breaks_the_transaction_on_purpose() {
    let lab = Lab::start("half", &[]);
    let zones = lab.cloudflare("GET", "/zones?name=gigadb.org", &Value::Null).unwrap().json();
    let path = format!("/zones/{}/dns_records", zones["result"][0]["id"].as_str().unwrap());
    let records = lab.cloudflare("GET", &path, &Value::Null).unwrap().json()["result"].clone();
    lab.fault(&json!({"service": "cloudflare", "path": "/batch", "action": "half", "skip": 1}));
    let batch = |mark| move_batch(&records, "gigadb.org", &format!("127.9.9.{mark}"), mark);
    let post =
        |mark| lab.cloudflare("POST", &format!("{path}/batch"), &batch(mark)).unwrap().status;
    assert_eq!((post(1), post(2)), (200, 500));
    let world = lab.world();
    let records = world["records"]["gigadb.org"].as_array().unwrap();
    let of = |address: &str| records.iter().filter(|record| record["content"] == address).count();
    // The first half of seven changes: six addresses and the mark.
    assert_eq!((of("127.9.9.2"), of("127.9.9.1")), (4, 2));
}

#[test]
fn a_reset_gives_the_initial_world() {
    let lab = Lab::start("reset", &[]);
    let first = lab.world();
    lab.says("gigadb-hk-bastion", "s3backup 20200101; crontab -r; rm -rf ../../share/dropbox");
    lab.says("gigadb-sydney-bastion", "databaseReset 20200101");
    let address = lab.address("gigadb.org");
    let written = lab.https(&address, "gigadb.org", "POST /write?key=W1").unwrap();
    assert_eq!(written.status, 201);
    lab.http("POST", lab.env("GIGADB_ANNOUNCE_URL"), "{\"text\": \"hello\"}").unwrap();
    lab.fault(&json!({"service": "cloudflare", "action": "refuse", "times": 99}));
    lab.control("POST", "set", &json!({"sites": {"hk": {"dead": true}}}));
    let changed = lab.world();
    assert_ne!(changed, first);
    assert_eq!(changed["announcements"], json!([{"text": "hello"}]));
    assert_eq!(changed["databases"]["hk"]["writes"], 1);
    let start = Instant::now();
    lab.control("POST", "reset", &Value::Null);
    eprintln!("reset without moto: {:?}", start.elapsed());
    assert_eq!(lab.world(), first);
    assert_eq!(lab.control("GET", "calls", &Value::Null), json!([]));
    assert_eq!(lab.cloudflare("GET", "/zones", &Value::Null).unwrap().status, 200);
}

#[test]
fn sites_can_die_and_lose_names() {
    let lab = Lab::start("sites", &[]);
    let (hk, sydney) = (lab.address("gigadb.org"), lab.address("alt-live.gigadb.host"));
    let feed = lab.https(&hk, "gigadb.org", "GET /rss/latest").unwrap();
    assert!(feed.body.contains("<guid>100040</guid>") && feed.body.matches("<item>").count() == 10);
    let set = json!({"sites": {"hk": {"dead": true}, "sydney": {"cert_without": ["gigadb.org"]}}});
    lab.control("POST", "set", &set);
    assert!(lab.https(&hk, "gigadb.org", "GET /").is_err());
    let refused = lab.https(&sydney, "gigadb.org", "GET /").unwrap_err();
    assert!(refused.contains("not valid for name"), "{refused}");
    assert_eq!(lab.https(&sydney, "alt-live.gigadb.host", "GET /").unwrap().status, 200);
    lab.control("POST", "set", &json!({"sites": {"sydney": {"cert_without": [], "cert_days": 0}}}));
    let refused = lab.https(&sydney, "alt-live.gigadb.host", "GET /").unwrap_err();
    assert!(refused.contains("expired"), "{refused}");
    assert!(lab.https("127.0.0.1", "gigadb.org", "GET /").is_err());
}

#[test]
fn a_cron_job_can_be_fired() {
    let lab = Lab::start("fire", &[]);
    let fire = json!({"host": "gigadb-hk-bastion", "job": "s3backup"});
    assert_eq!(lab.control("POST", "fire", &fire)["fired"], true);
    lab.until("dumped", |lab| lab.world()["databases"]["hk"]["dumps"] != json!([]));
    lab.says("gigadb-hk-bastion", "crontab -r");
    assert_eq!(lab.control("POST", "fire", &fire)["fired"], false);
}
