//! Every rule finds what it is for, at its line, and where possible is the only one to say so; the shipped
//! file has none of it.

use std::collections::{BTreeMap, BTreeSet};

use changeover::workflow::{self, Finding};

use super::gigadb;

/// Changes one text of the shipped file; the line of the change and everything that is found.
fn findings(rule: &str, old: &str, new: &str) -> (usize, Vec<Finding>) {
    let whole = gigadb();
    assert!(whole.contains(old), "{rule}: {old}");
    let text = whole.replacen(old, new, 1);
    let parsed = match workflow::inspect(&text, "x.yaml") {
        Ok(parsed) => parsed,
        Err(faults) => panic!("{rule}: {}", faults[0]),
    };
    let line = text.lines().position(|it| it.contains(new.lines().next().unwrap())).unwrap() + 1;
    (line, workflow::lint(&parsed))
}

/// A rule, a text of the shipped file, what it is replaced by, what message or help must say, and the rules
/// that cannot but find it too.
type Case = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("ALLOWED", "people:\n", "lint: { allow: [{ rule: SCHEME-MIX, at: variables.HOME_URL, reason: none }] }\npeople:\n", "remove it", &[]),
    ("BACKUP-DIRTY", "check: backup.whole, with: { newer_than: embargo } }", "check: backup.whole }", "newer_than: embargo", &[]),
    ("BUCKET-NAME", "bucket: gigadb-database-backups", "bucket: gigadb_database_backups", "small letters", &[]),
    ("DAEMON-SET", "    - { id: ftpd-new, ", "    # - { id: ftpd-new, ", "play it in `renew` too", &[]),
    ("DRILL-NAME", "url: \"https://gigadb.org/rss/latest\", status: 200 }", "url: \"https://staging.gigadb.org/rss/latest\", status: 200 }", "names of their own", &[]),
    ("EIP-NAME", "portainer.alt-live.gigadb.host, target: { eip: \"eip-gigadb-live-{{ site.owner }}\"", "portainer.alt-live.gigadb.host, target: { eip: \"eip-gigadb-liv-{{ site.owner }}\"", "did you mean `eip-gigadb-live-gigadb`?", &[]),
    ("EIP-NAME", "rds: \"rds-server-live-{{ site.owner }}\"", "rds: \"rds-serv-live-{{ site.owner }}\"", "did you mean `rds-server-live-gigadb`?", &[]),
    ("ENV-PER-ROLE", "  REMOTE_HOSTNAME:  ", "  MODE: { production: live, standby: live }\n  REMOTE_HOSTNAME:  ", "the projects", &[]),
    ("FAILOVER-BACKUP", "    - { id: out,        check: http, expect", "    - { id: newest, check: aws.daily, failover: asked, with: { age_max: 36h } }\n    - { id: out,        check: http, expect", "without the bucket", &[]),
    ("FILE-MISSING", "/usr/local/bin/databaseReset, /usr/local/bin/sync_dropbox, /usr/local/bin/site_stop]", "/usr/local/bin/databaseReset, /usr/local/bin/site_stop]", "`host.file`", &[]),
    ("FQDN-PATTERN", "standby: portainer.alt-live.gigadb.host,", "standby: port.alt-live.gigadb.host,", "did you mean `portainer.alt-live.gigadb.host`?", &[]),
    ("FQDN-ZONE", "standby: files.alt-live.gigadb.host,     target", "standby: files.alt-live.gigadb.org,     target", "did you mean `files.alt-live.gigadb.host`?", &["FQDN-PATTERN", "VAR-DNS-MATCH"]),
    ("FQDN-ZONE", "url: \"https://gigadb.org/rss/latest\", status: 200 }", "url: \"https://gigadb.com/rss/latest\", status: 200 }", "a name of this system", &[]),
    ("GROUP-PARTIAL", "action: switch }", "action: switch, with: { records: [web, files] } }", "list every record", &[]),
    ("LIFT-TOLD", "    - { id: told, ", "    # - { id: told, ", "`announce`", &[]),
    ("LITERAL-ARN", "text: \"GigaDB is frozen for", "text: \"arn:aws:iam: GigaDB is frozen for", "`vars` of each site", &[]),
    ("LIVE-REF", "project: \"{{ standby.gitlab }}\", tag: \"{{ release.version }}\", annotated: true", "project: \"{{ standby.gitlab }}\", tag: \"{{ release.version }}\", annotated: false", "annotated: true", &[]),
    ("MIGRATE-TARGET", "    - { id: counts, ", "    - { id: schema, action: host.run, on: standby, with: { host: bastion, argv: [/usr/local/bin/sync_dropbox, \"{{ run.id }} migrate\"] } }\n    - { id: counts, ", "name the database", &[]),
    ("NAME-DERIVED", "eip: \"eip-gigadb-files-live-{{ site.owner }}\"", "eip: \"eip-gigadb-files-live\"", "make it from the site", &["EIP-NAME"]),
    ("NAME-DRIFT", "url: \"https://alt-live.gigadb.host/\", status: 200, body: \"Version: {{ release.version }}\"", "url: \"https://alt-lvie.gigadb.host/\", status: 200, body: \"Version: {{ release.version }}\"", "did you mean `alt-live.gigadb.host`?", &[]),
    ("OLD-SIDE", "    - { id: off-swap, ", "    # - { id: off-swap, ", "check: jobs.off", &["PAIRED-STEP"]),
    ("OLD-SIDE", "    - { id: f-efs, ", "    # - { id: f-efs, ", "failover.assess", &[]),
    ("PAIRED-STEP", "  s3backup:    # the handbook", "  another: { backup: files, runs_on: production, host: bastion, line: \"1 1 * * * /usr/local/bin/s3backup 20260101\", marker: x }\n  s3backup:    # the handbook", "`job.off`", &[]),
    ("PAIRED-STEP", "    - { id: lift,       action", "    # - { id: lift,       action", "embargo.off", &[]),
    ("PAIRED-STEP", "    - { id: backup-on,", "    # - { id: backup-on,", "closing.lift", &[]),
    ("PHASE-MISSING", "    - { id: confirm,    check: switch.confirm", "    # - { id: confirm,    check: switch.confirm", "switch.confirm", &[]),
    ("PHASE-ORDER", "    - { id: target,     check", "    # - { id: target,     check", "database.target", &[]),
    ("PHASE-ORDER", "    - { id: efs-hold, ", "    # - { id: efs-hold, ", "job: sync_dropbox", &[]),
    ("PORT-DRIFT", "address: \"{{ standby.eip.web }}:443\", name: gigadb.org, days_min: 1 }", "address: \"{{ standby.eip.web }}:8443\", name: gigadb.org, days_min: 1 }", "443", &[]),
    ("PUBLIC-DUMP", "argv: [/usr/local/bin/s3backup, \"{{ run.stamp }}\"]", "argv: [/usr/local/bin/s3backup, \"{{ run.stamp }}\", \"{{ run.id }}/var/www/html\"]", "only its user", &[]),
    ("RDS-ENDPOINT", "text: \"GigaDB is frozen for", "text: \"rds-server-live-gigadb.c1.ap-east-2.rds.amazonaws.com is frozen for", "did you mean `ap-east-1`?", &[]),
    ("REGION-HARDCODED", "text: \"GigaDB is frozen for", "text: \"GigaDB in ap-east-1 is frozen for", "standby.region", &[]),
    ("ROLE-HARDCODED", "instance: \"{{ standby.rds }}\",    status", "instance: rds-server-live-gigadbalt,    status", "standby.rds", &[]),
    ("ROLE-HARDCODED", "projects: [\"{{ production.gitlab }}\", ", "projects: [gigascience/upstream/gigadb-website, ", "production.gitlab", &[]),
    ("ROLE-VAR", "    - { id: vars-blue, ", "    # - { id: vars-blue, ", "gitlab.variables", &[]),
    ("ROLLBACK-DATA", "    - { id: hold-stby, ", "    # - { id: hold-stby, ", "embargo.on", &[]),
    ("ROLLBACK-DATA", "    - { id: keep-old, ", "    # - { id: keep-old, ", "aws.rds.snapshot", &["PHASE-ORDER"]),
    ("SCHEME-MIX", "HOME_URL:                   { production: \"https://gigadb.org\", standby: \"https:", "HOME_URL:                   { production: \"https://gigadb.org\", standby: \"http:", "write `https` on both", &[]),
    ("SHARED-PRINCIPAL", "principal: GigadbAlt", "principal: Gigadb ", "an IAM user of its own", &[]),
    ("SNAPSHOT-ID", "name: \"changeover-{{ run.id }}-standby\"", "name: \"changeover-{{ release.version }}-standby\"", "single hyphens", &[]),
    ("STAMP-FORMAT", "on: production, timeout: 2h, with: { host: bastion, argv: [/usr/local/bin/s3backup, \"{{ run.stamp }}\"]", "on: production, timeout: 2h, with: { host: bastion, argv: [/usr/local/bin/s3backup]", "{{ run.stamp }}", &[]),
    ("STATE-STALE", "dashed: gigascience-upstream-gigadb-website,", "dashed: v4.3.3,", "{{ production.release }}", &[]),
    ("SYNC-DIRECTION", "sync: { from: production, to: standby }", "sync: { from: standby, to: production }", "from: production", &[]),
    ("TEXT", "trailer: \"-- PostgreSQL", "trailer: \"\u{2013} PostgreSQL", "keyboard", &[]),
    ("TLS-COVERAGE", "    - { id: tls-again, ", "    # - { id: tls-again, ", "standby.eip.web", &[]),
    ("TZ-MISSING", "text: \"GigaDB is frozen for", "text: \"GigaDB is frozen until 10:30 for", "10:30 UTC", &[]),
    ("UNKNOWN-SCRIPT", "argv: [/usr/local/bin/s3backup, \"{{ run.stamp }}\"]", "argv: [/usr/local/bin/S3backup, \"{{ run.stamp }}\"]", "did you mean `/usr/local/bin/s3backup`?", &[]),
    ("UNKNOWN-SCRIPT", "line: \"0 11 * * * /usr/local/bin/sync_dropbox --apply\"", "line: \"0 11 * * * /usr/local/bin/sync_drobox --apply\"", "did you mean `/usr/local/bin/sync_dropbox`?", &[]),
    ("UNKNOWN-SCRIPT", "/usr/local/bin/sync_dropbox --apply\"", "/usr/local/bin/sync_dropbox --aply\"", "it takes", &[]),
    ("VAR-DNS-MATCH", "standby: files.alt-live.gigadb.host }", "standby: bastion.alt-live.gigadb.host }", "did you mean `files.alt-live.gigadb.host`?", &[]),
    ("VERSION-NAME", "id: front,      check: http, wait: 5m, with: { url: \"https://gigadb.org/\", status: 200, body: \"Version: {{ production.release }}\"", "id: front,      check: http, wait: 5m, with: { url: \"https://gigadb.org/\", status: 200, body: \"Version: {{ release.version }}\"", "production.release", &[]),
    ("VERSION-SPLIT", "ref: \"{{ release.version }}\", job: PureFtpdBuildLive", "ref: \"{{ production.release }}\", job: PureFtpdBuildLive", "as above", &[]),
    ("WAIT-FIXED", "    - { id: counts, ", "    - { id: rest, action: host.run, on: standby, with: { host: bastion, argv: [/usr/local/bin/sync_dropbox, \"{{ run.id }} sleep 30\"] } }\n    - { id: counts, ", "poll a check", &[]),
    ("ZONE-DELEGATION", "    - { id: zones, ", "    # - { id: zones, ", "dns.delegated", &[]),
];

