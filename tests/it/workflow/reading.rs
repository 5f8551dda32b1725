//! Reading: all faults at once, names filled in, small questions answered.

use std::collections::BTreeMap;

use changeover::fault;
use changeover::model::{Kind, SiteName};
use changeover::workflow::template::{RunNames, Scope, render};
use changeover::workflow::{self, Workflow};

use super::gigadb;

fn shipped() -> Workflow {
    workflow::parse(&gigadb(), "gigadb.yaml").unwrap().workflow
}

fn places(text: &str) -> Vec<(String, usize)> {
    let faults = workflow::parse(text, "x.yaml").err().unwrap_or_default();
    faults.iter().map(|it| (it.code.id.to_owned(), it.place.as_ref().unwrap().line)).collect()
}

#[test]
fn several_mistakes_are_reported_together() {
    let edits = [
        ("region: ap-east-1, principal", "region: 5, principal", "E1008"),
        ("production: portainer.gigadb.org, ", "productoin: portainer.gigadb.org, ", "E1006"),
        ("ttl_max: 300s", "ttl_max: soon", "E1010"),
        ("  backup:\n    - { id: snap-prod", "  bakcup:\n    - { id: snap-prod", "E1006"),
        ("check: aws.eip, on: production }", "check: aws.epi, on: production }", "E1011"),
        (
            "job: build_live, await: ld_gigadb } }\n    - { id: urls, ",
            "await: ld_gigadb } }\n    - { id: urls, ",
            "E1007",
        ),
        ("timeout: 4h", "timeout: 4 parsecs", "E1010"),
        (
            "with: { job: s3backup } }\n    - { id: lift, ",
            "with: { jbo: s3backup } }\n    - { id: lift, ",
            "E1006",
        ),
        ("soak: { planned: 0m, at_most: 24h }", "soak: { planned: 0m }", "E1007"),
    ];
    let mut text = gigadb();
    for (old, new, _) in edits {
        assert!(text.contains(old), "{old}");
        text = text.replacen(old, new, 1);
    }
    let line = |new: &str| text[..text.find(new).unwrap()].matches('\n').count() + 1;
    let mut wanted: Vec<(String, usize)> =
        edits.iter().map(|(_, new, code)| ((*code).to_owned(), line(new))).collect();
    wanted.sort_by_key(|it| it.1);
    assert_eq!(places(&text), wanted);
}

#[test]
fn several_mistakes_in_one_map_are_reported_together() {
    let text =
        gigadb().replacen("user: centos, cwd: /home/centos }", "wrong: 1, other: 2 }", 1).replacen(
            "status: 200, body: \"Version: {{ release.version }}\"",
            "stats: many, more: 1",
            1,
        );
    let faults = workflow::parse(&text, "x.yaml").unwrap_err();
    let said: Vec<&str> = faults.iter().map(|it| it.message.as_str()).collect();
    assert_eq!(
        said,
        [
            "`hosts.bastion` lacks the key `user`",
            "`hosts.bastion` lacks the key `cwd`",
            "`wrong` is not a key of `hosts.bastion`",
            "`other` is not a key of `hosts.bastion`",
            "`stats` is not a key of `release.deploy[7].with`",
            "`release.deploy[7].with.status` is not a whole number up to 65535",
            "`more` is not a key of `release.deploy[7].with`",
        ]
    );
}

#[test]
fn mistakes_between_parts_are_reported_together() {
    let text = gigadb()
        .replacen("with: { job: databaseReset } }", "with: { job: databaseRest } }", 1)
        .replacen("host: bastion\n    line: \"0 22", "host: bastoin\n    line: \"0 22", 1)
        .replacen("{{ standby.eip.web }}:443", "{{ standby.eip.wbe }}:443", 1)
        .replacen("planned: 30m", "planned: 30s", 1);
    let codes: Vec<String> = places(&text).into_iter().map(|it| it.0).collect();
    assert_eq!(codes, ["E1016", "E1016", "E1014", "E1020"]);
}

#[test]
fn what_yaml_allows_and_we_do_not() {
    for (text, code, line) in [
        ("", "E1002", 1),
        ("a: &x 1\nb: *x\n", "E1003", 1),
        ("a: 1\n<<: { b: 1 }\n", "E1003", 2),
        ("a: !!str 1\n", "E1003", 1),
        ("a: 1\n---\nb: 1\n", "E1003", 2),
        ("? [a]\n: 1\n", "E1003", 1),
        ("a:\n  b: 1\n  b: 2\n", "E1005", 3),
        ("1: a\n", "E1006", 1),
    ] {
        let found = places(text);
        assert_eq!(found.first().map(|it| (it.0.as_str(), it.1)), Some((code, line)), "{text}");
    }
    let bomb = "a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b, *b]\n";
    assert_eq!(places(bomb).iter().filter(|it| it.0 == "E1003").count(), 7);
    assert_eq!(places(&format!("a: {}\n", "x".repeat(1 << 20)))[0].0, "E1004");
    assert_eq!(places(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)))[0].0, "E1004");
}

