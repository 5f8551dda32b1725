//! Cloudflare: the batch is one transaction, and the mark fences.

use serde_json::{Value, json};

use crate::support::{Lab, move_batch};

fn zone(lab: &Lab, name: &str) -> String {
    let zones = lab.cloudflare("GET", &format!("/zones?name={name}"), &Value::Null).unwrap().json();
    zones["result"][0]["id"].as_str().unwrap().to_owned()
}

/// Addresses in `gigadb.org`: three names that users are on, three that drills are done on.
const ADDRESSES: usize = 6;

fn records(lab: &Lab, zone: &str) -> Value {
    let path = format!("/zones/{zone}/dns_records?per_page=100");
    lab.cloudflare("GET", &path, &Value::Null).unwrap().json()["result"].clone()
}

fn contents(records: &Value, kind: &str) -> Vec<String> {
    let list = records.as_array().unwrap().iter().filter(|record| record["type"] == kind);
    list.map(|record| record["content"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_batch_is_one_transaction() {
    let lab = Lab::start("batch", &[]);
    let zone = zone(&lab, "gigadb.org");
    let before = records(&lab, &zone);
    let path = format!("/zones/{zone}/dns_records/batch");
    let mut batch = move_batch(&before, "gigadb.org", "127.9.9.9", 1);
    batch["patches"][2]["id"] = json!("0".repeat(32));
    let refused = lab.cloudflare("POST", &path, &batch).unwrap();
    assert_eq!((refused.status, &refused.json()["errors"][0]["code"]), (400, &json!(81044)));
    assert_eq!(records(&lab, &zone), before);

    let mut batch = move_batch(&before, "gigadb.org", "127.9.9.9", 1);
    batch["patches"][0]["ttl"] = json!(60.0); // as Cloudflare's own client writes what it has read
    let done = lab.cloudflare("POST", &path, &batch).unwrap().json();
    assert_eq!(done["result"]["patches"].as_array().unwrap().len(), ADDRESSES);
    assert_eq!(done["result"]["deletes"], Value::Null);
    let after = records(&lab, &zone);
    assert_eq!(contents(&after, "A"), ["127.9.9.9"; ADDRESSES]);
    assert_ne!(after[1]["modified_on"], before[0]["modified_on"]);
}

#[test]
fn of_two_batches_with_one_mark_only_one_lands() {
    let lab = Lab::start("mark", &[]);
    let zone = zone(&lab, "gigadb.org");
    let before = records(&lab, &zone);
    let path = format!("/zones/{zone}/dns_records/batch");
    let statuses: Vec<(u16, String)> = std::thread::scope(|scope| {
        let tries = ["127.9.9.1", "127.9.9.2"].map(|address| {
            let (lab, path) = (&lab, &path);
            let batch = move_batch(&before, "gigadb.org", address, 7);
            let answer = move || lab.cloudflare("POST", path, &batch).unwrap();
            (scope.spawn(answer), address)
        });
        tries.map(|(try_, address)| (try_.join().unwrap().status, address.to_owned())).to_vec()
    });
    let winner = statuses.iter().find(|(status, _)| *status == 200).unwrap();
    assert_eq!(statuses.iter().filter(|(status, _)| *status == 400).count(), 1);
    assert_eq!(contents(&records(&lab, &zone), "A"), [winner.1.as_str(); ADDRESSES]);
    // The same text without quotes is the same record.
    let post = json!({"type": "TXT", "name": "_changeover-gigadb", "content": "e=7", "ttl": 120});
    let refused = lab.cloudflare("POST", &format!("/zones/{zone}/dns_records"), &post).unwrap();
    assert_eq!((refused.status, &refused.json()["errors"][0]["code"]), (400, &json!(81057)));
}

#[test]
fn writes_are_checked() {
    let lab = Lab::start("checks", &[]);
    let zone = zone(&lab, "gigadb.org");
    let path = format!("/zones/{zone}/dns_records");
    let fine = json!({"type": "A", "name": "x.gigadb.org", "content": "127.0.0.1", "ttl": 60});
    let wrong = [
        ("ttl", json!(5)),
        ("content", json!("host")),
        ("surprise", json!(1)),
        ("comment", json!("x".repeat(101))),
        ("proxied", json!("yes")),
        ("name", json!("")),
    ];
    for (field, value) in wrong {
        let mut body = fine.clone();
        body[field] = value;
        let answer = lab.cloudflare("POST", &path, &body).unwrap();
        assert_eq!(answer.status, 400, "{field}: {}", answer.body);
        assert_eq!(answer.json()["result"], Value::Null);
    }
    assert_eq!(lab.cloudflare("POST", &path, &fine).unwrap().status, 200);
    assert_eq!(lab.cloudflare("POST", &path, &fine).unwrap().json()["errors"][0]["code"], 81058);
    let alias = json!({"type": "CNAME", "name": "x", "content": "gigadb.org"});
    assert_eq!(lab.cloudflare("POST", &path, &alias).unwrap().json()["errors"][0]["code"], 81053);
    let typo = json!({"patch": []});
    assert_eq!(lab.cloudflare("POST", &format!("{path}/batch"), &typo).unwrap().status, 400);
}

#[test]
fn beyond_the_limit_everything_is_refused() {
    let lab = Lab::start("bucket", &[]);
    let set = json!({"cloudflare_limit": 3, "cloudflare_window_s": 1.0});
    lab.control("POST", "set", &set);
    let get = || lab.cloudflare("GET", "/user/tokens/verify", &Value::Null).unwrap();
    let statuses: Vec<u16> = (0..5).map(|_| get().status).collect();
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    assert!(get().head.contains("retry-after: "));
    lab.until("unblocked", |_| get().status == 200);
}
