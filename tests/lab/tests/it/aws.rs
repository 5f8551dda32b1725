//! AWS: time for snapshots, two principals, the bucket that host programs share.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::support::{Lab, moto};

/// A request with the credential scope that tells service and region.
fn call(lab: &Lab, region: &str, service: &str, method: &str, path: &str, body: &str) -> String {
    let host = lab.env("AWS_ENDPOINT_URL").trim_start_matches("http://");
    let key = if region == "ap-east-1" { "AKIAPRACTICEGIGADB01" } else { "AKIAPRACTICEGIGADB02" };
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
         authorization: AWS4-HMAC-SHA256 Credential={key}/20260101/{region}/{service}/aws4_request, \
         SignedHeaders=host, Signature=secret\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn rds(lab: &Lab, action: &str, rest: &str) -> String {
    let body = format!("Action={action}&Version=2014-10-31&{rest}");
    call(lab, "ap-east-1", "rds", "POST", "/", &body)
}

#[test]
fn a_snapshot_takes_time() {
    let program = moto();
    let lab = Lab::start("snapshot", &["--moto", &program, "--rds-seconds", "0.8"]);
    let instance = "DBInstanceIdentifier=rds-server-live-gigadb";
    let create =
        |name| rds(&lab, "CreateDBSnapshot", &format!("{instance}&DBSnapshotIdentifier={name}"));
    let made = create("one");
    assert!(made.contains("<Status>creating</Status><PercentProgress>"), "{made}");
    assert!(create("two").contains("<Code>InvalidDBInstanceState</Code>"));
    assert!(create("one").contains("<Code>DBSnapshotAlreadyExists</Code>"));
    assert!(rds(&lab, "DescribeDBInstances", "").contains("<DBInstanceStatus>backing-up<"));
    lab.until("available", |lab| {
        rds(lab, "DescribeDBSnapshots", "DBSnapshotIdentifier=one").contains("<Status>available<")
    });
    assert!(rds(&lab, "DescribeDBInstances", "").contains("<DBInstanceStatus>available<"));
    assert_eq!(lab.world()["snapshots"], json!({"ap-east-1": ["one"], "ap-southeast-2": []}));
    let counts = lab.control("GET", "counts", &Value::Null);
    assert_eq!(
        counts["aws"]["rds.CreateDBSnapshot"],
        json!({"requests": 3, "changing": 3, "applied": 1})
    );
}

#[test]
fn two_principals_and_tagged_addresses() {
    let program = moto();
    let lab = Lab::start("principals", &["--moto", &program]);
    let identity = "Action=GetCallerIdentity&Version=2011-06-15";
    let of = |region| call(&lab, region, "sts", "POST", "/", identity);
    assert!(of("ap-east-1").contains(":user/Gigadb<"));
    assert!(of("ap-southeast-2").contains(":user/GigadbAlt<"));
    let describe = "Action=DescribeAddresses&Version=2016-11-15&Filter.1.Name=tag:Name&\
                    Filter.1.Value.1=eip-gigadb-files-live-gigadbalt";
    let found = call(&lab, "ap-southeast-2", "ec2", "POST", "/", describe);
    assert!(found.contains(&format!("<publicIp>{}<", lab.address("files.alt-live.gigadb.host"))));
    assert!(found.contains("<instanceId>i-"));
    let calls = lab.control("GET", "calls?service=aws", &Value::Null);
    assert!(!calls.to_string().contains("Signature=secret"));
}

#[test]
fn host_programs_share_the_bucket() {
    let program = moto();
    let lab = Lab::start("bucket-moto", &["--moto", &program]);
    lab.says("gigadb-hk-bastion", "s3backup 202611211200");
    let key = "gigadb_gigascience-upstream-gigadb-website_live_202611211200.backup";
    let path = format!("/gigadb-database-backups/{key}");
    let object = call(&lab, "ap-east-1", "s3", "GET", &path, "");
    assert!(object.contains("-- PostgreSQL database dump complete"));
    call(&lab, "ap-east-1", "s3", "DELETE", &path, "");
    let code = lab.ssh("gigadb-sydney-bastion", "databaseReset 202611211200", "").status.code();
    assert_eq!(code, Some(1));
}

#[test]
fn a_reset_with_moto_is_fast_and_exact() {
    let program = moto();
    let lab = Lab::start("reset-moto", &["--moto", &program, "--rds-seconds", "0"]);
    let first = lab.world();
    rds(
        &lab,
        "CreateDBSnapshot",
        "DBInstanceIdentifier=rds-server-live-gigadb&DBSnapshotIdentifier=one",
    );
    lab.says("gigadb-hk-bastion", "s3backup 202611211200");
    assert_ne!(lab.world(), first);
    let start = std::time::Instant::now();
    lab.control("POST", "reset", &Value::Null);
    eprintln!("reset with moto: {:?}", start.elapsed());
    assert_eq!(lab.world(), first);
    assert!(lab.https(&lab.address("gigadb.org"), "gigadb.org", "GET /").is_ok());
}
