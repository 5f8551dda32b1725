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

/// A database whose only role keeps its setting in a file.
const PSQL: &str = r#"#!/bin/sh
[ "$PGHOST $PGDATABASE $PGOPTIONS" = 'db.example postgres -c default_transaction_read_only=off' ] || exit 2
case $2 in
  *quote_ident*) grep -q on DIR/role && echo gigadb || : ;;
  'alter role gigadb set default_transaction_read_only = on') echo on >DIR/role ;;
  'alter role gigadb reset default_transaction_read_only') echo off >DIR/role ;;
  *) exit 1 ;;
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
        "#!/bin/sh\necho \"$*\" >>DIR/loads; cat DIR/role >>DIR/seen; exit $(cat DIR/ends)\n",
    );
    hosts.program("psql", PSQL);
    hosts.write("role", "");
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
fn a_load_opens_an_embargo_for_itself_only() {
    let hosts = bastion();
    hosts.write("dump", DUMP);
    for ends in ["0\n", "7\n"] {
        hosts.write("role", "on\n");
        hosts.write("seen", "");
        hosts.write("ends", ends);
        let done = run(&hosts, "databaseReset", &["202611210500"]);
        assert_eq!(
            done.status.code().map(|it| format!("{it}\n")).as_deref(),
            Some(ends),
            "{done:?}"
        );
        assert_eq!((hosts.read("seen"), hosts.read("role")), ("off\n".into(), "on\n".into()));
    }
    hosts.program("psql", "#!/bin/sh\nexit 2\n");
    hosts.write("loads", "");
    let done = run(&hosts, "databaseReset", &["202611210500"]);
    assert!(!done.status.success() && hosts.read("loads").is_empty(), "{done:?}");
}
