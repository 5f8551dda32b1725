//! AWS, against an emulator written by others: `CHANGEOVER_MOTO` names its server program.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_ec2::types::{InstanceType, ResourceType, Tag, TagSpecification};
use aws_sdk_s3::config::Credentials;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use changeover::machine::{Embargo, Fact, Kept, Run};
use changeover::model::{Digest, Kind, Phase, Time, Verdict};
use changeover::port::{Seen, Sent};
use serde_json::json;

use super::shell::Hosts;
use super::world::{World, done, says, settled, todo, words};

/// The emulator, with two users who have keys.
struct Moto {
    server: Child,
    url: String,
}

impl Drop for Moto {
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

const IAM: &str = r#"
import boto3, sys
iam = boto3.client("iam", endpoint_url=sys.argv[1], region_name="us-east-1",
                   aws_access_key_id="a", aws_secret_access_key="b")
for user in ("Gigadb", "GigadbAlt"):
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    print(key["AccessKeyId"], key["SecretAccessKey"])
"#;

impl Moto {
    #[expect(clippy::disallowed_methods, reason = "a test asks what it may use")]
    fn start(hosts: &Hosts) -> (Self, World) {
        let program = std::env::var_os("CHANGEOVER_MOTO")
            .expect("CHANGEOVER_MOTO names moto_server; scripts/test sets it");
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Command::new(&program)
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(server.try_wait().unwrap().is_none(), "the emulator ended: is {port} taken?");
            std::thread::park_timeout(Duration::from_millis(100));
        }
        let moto = Self { server, url: format!("http://127.0.0.1:{port}") };
        let python = std::path::Path::new(&program).with_file_name("python");
        let keys = Command::new(python).args(["-c", IAM, &moto.url]).output().unwrap();
        let keys = String::from_utf8(keys.stdout).unwrap();
        let mut text = String::new();
        for (profile, key) in ["Upstream", "UpstreamAlt"].into_iter().zip(keys.lines()) {
            let (id, secret) = key.split_once(' ').unwrap();
            text +=
                &format!("[{profile}]\naws_access_key_id={id}\naws_secret_access_key={secret}\n");
        }
        hosts.write("credentials", &text);
        hosts.write("config", "");
        let path = |name: &str| hosts.path(name).to_string_lossy().into_owned();
        let world = hosts
            .world()
            .env("AWS_ENDPOINT_URL", &moto.url)
            .env("AWS_CONFIG_FILE", &path("config"))
            .env("AWS_SHARED_CREDENTIALS_FILE", &path("credentials"));
        (moto, world)
    }

    async fn config(&self, region: &'static str) -> SdkConfig {
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        aws_config::defaults(BehaviorVersion::latest())
            .http_client(http)
            .endpoint_url(&self.url)
            .region(Region::new(region))
            .credentials_provider(Credentials::new("a", "b", None, None, "test"))
            .load()
            .await
    }

    async fn s3(&self) -> aws_sdk_s3::Client {
        let config = self.config("ap-east-1").await;
        let config = aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
        aws_sdk_s3::Client::from_conf(config)
    }

    async fn database(&self, region: &'static str, name: &str) -> String {
        let rds = aws_sdk_rds::Client::new(&self.config(region).await);
        let made = rds
            .create_db_instance()
            .db_instance_identifier(name)
            .db_instance_class("db.t3.large")
            .engine("postgres")
            .allocated_storage(10)
            .master_username("gigadb")
            .master_user_password("passwordpassword")
            .send()
            .await
            .unwrap();
        made.db_instance.unwrap().endpoint.unwrap().address.unwrap()
    }
}

#[tokio::test]
async fn identities() {
    let hosts = Hosts::new();
    let (_moto, world) = Moto::start(&hosts);
    let with = json!({ "distinct": true });
    let found = world.check("aws.identity", &with, None).look().await;
    assert_eq!(found.verdict, Verdict::Pass, "{}", words(&found.evidence));
    assert!(words(&found.evidence).contains("user/GigadbAlt"));
    let credentials = hosts.read("credentials");
    let first = credentials.lines().take(3).collect::<Vec<_>>().join("\n");
    hosts.write("credentials", &format!("{first}\n{}", first.replace("Upstream", "UpstreamAlt")));
    let found = world.check("aws.identity", &with, None).look().await;
    assert_eq!(found.verdict, Verdict::Fail);
    assert!(words(&found.evidence).contains("both sites are one principal"));
    hosts.write("credentials", &first);
    let found = world.check("aws.identity", &with, None).look().await;
    assert_eq!(found.verdict, Verdict::Unknown, "{}", words(&found.evidence));
}