/// No change of one place breaks these alone: a name that is alike at both sites fits no pattern of names
/// that differ by site.
const NEVER_ALONE: [&str; 1] = ["NAME-DERIVED"];

/// How far above the change a phase's own key may stand, where a step is missing in it.
const PHASE_LINES: usize = 50;

#[test]
fn every_rule_finds_its_mistake() {
    for (rule, old, new, says, others) in CASES {
        let (line, all) = findings(rule, old, new);
        let own: Vec<&Finding> = all.iter().filter(|it| it.rule == *rule).collect();
        assert!(!own.is_empty(), "{rule} finds nothing for {new}");
        let said = |it: &&Finding| it.message.contains(says) || it.help.contains(says);
        let fits = own.iter().find(|it| said(it)).unwrap_or_else(|| panic!("{rule}: {}", own[0]));
        // What is missing is reported at its phase, at what it would have paid for, or where it is declared.
        let missing = new.trim_start().starts_with('#') || *rule == "FILE-MISSING";
        let far = fits.line.abs_diff(line);
        assert!(far == 0 || far <= PHASE_LINES || missing, "{rule}: {far} lines away: {fits}");
        assert!(fits.to_string().lines().next().unwrap().contains(&format!("[{rule}]: ")));
        let found: BTreeSet<&str> = all.iter().map(|it| it.rule).filter(|it| it != rule).collect();
        assert_eq!(found, others.iter().copied().collect(), "{rule} for {new}");
    }
}

#[test]
fn every_rule_is_tried_alone_and_has_a_page() {
    let mut alone: BTreeMap<&str, bool> = BTreeMap::new();
    for (rule, .., others) in CASES {
        *alone.entry(rule).or_default() |= others.is_empty();
    }
    for rule in workflow::RULES {
        let once = alone.get(rule.id).copied();
        assert_eq!(once, Some(!NEVER_ALONE.contains(&rule.id)), "{}", rule.id);
        let page = rule.page;
        assert!(page.starts_with(&format!("# {}\n", rule.id)) && page.len() > 200, "{}", rule.id);
        assert!(!rule.why().is_empty(), "{}: no reason", rule.id);
    }
}
