//! The handbook's own text, written down as it is: the linter finds what is wrong with it.

use changeover::workflow;

fn text() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/as-written/gigadb.yaml");
    std::fs::read_to_string(path).unwrap()
}

/// A rule, words of the line it is found in, and words that its message and help must have.
const WANTED: [(&str, &str, &[&str]); 24] = [
    (
        "EIP-NAME",
        "id: portainer,",
        &["`eip-gigadb-live-gigad`", "did you mean `eip-gigadb-live-gigadb`?"],
    ),
    (
        "FQDN-ZONE",
        "id: files,",
        &["`files.alt-live.gigadb.org`", "did you mean `files.alt-live.gigadb.host`?"],
    ),
    (
        "FQDN-PATTERN",
        "id: bastion,",
        &["`bastion.gigadb.org`", "did you mean `bastion.gigadb.host`?"],
    ),
    (
        "FQDN-PATTERN",
        "id: staging-bastion,",
        &["`bastion-stg.gigadb.host`", "did you mean `bastion.staging.gigadb.host`?"],
    ),
    ("FQDN-ZONE", "id: staging-bastion,", &["`staging-bastion`", "outside `gigadb.org`"]),
    (
        "VAR-DNS-MATCH",
        "  remote_fileserver_hostname:",
        &["`files.alt-live.gigadb.host`", "in the wrong zone"],
    ),
    (
        "SCHEME-MIX",
        "  HOME_URL:",
        &["`https` on production", "`http` on the standby", "write `https`"],
    ),
    ("SCHEME-MIX", "  REMOTE_HOME_URL:", &["write `https`"]),
    ("NAME-DERIVED", "id: web,", &["at both sites", "7 more"]),
    ("SHARED-PRINCIPAL", "profile: UpstreamAlt", &["the same principal", "IAM user of its own"]),
    ("STATE-STALE", "gitlab: gigadb-website", &["`current production`", "read from the records"]),
    ("UNKNOWN-SCRIPT", "  efs: {", &["no script `s3backup`", "`/usr/local/bin/sync_dropbox`"]),
    ("UNKNOWN-SCRIPT", "id: dump,", &["no script `S3backup`"]),
    ("STAMP-FORMAT", "id: load,", &["does not take", "twelve digits, UTC"]),
    ("SYNC-DIRECTION", "  efs: {", &["wrong direction", "`runs_on: production`"]),
    ("GROUP-PARTIAL", "id: switch,", &["a part of the group", "`bastion`", "`portainer`"]),
    ("PAIRED-STEP", "id: embargo,", &["embargo", "never lifts", "embargo.off", "`closing.lift`"]),
    (
        "PAIRED-STEP",
        "jobs:",
        &["nothing backs up the new production", "`runs_on: production`", "`action: job.on`"],
    ),
    ("ROLLBACK-DATA", "  soak:", &["a rollback loses writes", "embargo.on", "`on: standby`"]),
    ("ROLE-VAR", "id: deploy,", &["never writes its role variables", "`action: gitlab.variables`"]),
    ("TLS-COVERAGE", "  validate:", &["certificate for `gigadb.org`", "`check: tls`"]),
    ("PHASE-ORDER", "id: deploy,", &["`rds` can fire into the standby", "`action: job.off`"]),
    ("ZONE-DELEGATION", "  preflight:", &["delegated to Cloudflare", "`check: dns.delegated`"]),
    ("LIVE-REF", "  preflight:", &["annotated tag", "`check: gitlab.tag`"]),
];

#[test]
fn the_handbooks_mistakes_are_found() {
    let text = text();
    let parsed = match workflow::inspect(&text, "as-written/gigadb.yaml") {
        Ok(parsed) => parsed,
        Err(faults) => panic!("it cannot be read: {}", faults[0]),
    };
    let found = workflow::lint(&parsed);
    for (rule, line, words) in WANTED {
        let equal = text.lines().position(|it| it == line);
        let at = equal.or_else(|| text.lines().position(|it| it.contains(line))).unwrap() + 1;
        let said = found
            .iter()
            .filter(|it| it.rule == rule && it.line == at)
            .any(|it| words.iter().all(|word| it.message.contains(word) || it.help.contains(word)));
        let own: String =
            found.iter().filter(|it| it.rule == rule).map(|it| format!("{it}\n")).collect();
        assert!(said, "{rule} in line {at} with {words:?}, but:\n{own}");
    }
}

#[test]
fn no_run_starts_from_it() {
    assert!(workflow::parse(&text(), "as-written/gigadb.yaml").is_err());
}