#[tokio::test]
async fn addresses() {
    let hosts = Hosts::new();
    let (moto, world) = Moto::start(&hosts);
    let ec2 = aws_sdk_ec2::Client::new(&moto.config("ap-east-1").await);
    let gone = world.addresses("hk").await.unwrap_err();
    assert!(gone.says.contains("no address is named eip-gigadb-live-gigadb"), "{gone:?}");
    let allocate = async || {
        let tag = Tag::builder().key("Name").value("eip-gigadb-live-gigadb").build();
        let tags = TagSpecification::builder().resource_type(ResourceType::ElasticIp).tags(tag);
        ec2.allocate_address().tag_specifications(tags.build()).send().await.unwrap()
    };
    let address = allocate().await;
    let ip = address.public_ip().unwrap();
    let owned = world.addresses("hk").await.unwrap();
    assert_eq!(owned.values().collect::<Vec<_>>(), [ip, ip], "web and portainer");
    let verdict = async || world.check("aws.eip", &json!({}), Some("hk")).look().await;
    assert_eq!(verdict().await.verdict, Verdict::Fail, "nothing is behind it");
    let image = "ami-12c6146b";
    let run = ec2.run_instances().image_id(image).instance_type(InstanceType::T3Medium);
    let instance = run.min_count(1).max_count(1).send().await.unwrap();
    let id = instance.instances()[0].instance_id().unwrap();
    ec2.associate_address().public_ip(ip).instance_id(id).send().await.unwrap();
    let found = verdict().await;
    assert_eq!(found.verdict, Verdict::Pass, "{}", words(&found.evidence));
    ec2.stop_instances().instance_ids(id).send().await.unwrap();
    assert_eq!(verdict().await.verdict, Verdict::Fail);
    allocate().await;
    assert!(world.addresses("hk").await.unwrap_err().says.contains("more than one"));
}

#[tokio::test]
async fn a_snapshot_is_taken_once_and_anothers_is_foreign() {
    let hosts = Hosts::new();
    let (moto, world) = Moto::start(&hosts);
    let name = "rds-server-live-gigadb";
    let rds = json!({ "instance": name, "status": "available" });
    assert_eq!(world.check("aws.rds", &rds, Some("hk")).look().await.verdict, Verdict::Fail);
    moto.database("ap-east-1", name).await;
    assert_eq!(world.check("aws.rds", &rds, Some("hk")).look().await.verdict, Verdict::Pass);
    let with = json!({ "instance": name, "name": "changeover-r7-production" });
    let mut call = world.call("aws.rds.snapshot", &with, Some("hk"));
    let action = world.act(call.clone());
    let changes = todo(&action.observe().await);
    assert!(matches!(action.apply(&changes).await, Sent::Accepted { .. }));
    // The same request again finds the first.
    assert!(matches!(action.apply(&changes).await, Sent::Accepted { .. }));
    done(&settled(&*action).await);
    call.op.0 = "another".into();
    let seen = world.act(call).observe().await;
    assert!(matches!(seen, Seen::Foreign { .. }), "{seen:?}");
    let with = json!({ "instance": "no-such", "name": "x" });
    let action = world.action("aws.rds.snapshot", &with, Some("hk"));
    let sent = action.apply(&todo(&action.observe().await)).await;
    assert!(matches!(sent, Sent::Refused { .. }), "{sent:?}");
}

const KEY: &str = "gigadb_up_live_202611210500.backup";
const OWN: &str = "gigadb_own_live_202611210500.backup";
const TRAILER: &str = "\n-- PostgreSQL database dump complete\n--\n";

