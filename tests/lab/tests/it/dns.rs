//! DNS: what the API holds is served later, by each server in its own time.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Lab, look_up, move_batch};

fn swap(lab: &Lab, address: &str) {
    let zones = lab.cloudflare("GET", "/zones?name=gigadb.org", &Value::Null).unwrap().json();
    let path = format!("/zones/{}/dns_records", zones["result"][0]["id"].as_str().unwrap());
    let records = lab.cloudflare("GET", &path, &Value::Null).unwrap().json()["result"].clone();
    let batch = move_batch(&records, "gigadb.org", address, 1);
    let done = lab.cloudflare("POST", &format!("{path}/batch"), &batch).unwrap();
    assert_eq!(done.status, 200, "{}", done.body);
}

#[test]
fn a_change_reaches_each_server_after_its_delay() {
    let lab = Lab::start("delay", &[]);
    let set = json!({"dns_delay": [0.3, 0.9], "resolver_cache_s": 0.2});
    lab.control("POST", "set", &set);
    let servers = lab.servers("CHANGEOVER_AUTHORITY");
    let resolvers = lab.servers("CHANGEOVER_RESOLVERS");
    let old = lab.address("gigadb.org");
    let holds = |server, want: &str| {
        let looked = look_up(server, "gigadb.org", 1, false).unwrap();
        looked.answers == [(want.to_owned(), 60)]
    };
    assert!(servers.iter().all(|server| holds(*server, &old)));
    swap(&lab, "127.9.9.9");
    assert!(servers.iter().all(|server| holds(*server, &old)));
    let first = lab.until("on the first", |_| holds(servers[0], "127.9.9.9"));
    assert!(holds(servers[1], &old));
    let second = lab.until("on the second", |_| holds(servers[1], "127.9.9.9"));
    assert!(first > Duration::from_millis(150) && second > Duration::from_millis(300));
    lab.until("on all resolvers", |_| resolvers.iter().all(|r| holds(*r, "127.9.9.9")));
}

#[test]
fn answers_are_shaped_as_servers_shape_them() {
    let lab = Lab::start("shapes", &["--dns-delay", "0"]);
    swap(&lab, "127.9.9.9");
    let authority = lab.servers("CHANGEOVER_AUTHORITY")[1];
    let resolver = lab.servers("CHANGEOVER_RESOLVERS")[0];
    let ask = |name, kind| look_up(authority, name, kind, false).unwrap();
    let address = ask("GigaDB.org", 1);
    assert!(address.authoritative && !address.recursion);
    assert_eq!(address.answers, [("127.9.9.9".to_owned(), 60)]);
    assert_eq!(ask("_changeover-gigadb.gigadb.org", 16).answers, [("e=1".to_owned(), 60)]);
    assert_eq!(ask("gigadb.host", 2).answers.len(), 2);
    assert_eq!(ask("gigadb.host", 6).answers.len(), 1);
    let empty = ask("gigadb.org", 16);
    assert_eq!((empty.code, empty.answers.len(), empty.authority), (0, 0, 1));
    assert_eq!((ask("alt.gigadb.org", 1).code, ask("example.com", 1).code), (3, 5));
    let tcp = look_up(authority, "gigadb.org", 1, true).unwrap();
    assert_eq!(tcp.answers, address.answers);
    let asked = look_up(resolver, "gigadb.org", 1, false).unwrap();
    assert!(asked.recursion && !asked.authoritative);
}

#[test]
fn a_resolver_counts_down() {
    let lab = Lab::start("cache", &["--dns-delay", "0"]);
    lab.control("POST", "set", &json!({"resolver_cache_s": 30, "dns_down": [true, false]}));
    let resolver = lab.servers("CHANGEOVER_RESOLVERS")[0];
    let began = Instant::now();
    let first = look_up(resolver, "gigadb.org", 1, false).unwrap().answers;
    swap(&lab, "127.9.9.9");
    std::thread::sleep(Duration::from_millis(1200));
    let second = look_up(resolver, "gigadb.org", 1, false).unwrap().answers;
    let passed = u32::try_from(began.elapsed().as_secs()).unwrap();
    assert!(first[0].1 == 60 && (59 - passed..60).contains(&second[0].1), "{second:?}");
    assert_eq!(first[0].0, second[0].0);
    assert!(look_up(lab.servers("CHANGEOVER_AUTHORITY")[0], "gigadb.org", 1, false).is_none());
}
