//! The scripts we ship for `GigaDB`'s bastions, run with stand-ins for what they call.

use std::process::{Command, Output};

use super::shell::Hosts;

const DOCKER: &str = r#"#!/bin/sh
echo "$*" >>DIR/docker.calls
case "$*" in
  *'--entrypoint pg_dump'*) cat DIR/dump ;;
  *'--entrypoint rclone'*copyto*) ls DIR/home/backups >DIR/uploaded ;;
  *'--entrypoint rclone'*'cat --tail 4096'*) tail -c 4096 DIR/dump ;;
esac
"#;

const DUMP: &str = "data\n--\n-- PostgreSQL database dump complete\n--\n\n";

fn bastion() -> Hosts {
    let hosts = Hosts::new();
    std::fs::create_dir(hosts.path("home")).unwrap();
    hosts.write("home/.env", "PGHOST=db.example\nPGDATABASE=gigadb\nGITLAB_PROJECT_NAME=a/b/c\nGIGADB_ENVIRONMENT=live\nX=$(touch DIR/hacked)\n");
    hosts.program("docker", DOCKER);
    hosts.program(
        "upstream",
        "#!/bin/sh\necho \"$*\" >>DIR/loads; cat .env >DIR/seen; exit $(cat DIR/ends)\n",
    );
    hosts.write("ends", "0\n");
    hosts
}

fn run(hosts: &Hosts, script: &str, args: &[&str]) -> Output {
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", hosts.path("bin").display());
    Command::new("sh")
        .arg(format!("{}/docs/gigadb/{script}", env!("CARGO_MANIFEST_DIR")))
        .args(args)
        .env_clear()
        .env("PATH", path)
        .env("GIGADB_HOME", hosts.path("home"))
        .env("GIGADB_RESET", hosts.path("bin/upstream"))
        .output()
        .unwrap()
}

#[test]
fn a_backup_carries_its_stamp_and_is_uploaded_whole_or_not_at_all() {
    let hosts = bastion();
    hosts.write("dump", DUMP);
    let done = run(&hosts, "s3backup", &["202611210500"]);
    assert!(done.status.success(), "{done:?}");
    assert_eq!(hosts.read("uploaded"), "gigadb_a-b-c_live_202611210500.backup\n");
    let calls = hosts.read("docker.calls");
    assert!(calls.contains("registry.gitlab.com/a/b/c/production_s3backup:live"), "{calls}");
    hosts.write("dump", "data\n");
    hosts.write("uploaded", "");
    assert!(!run(&hosts, "s3backup", &[]).status.success());
    assert_eq!(hosts.read("uploaded"), "");
    for wrong in [&["latest"][..], &["2026"], &["20261121", "x"], &["2026112x"], &["-1234567"]] {
        assert_eq!(run(&hosts, "s3backup", wrong).status.code(), Some(2), "{wrong:?}");
    }
    assert!(!hosts.path("hacked").exists());
}

#[test]
fn a_load_looks_at_the_dump_before_it_drops_anything() {
    let hosts = bastion();
    hosts.write("dump", DUMP);
    assert!(run(&hosts, "databaseReset", &["202611210500"]).status.success());
    assert_eq!(hosts.read("loads"), "202611210500\n");
    let calls = hosts.read("docker.calls");
    assert!(calls.contains("gigadb_gigascience-upstream-gigadb-website_live_202611210500.backup"));
    assert!(run(&hosts, "databaseReset", &[]).status.success());
    assert_eq!(hosts.read("loads").lines().nth(1).map(str::len), Some(8), "yesterday");
    hosts.write("dump", "");
    let refused = run(&hosts, "databaseReset", &["202611210500"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("nothing was changed"));
    assert_eq!(run(&hosts, "databaseReset", &["today"]).status.code(), Some(2));
    assert_eq!(hosts.read("loads").lines().count(), 2);
}

#[test]
fn a_load_may_write_where_the_role_only_reads() {
    let hosts = bastion();
    hosts.write("dump", DUMP);
    let done = run(&hosts, "databaseReset", &["202611210500"]);
    assert!(done.status.success(), "{done:?}");
    let (seen, own) = (hosts.read("seen"), hosts.read("home/.env"));
    assert!(seen.starts_with(&own), "the host's own settings: {seen}");
    assert_eq!(&seen[own.len()..], "PGOPTIONS=-c default_transaction_read_only=off\n");
    assert!(!own.contains("PGOPTIONS"), "for the load alone");
    hosts.write("ends", "7\n");
    assert_eq!(run(&hosts, "databaseReset", &["202611210500"]).status.code(), Some(7));
}

#[test]
fn a_count_that_cannot_be_read_is_no_number() {
    let hosts = bastion();
    // The stand-in for ssh runs the script here: `docker` is the one beside it.
    hosts.program("ssh", "#!/bin/sh\nwhile [ $# -gt 1 ]; do shift; done\nexec sh -c \"$1\"\n");
    let docker = "#!/bin/sh\n[ \"$1\" = inspect ] && exec test -e DIR/log\ncat DIR/log\n";
    hosts.program("docker", docker);
    let unset = run(&hosts, "site_requests", &[]);
    assert!(!unset.status.success() && unset.stdout.is_empty(), "{unset:?}");
    hosts.write("home/.env", "WEB_HOST=10.99.0.7\n");
    let gone = run(&hosts, "site_requests", &[]);
    assert!(!gone.status.success() && gone.stdout.is_empty(), "{gone:?}");
    hosts.write("log", "gigadb.org GET /\nalt-live.gigadb.host GET /\nfiles.gigadb.org GET /x\n\n");
    let counted = run(&hosts, "site_requests", &[]);
    assert_eq!(String::from_utf8_lossy(&counted.stdout), "2\n", "{counted:?}");
}