#[tokio::test]
async fn the_backup_is_proven_copied_and_demanded_by_the_load() {
    let hosts = Hosts::new();
    let (moto, mut world) = Moto::start(&hosts);
    let s3 = moto.s3().await;
    let region = aws_sdk_s3::types::BucketLocationConstraint::from("ap-east-1");
    let place = aws_sdk_s3::types::CreateBucketConfiguration::builder().location_constraint(region);
    let bucket = "gigadb-database-backups";
    s3.create_bucket()
        .bucket(bucket)
        .create_bucket_configuration(place.build())
        .send()
        .await
        .unwrap();
    let put = async |key: &str, text: String| {
        s3.put_object().bucket(bucket).key(key).body(text.into_bytes().into()).send().await.unwrap()
    };
    {
        // hk writes under a key of its own here, so that there is something to copy.
        let workflow = std::sync::Arc::make_mut(&mut world.workflow);
        workflow.backup.as_mut().unwrap().key = "gigadb_own_live_{{ run.stamp }}.backup".into();
    }
    let look = async |world: &World, with| world.check("backup.whole", &with, None).look().await;
    assert_eq!(look(&world, json!({})).await.verdict, Verdict::Fail, "it is not there");
    put("gigadb_own_live_20261120.backup", "x".repeat(20_000) + TRAILER).await;
    put(OWN, "x".repeat(9_000) + TRAILER).await;
    let found = look(&world, json!({})).await;
    assert!(words(&found.evidence).contains("less than 0.8"), "{}", words(&found.evidence));
    put(OWN, "x".repeat(19_000)).await;
    let found = look(&world, json!({})).await;
    assert!(words(&found.evidence).contains("the dump is cut"), "{}", words(&found.evidence));
    put(OWN, "x".repeat(19_000) + TRAILER).await;
    let found = look(&world, json!({})).await;
    assert_eq!(found.verdict, Verdict::Pass, "{}", words(&found.evidence));
    let [Fact::Backup { key, etag, size }] = &found.facts[..] else { panic!("{found:?}") };
    assert_eq!((key.as_str(), *size), (OWN, 19_000 + TRAILER.len() as u64));
    let newer = json!({ "newer_than": "embargo" });
    assert_eq!(look(&world, newer.clone()).await.verdict, Verdict::Fail, "there is no embargo");
    for (since, wanted) in [(-3600, Verdict::Pass), (3600, Verdict::Fail)] {
        let since = found.evidence[0].at.plus_seconds(since);
        let (reason, scope, until) = (String::new(), vec![], since);
        let owner = String::new();
        let embargo = Embargo { run: 7, owner, scope, reason, since, until };
        world.record.embargoes.insert("hk".into(), embargo);
        assert_eq!(look(&world, newer.clone()).await.verdict, wanted);
    }
    loads(&hosts, &moto, &mut world, (key, etag, *size)).await;
    let copy = world.action("backup.copy", &json!({}), None);
    done(&copy.observe().await);
    put(KEY, "somebody else's".into()).await;
    let changes = todo(&copy.observe().await);
    put(OWN, "changed meanwhile".into()).await;
    assert!(matches!(copy.apply(&changes).await, Sent::Refused { .. }));
}

