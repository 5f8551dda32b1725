//! `switch.whole`: what it accepts and what it names.

use changeover::machine::Fact;
use changeover::model::{Kind, Verdict};
use changeover::port::{Call, Finding, Outside, World};
use serde_json::json;

use super::stand_in::Cloudflare;
use super::world::{NAMES, call, outside, params, setting, text};

async fn look(prepare: impl FnOnce(&Cloudflare), with: impl FnOnce(&mut Call)) -> Finding {
    let cloudflare = Cloudflare::start().await;
    prepare(&cloudflare);
    let mut call = call(params("switch.whole", "{ owned: false }"));
    with(&mut call);
    let setting = setting(Outside { cloudflare: cloudflare.url.clone(), ..outside() });
    setting.world.check(call).look().await
}

#[tokio::test]
async fn eight_records_of_two_roles_and_our_marks_pass() {
    let found = look(|_| (), |_| ()).await;
    assert_eq!(found.verdict, Verdict::Pass, "{found:?}");
    assert_eq!(found.evidence[0].data["production"], "hk");
    assert_eq!(found.facts[1], Fact::Mark { zone: "gigadb.host".into(), number: 4 });
}

#[tokio::test]
async fn the_other_site_being_production_fails() {
    let swapped = |call: &mut Call| std::mem::swap(&mut call.production, &mut call.standby);
    let found = look(|_| (), swapped).await;
    assert_eq!(found.verdict, Verdict::Fail);
    assert_eq!(found.evidence[0].data["production"], "hk");
}

#[tokio::test]
async fn each_way_to_be_wrong_fails_and_is_named() {
    type Prepare = fn(&Cloudflare);
    let cases: [(&str, Prepare); 6] = [
        ("\"is\":\"wanted\"", |it| it.set("files.gigadb.org", "content", json!(NAMES[2].2))),
        ("203.0.113.9", |it| it.set("files.gigadb.org", "content", json!("203.0.113.9"))),
        ("there is no record", |it| it.remove("files.alt-live.gigadb.host")),
        ("there are 2 records: A, AAAA", |it| {
            it.add(json!({ "type": "AAAA", "name": "gigadb.org", "content": "::1" }));
        }),
        ("it is proxied", |it| it.set("gigadb.org", "proxied", json!(true))),
        ("E3101", |it| it.mark("gigadb.org", 5, "another", "2026-11-21T11:00:00Z")),
    ];
    for (said, prepare) in cases {
        let found = look(prepare, |_| ()).await;
        assert_eq!(found.verdict, Verdict::Fail, "{said}");
        assert!(text(&found.evidence).contains(said), "{said}: {}", text(&found.evidence));
    }
}

#[tokio::test]
async fn a_missing_mark_fails_a_release_and_is_asked_in_a_failover() {
    let gone = |it: &Cloudflare| it.remove("_changeover-gigadb.gigadb.host");
    let found = look(gone, |_| ()).await;
    assert_eq!(found.verdict, Verdict::Fail);
    assert!(text(&found.evidence).contains("E3103"));
    assert_eq!(look(gone, |call| call.at.kind = Kind::Failover).await.verdict, Verdict::Unknown);
}

#[tokio::test]
async fn what_cannot_be_read_is_unknown() {
    let found = look(|it| it.state(|it| it.reads.extend([500; 9])), |_| ()).await;
    assert_eq!(found.verdict, Verdict::Unknown);
    let dead = setting(outside()).world.check(call(params("switch.whole", "{}"))).look().await;
    assert_eq!(dead.verdict, Verdict::Unknown);
    assert!(text(&dead.evidence).contains("E3001"));
}

#[tokio::test]
async fn more_records_than_a_page_are_read() {
    let many = |it: &Cloudflare| {
        for number in 0..1100 {
            it.state(|it| {
                let record = json!({ "id": format!("{number:032x}"), "type": "TXT", "ttl": 60,
                    "name": format!("n{number}.gigadb.org"), "content": "x" });
                it.records.insert(0, (super::stand_in::ORG.to_owned(), record));
            });
        }
    };
    assert_eq!(look(many, |_| ()).await.verdict, Verdict::Pass);
}
