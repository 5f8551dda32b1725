//! Every rule finds what it is for, at its line; the shipped file has none of it.

use std::collections::BTreeSet;

use changeover::workflow;

use super::gigadb;

/// Changes one text of the shipped file; the findings of this rule, as printed.
fn findings(rule: &str, old: &str, new: &str) -> Vec<(usize, String)> {
    let whole = gigadb();
    assert!(whole.contains(old), "{old}");
    let text = whole.replacen(old, new, 1);
    let parsed = match workflow::parse(&text, "x.yaml") {
        Ok(parsed) => parsed,
        Err(faults) => panic!("{rule}: {}", faults[0]),
    };
    let line = text.lines().position(|it| it.contains(new.lines().next().unwrap())).unwrap() + 1;
    let found = workflow::lint(&parsed).into_iter().filter(|it| it.rule == rule);
    found.map(|it| (it.line.abs_diff(line), it.to_string())).collect()
}

/// A rule, a text of the shipped file, what it is replaced by, and what the help must say.
const CASES: [(&str, &str, &str, &str); 15] = [
    (
        "EIP-NAME",
        "portainer.alt-live.gigadb.host, target: { eip: \"eip-gigadb-live-{{ site.owner }}\"",
        "portainer.alt-live.gigadb.host, target: { eip: \"eip-gigadb-live-gigad\"",
        "did you mean `eip-gigadb-live-gigadb`?",
    ),
    (
        "EIP-NAME",
        "rds: \"rds-server-live-{{ site.owner }}\"",
        "rds: \"rds-serv-live-{{ site.owner }}\"",
        "did you mean `rds-server-live-gigadb`?",
    ),
    (
        "FQDN-ZONE",
        "standby: files.alt-live.gigadb.host,     target",
        "standby: files.alt-live.gigadb.org,     target",
        "end in `.gigadb.host`",
    ),
    (
        "FQDN-ZONE",
        "url: \"https://gigadb.org/rss/latest\", status: 200 }",
        "url: \"https://gigadb.com/rss/latest\", status: 200 }",
        "a name of this system",
    ),
    ("LIFT-TOLD", "    - { id: told, ", "    # - { id: told, ", "`announce`"),
    (
        "PAIRED-STEP",
        "  s3backup:    # the handbook",
        "  another: { backup: files, runs_on: production, host: bastion, line: \"1 1 * * * x\", marker: x }\n  s3backup:    # the handbook",
        "`job.off`",
    ),
    (
        "ROLE-HARDCODED",
        "instance: \"{{ standby.rds }}\",    status",
        "instance: rds-server-live-gigadbalt,    status",
        "standby.rds",
    ),
    (
        "ROLE-HARDCODED",
        "projects: [\"{{ production.gitlab }}\", ",
        "projects: [gigascience/upstream/gigadb-website, ",
        "production.gitlab",
    ),
    ("SHARED-PRINCIPAL", "principal: GigadbAlt", "principal: Gigadb ", "an IAM user of its own"),
    (
        "SNAPSHOT-ID",
        "name: \"changeover-{{ run.id }}-standby\"",
        "name: \"changeover-{{ release.version }}-standby\"",
        "single hyphens",
    ),
    (
        "SYNC-DIRECTION",
        "sync: { from: production, to: standby }",
        "sync: { from: standby, to: production }",
        "from: production",
    ),
    ("TLS-COVERAGE", "    - { id: tls-again, ", "    # - { id: tls-again, ", "standby.eip.web"),
    (
        "VAR-DNS-MATCH",
        "standby: files.alt-live.gigadb.host }",
        "standby: files.alt-live.gigadb.org }",
        "did you mean `files.alt-live.gigadb.host`?",
    ),
    (
        "VAR-DNS-MATCH",
        "HOME_URL:                   { production: \"https://gigadb.org\", standby: \"https:",
        "HOME_URL:                   { production: \"https://gigadb.org\", standby: \"http:",
        "write `https` on both",
    ),
    (
        "VERSION-NAME",
        "id: front,      check: http, wait: 5m, with: { url: \"https://gigadb.org/\", status: 200, body: \"Version: {{ production.release }}\"",
        "id: front,      check: http, wait: 5m, with: { url: \"https://gigadb.org/\", status: 200, body: \"Version: {{ release.version }}\"",
        "production.release",
    ),
];

#[test]
fn every_rule_finds_its_mistake() {
    for (rule, old, new, help) in CASES {
        let found = findings(rule, old, new);
        assert!(!found.is_empty(), "{rule} finds nothing for {new}");
        // A missing step is reported at its phase, a few lines above.
        assert!(found[0].0 <= 5, "{rule}: {} lines away: {}", found[0].0, found[0].1);
        assert!(found[0].1.contains(help), "{rule}: {}", found[0].1);
        assert!(found[0].1.lines().next().unwrap().contains(&format!("[{rule}]: ")));
    }
}

#[test]
fn every_rule_has_a_case_and_a_page() {
    let tried: BTreeSet<&str> = CASES.iter().map(|it| it.0).collect();
    for rule in workflow::RULES {
        assert!(tried.contains(rule.id), "{} is never tried", rule.id);
        assert!(
            rule.page.starts_with(&format!("# {}\n", rule.id)) && rule.page.len() > 200,
            "{}",
            rule.id
        );
    }
}