/// The destructive load: refused until target and backup are proven.
async fn loads(hosts: &Hosts, moto: &Moto, world: &mut World, backup: (&str, &str, u64)) {
    let production = moto.database("ap-east-1", "rds-server-live-gigadb").await;
    let standby = moto.database("ap-southeast-2", "rds-server-live-gigadbalt").await;
    let dir = hosts.dir().to_string_lossy().into_owned();
    std::sync::Arc::make_mut(&mut world.workflow).database.as_mut().unwrap().env_file =
        format!("{dir}/env");
    world.record.embargoes.clear();
    let stamp = world.call("backup.copy", &json!({}), None).run.stamp.clone().unwrap();
    let with = json!({ "host": "bastion", "argv": ["true", stamp], "destructive": true });
    // Each host reaches a server of its own, unless something leads it elsewhere.
    hosts.program("psql", "#!/bin/sh\necho \"server of ${PGHOSTADDR:-$(basename \"$HOME\")}\"\n");
    let target = json!({ "host": "bastion", "env_file": format!("{dir}/env"), "key": "PGHOST" });
    let load =
        async |world: &World| world.action("host.run", &with, Some("sydney")).observe().await;
    world.record.run = Some(Run {
        number: 7,
        kind: Kind::Release,
        version: None,
        production: "hk".into(),
        standby: "sydney".into(),
        from_version: None,
        requester: "a".into(),
        started: Time::default(),
        workflow: Digest::default(),
        outside: vec![],
        stamp: None,
        backup: None,
        entered: std::collections::BTreeMap::new(),
        waived: std::collections::BTreeMap::new(),
        without: std::collections::BTreeMap::new(),
    });
    hosts.write("env", &format!("PGUSER=x\nPGHOST={production}\n"));
    let found = world.check("database.target", &target, Some("sydney")).look().await;
    assert_eq!(found.verdict, Verdict::Fail);
    let seen = load(world).await;
    assert!(matches!(seen, Seen::Foreign { .. }), "{seen:?}");
    assert!(says(&seen).contains("that is production's database"), "{}", says(&seen));
    hosts.write("env", &format!("PGUSER=x\nPGHOST=\"{standby}\"\n"));
    let found = world.check("database.target", &target, Some("sydney")).look().await;
    assert_eq!(found.verdict, Verdict::Pass, "{}", words(&found.evidence));
    hosts.write("env", &format!("PGHOST={standby}\nPGHOSTADDR=10.0.0.1\n"));
    let found = world.check("database.target", &target, Some("sydney")).look().await;
    assert_eq!(found.verdict, Verdict::Fail, "{}", words(&found.evidence));
    assert!(words(&found.evidence).contains("leads to another server"), "{found:?}");
    hosts.write("env", &format!("PGHOST=\"{standby}\"\n"));
    let seen = load(world).await;
    assert!(says(&seen).contains("this run has not proven"), "{}", says(&seen));
    assert!(
        says(&seen).contains("no copy of rds-server-live-gigadbalt is kept"),
        "{}",
        says(&seen)
    );
    let snapshot = json!({ "instance": "rds-server-live-gigadbalt", "name": "kept" });
    let snapshot = world.action("aws.rds.snapshot", &snapshot, Some("sydney"));
    snapshot.apply(&todo(&snapshot.observe().await)).await;
    let facts = done(&snapshot.observe().await);
    let [Fact::Copied { name, kept }] = &facts[..] else { panic!("{facts:?}") };
    assert_eq!(
        (kept.site.as_str(), kept.until.seconds_since(kept.made)),
        ("sydney", 30 * 24 * 3600)
    );
    world.record.copies.insert(name.clone(), kept.clone());
    let (key, etag, size) = backup;
    world.record.run.as_mut().unwrap().backup = Some((key.into(), etag.into(), size));
    let seen = load(world).await;
    assert!(matches!(seen, Seen::Foreign { .. }), "not at the restore key: {seen:?}");
    let copy = world.action("backup.copy", &json!({}), None);
    let changes = todo(&copy.observe().await);
    assert!(matches!(copy.apply(&changes).await, Sent::Accepted { .. }));
    done(&copy.observe().await);
    todo(&load(world).await);
    // A stamp is the run's own or nothing.
    for wrong in [json!(["true"]), json!(["true", "latest"]), json!(["true", "20261121"])] {
        let with = json!({ "host": "bastion", "argv": wrong, "destructive": true });
        let seen = world.action("host.run", &with, Some("sydney")).observe().await;
        assert!(matches!(seen, Seen::Foreign { .. }), "{seen:?}");
        assert!(says(&seen).contains("E3822"), "{}", says(&seen));
    }
    // A copy that is gone, or older than what may have been written, is none.
    let kept = world.record.copies["kept"].clone();
    world
        .record
        .copies
        .insert("gone".into(), Kept { made: kept.made.plus_seconds(9), ..kept.clone() });
    assert!(
        says(&load(world).await).contains("the snapshot gone of"),
        "{}",
        says(&load(world).await)
    );
    world.record.copies.remove("gone");
    world.record.run.as_mut().unwrap().entered.insert(Phase::Backup, kept.made.plus_seconds(60));
    assert!(says(&load(world).await).contains("E3823"), "{}", says(&load(world).await));
}
