//! Traps that preflight finds: nothing has begun then, and the standby is not deployed to.

use serde_json::{Value, json};

use super::{Run, Trap, deploys};
use crate::interlock::aws;
use crate::preflight::call;

async fn begun(name: &str) -> Run {
    let run = Run::start(name);
    run.init().await;
    run
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g12_no_elastic_address_is_left() {
    let run = begun("g12").await;
    run.lab.post("/_lab/set", &json!({ "eip_quota": 6 }));
    run.springs(&Trap {
        says: &["quota", "6 of 6 elastic addresses are in use"],
        guards: &["quota"],
        touches: deploys,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g13_the_portainer_record_leads_elsewhere() {
    let run = begun("g13").await;
    let token = format!("Authorization: Bearer {}", run.operator.env["CLOUDFLARE_API_TOKEN"]);
    let url = &run.operator.env["CLOUDFLARE_BASE_URL"];
    let read = |path: &str| call("GET", &format!("{url}{path}"), &token, &Value::Null);
    let id = |it: Value| it["result"][0]["id"].as_str().unwrap().to_owned();
    let zone = id(read("/zones?name=gigadb.host"));
    let records = format!("/zones/{zone}/dns_records");
    let record = id(read(&format!("{records}?name=portainer.alt-live.gigadb.host")));
    let wrong = json!({ "content": "192.0.2.1" });
    call("PATCH", &format!("{url}{records}/{record}"), &token, &wrong);
    run.springs(&Trap {
        says: &["E2040", "portainer.alt-live.gigadb.host"],
        // The engine looks before preflight and before each phase; that it was touched today is found too.
        guards: &["engine switch.whole", "group", "aged"],
        touches: deploys,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g14_a_tag_without_annotation() {
    let run = begun("g14").await;
    // The footer is what finds it, after the deployment, and not for five minutes.
    let file = run.operator.workflows.join("gigadb.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("wait: 5m", "wait: 100ms")).unwrap();
    run.lab.post("/_lab/set", &json!({ "tags": "plain" }));
    run.springs(&Trap {
        says: &["tag", "v4.3.4", "annotated"],
        // Such a tag cannot be signed either.
        guards: &["tag", "signed"],
        touches: deploys,
    })
    .await;
    let version = run.lab.world()["sites"]["sydney"]["version"].clone();
    assert_ne!(version, "v4.3.4", "no later check could tell the versions apart");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g16_a_restored_database_without_its_owner() {
    let run = begun("g16").await;
    let arn = "arn:aws:rds:ap-southeast-2:123456789012:db:rds-server-live-gigadbalt";
    let form = "Action=RemoveTagsFromResource&Version=2014-10-31&TagKeys.member.1=Owner";
    let form = format!("{form}&ResourceName={arn}");
    aws(&run.operator, "rds", "ap-southeast-2", &["-d", &form], "/");
    run.springs(&Trap {
        says: &["rds-stby", "rds-server-live-gigadbalt has no tag Owner"],
        guards: &["rds-stby"],
        touches: deploys,
    })
    .await;
}