#[test]
fn a_practice_copy_may_hurry() {
    let hurried = gigadb().replacen("planned: 30m", "planned: 1s", 1);
    assert_eq!(places(&hurried)[0].0, "E1020");
    let practice = hurried.replacen(
        "system: gigadb\n",
        "system: gigadb\npractice: true\nlimits: { settle: 50ms, poll: 10ms }\n",
        1,
    );
    assert_eq!(places(&practice), []);
}

#[test]
fn a_count_of_users_is_waited_for_longer_than_it_takes() {
    let step = "id: drained,    check: drained, wait: 2h,";
    assert!(gigadb().contains(step));
    for short in ["wait: 5m,", "wait: 30s,", ""] {
        let text = gigadb().replacen(step, &format!("id: drained, check: drained, {short}"), 1);
        let line = text.lines().position(|it| it.contains("check: drained")).unwrap() + 1;
        assert_eq!(places(&text), [("E1020".to_owned(), line)], "{short}");
    }
    assert_eq!(places(&gigadb().replacen("wait: 2h, skip", "wait: 6m, skip", 1)), []);
}

#[test]
fn names_of_a_run_follow_its_roles() {
    let workflow = shipped();
    let (hk, sydney) = (SiteName::from("hk"), SiteName::from("sydney"));
    let releases: BTreeMap<_, _> =
        [(hk.clone(), "v1".to_owned()), (sydney.clone(), "v2".to_owned())].into();
    let own = |address: &str| BTreeMap::from([("web".to_owned(), address.to_owned())]);
    let addresses = [(hk.clone(), own("127.0.1.1")), (sydney.clone(), own("127.0.2.1"))].into();
    let names = RunNames {
        id: "r7",
        kind: Kind::Release,
        stamp: None,
        version: Some("v2"),
        production: &sydney,
        standby: &hk,
        releases: &releases,
        addresses: &addresses,
    };
    let scope = Scope::for_run(&workflow, names);
    let text = "{{ run.id }} {{ run.kind }} {{ release.version }} {{ production.name }} {{ production.rds }} {{ standby.eip.web }} {{ standby.release }} {{ standby.owner }} {{ production.region }}";
    let wanted =
        "r7 release v2 sydney rds-server-live-gigadbalt 127.0.1.1 v1 gigadb ap-southeast-2";
    assert_eq!(render(text, &scope).as_deref(), Ok(wanted));
    assert_eq!(render("{{ run.stamp }}", &scope).unwrap_err().path, "run.stamp");
    let without =
        Scope::for_run(&workflow, RunNames { version: None, stamp: Some("202610011200"), ..names });
    assert_eq!(
        render("{{ release.version }} {{ run.stamp }}", &without).as_deref(),
        Ok("v2 202610011200")
    );
    assert!(render("{{ site.owner }}", &without).is_err());
}

#[test]
fn small_questions() {
    let workflow = shipped();
    let (hk, sydney) = (SiteName::from("hk"), SiteName::from("sydney"));
    assert_eq!(workflow.other(&hk), Some(&sydney));
    assert_eq!(workflow.host_alias("bastion", &sydney).as_deref(), Ok("gigadb-sydney-bastion"));
    assert!(workflow.host_alias("web", &sydney).is_err());
    assert_eq!(workflow.rds(&hk).as_deref(), Ok("rds-server-live-gigadb"));
    let files = &workflow.cloudflare().records[2];
    assert_eq!(workflow.eip_name(files, &sydney).as_deref(), Ok("eip-gigadb-files-live-gigadbalt"));
    let zone = |name: &str| workflow.zone_of(name).map(|it| it.name.as_str());
    assert_eq!(zone("files.alt-live.gigadb.host"), Some("gigadb.host"));
    assert_eq!(zone("gigadb.org"), Some("gigadb.org"));
    assert_eq!(zone("notgigadb.org"), None);
}

#[test]
fn every_code_of_the_file_has_a_page_and_a_case() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/broken");
    let all: String = std::fs::read_dir(folder)
        .unwrap()
        .map(|it| std::fs::read_to_string(it.unwrap().path()).unwrap())
        .collect();
    for code in fault::WORKFLOW {
        assert!(code.page.starts_with(&format!("# {}: {}\n", code.id, code.title)), "{}", code.id);
        assert!(code.page.lines().count() >= 10, "{}", code.id);
        // The file itself could not be read: nothing of it is parsed.
        assert!(
            code.id == "E1001" || all.contains(&format!("# expect: {} ", code.id)),
            "{}",
            code.id
        );
    }
}

#[test]
fn the_yaml_crate_is_named_in_one_file() {
    fn walk(folder: &std::path::Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if std::fs::read_to_string(&path).unwrap().contains("serde_yaml") {
                found.push(path.file_name().unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    let mut found = vec![];
    walk(concat!(env!("CARGO_MANIFEST_DIR"), "/src").as_ref(), &mut found);
    assert_eq!(found, ["yaml.rs"]);
}
