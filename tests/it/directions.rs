//! Two releases in a row in opposite directions: what holds for one site must hold for the other. And the
//! shipped workflow with its two sites' names exchanged plans the same, mirrored.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command as Process;

use changeover::model::{Kind, Phase, SiteName};
use changeover::workflow::template::{RunNames, Scope, render_value};
use changeover::workflow::{self, Workflow};
use serde_json::{Value, json};

use crate::practice::{Lab, Operator};

const BASTIONS: [(&str, &str); 2] =
    [("hk", "gigadb-hk-bastion"), ("sydney", "gigadb-sydney-bastion")];
/// Under this name the restore script looks a dump up, whoever is production.
const RESTORED: &str = "gigadb_gigascience-upstream-gigadb-website_live_";

/// The entries of each site's crontab, in whatever order.
fn crons(lab: &Lab) -> BTreeMap<&'static str, BTreeSet<String>> {
    let world = lab.world();
    let lines = |alias: &str| -> BTreeSet<String> {
        let text = world["hosts"][alias]["crontab"].as_str().unwrap_or_default().to_owned();
        text.lines().map(str::to_owned).collect()
    };
    BASTIONS.into_iter().map(|(site, alias)| (site, lines(alias))).collect()
}

/// A user writes on a site, under production's name.
fn write(operator: &Operator, site: &str, key: &str) {
    let address = operator.life().record.addresses[&SiteName::from(site)]["web"].clone();
    let port = operator.env["CHANGEOVER_CONNECT_TO"].rsplit(':').next().unwrap().to_owned();
    let to = format!("gigadb.org:{port}:{address}");
    let url = format!("https://gigadb.org:{port}/write?key={key}");
    let done = Process::new("curl")
        .args(["-sk", "--fail-with-body", "-X", "POST", "--resolve", &to, &url])
        .output()
        .unwrap();
    assert!(done.status.success(), "{site}: {}", String::from_utf8_lossy(&done.stdout));
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect()
}

/// What both sites hold is the same and whole.
fn data_is_equal(lab: &Lab, datasets: u64) {
    let world = lab.world();
    let (hk, sydney) = (&world["databases"]["hk"], &world["databases"]["sydney"]);
    assert_eq!(hk["digest"], sydney["digest"], "{hk} {sydney}");
    assert_eq!(hk["datasets"], json!(datasets));
    assert!(hk["read_only"] == false && sydney["read_only"] == false, "{hk} {sydney}");
    let boxes = |alias: &str| world["hosts"][alias]["dropbox"]["digest"].clone();
    assert_eq!(boxes(BASTIONS[0].1), boxes(BASTIONS[1].1));
}

/// Every load since is of an object that the other site dumped, whole as it was dumped, and under the name
/// that the script reads; a load of a site's own or an old dump would be none of these.
fn no_load_is_stale(lab: &Lab, since: &BTreeMap<&str, usize>) -> usize {
    let databases = lab.world()["databases"].clone();
    let mut loads = 0;
    for (site, other) in [("hk", "sydney"), ("sydney", "hk")] {
        let dumped: BTreeMap<String, String> = texts(&databases[other]["dumps"])
            .into_iter()
            .zip(texts(&databases[other]["dumped"]))
            .collect();
        for object in databases[site]["objects"].as_array().unwrap().iter().skip(since[site]) {
            let key = object["key"].as_str().unwrap();
            let stamp = key.strip_prefix(RESTORED).unwrap().strip_suffix(".backup").unwrap();
            assert_eq!(stamp.len(), 12, "a run's stamp, not the day's: {key}");
            let digest = dumped
                .get(stamp)
                .unwrap_or_else(|| panic!("{site} loaded {key}, which {other} never dumped"));
            assert_eq!(object["digest"], json!(digest), "{key}");
            loads += 1;
        }
    }
    loads
}

fn loaded(lab: &Lab) -> BTreeMap<&'static str, usize> {
    let databases = lab.world()["databases"].clone();
    let count = |site: &str| databases[site]["objects"].as_array().unwrap().len();
    ["hk", "sydney"].map(|site| (site, count(site))).into()
}

/// Both projects' live variables are production's: a standby answers as production and as itself.
fn variables_are_productions(lab: &Lab) {
    let world = lab.world();
    for (site, _) in BASTIONS {
        let own = &world["sites"][site]["configuration"];
        assert_eq!(own["HOME_URL"], "https://gigadb.org", "{site}: {own}");
        assert_eq!(own["REMOTE_HOSTNAME"], "gigadb.org", "{site}: {own}");
    }
}

fn table_says(operator: &Operator, production: &str, version: &str) {
    let text = std::fs::read_to_string(operator.state.join("docs/status.md")).unwrap();
    let projects = [("hk", "| gigadb-website | "), ("sydney", "| alt-gigadb-website | ")];
    for (site, start) in projects {
        let row = text.lines().find(|it| it.starts_with(start)).unwrap();
        let role = if site == production { "current production" } else { "hot stand-by" };
        assert!(row.ends_with(&format!(" | {role} | {version} | OK |")), "{row}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_releases_in_opposite_directions() {
    let lab = Lab::start();
    let operator = Operator::new(&lab, "directions");
    let at_first = crons(&lab);
    let since = loaded(&lab);
    operator.release("v4.3.4", "sydney").await;
    data_is_equal(&lab, 40);
    assert_eq!(no_load_is_stale(&lab, &since), 2, "reset and renew");
    let swapped: BTreeMap<_, _> =
        [("hk", at_first["sydney"].clone()), ("sydney", at_first["hk"].clone())].into();
    assert_eq!(crons(&lab), swapped, "each job runs on the host of its role");
    variables_are_productions(&lab);
    table_says(&operator, "sydney", "v4.3.4");

    // People write on Sydney. Its next dump is named after its own project, and the script on the new
    // standby looks under Hong Kong's name: what lies there is the dump of the day before, and Hong Kong's
    // own ones of the first run.
    for key in ["200001", "200002", "200003"] {
        write(&operator, "sydney", key);
    }
    let bucket = lab.world()["bucket"].clone();
    let stale = bucket
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["key"].as_str().unwrap().starts_with(RESTORED));
    assert!(stale.count() >= 2, "stale dumps lie in wait: {bucket}");
    let since = loaded(&lab);
    operator.release("v4.3.5", "hk").await;
    data_is_equal(&lab, 43);
    assert_eq!(no_load_is_stale(&lab, &since), 2, "reset and renew");
    assert_eq!(crons(&lab), at_first, "and back on the hosts they came from");
    variables_are_productions(&lab);
    table_says(&operator, "hk", "v4.3.5");
}

fn shipped() -> Workflow {
    let text = std::fs::read_to_string("workflows/gigadb.yaml").unwrap();
    workflow::parse(&text, "workflows/gigadb.yaml").unwrap().workflow
}

/// Every step of a release, roles resolved and templates filled in, and every job and definition of a site.
fn planned(workflow: &Workflow, production: &str, standby: &str) -> Value {
    let (production, standby) = (SiteName::from(production), SiteName::from(standby));
    let addresses = workflow.sites.keys().map(|site| {
        // Addresses belong to the site's own names, whatever it is called here.
        let owner = &workflow.sites[site].vars["owner"];
        let records = workflow.cloudflare().records.iter();
        (site.clone(), records.map(|it| (it.id.0.clone(), format!("{owner}-{}", it.id))).collect())
    });
    let (addresses, releases) = (
        addresses.collect(),
        BTreeMap::from([(production.clone(), "v1".to_owned()), (standby.clone(), "v0".to_owned())]),
    );
    let names = RunNames {
        id: "7-abcdef01",
        kind: Kind::Release,
        stamp: Some("202611280810"),
        version: Some("v1"),
        production: &production,
        standby: &standby,
        releases: &releases,
        addresses: &addresses,
    };
    let scope = Scope::for_run(workflow, names);
    let phases = Phase::ALL.into_iter().map(|phase| {
        let steps = workflow.steps(phase).iter().map(|step| {
            let with =
                render_value(&step.with, &scope).unwrap_or_else(|it| panic!("{}: {it}", step.id));
            json!({ "id": step.id, "kind": step.kind(), "on": step.on, "with": with })
        });
        json!({ "phase": phase, "steps": steps.collect::<Vec<_>>() })
    });
    json!({
        "phases": phases.collect::<Vec<_>>(),
        "jobs": workflow.jobs, "backup": render_value(&json!(workflow.backup), &scope).unwrap(),
    })
}

#[test]
fn exchanged_site_names_plan_the_same_mirrored() {
    let workflow = shipped();
    let mut mirrored = workflow.clone();
    let (hk, sydney) = (SiteName::from("hk"), SiteName::from("sydney"));
    mirrored.sites = BTreeMap::from([
        (hk.clone(), workflow.sites[&sydney].clone()),
        (sydney.clone(), workflow.sites[&hk].clone()),
    ]);
    for (production, standby) in [("hk", "sydney"), ("sydney", "hk")] {
        let plain = planned(&workflow, production, standby);
        let other = planned(&mirrored, standby, production);
        assert_eq!(plain, other, "the same infrastructure, called by the other's name");
        assert_ne!(
            plain,
            planned(&mirrored, production, standby),
            "names decide nothing, roles do"
        );
    }
    // No text outside `sites` and the restore script's fixed key has a site's own name or variables.
    let mut rest = json!(workflow);
    rest["sites"] = Value::Null;
    rest["backup"]["restore_key"] = Value::Null;
    let words: BTreeSet<String> = rest
        .to_string()
        .split(|it: char| !it.is_ascii_alphanumeric() && it != '-' && it != '/')
        .map(str::to_owned)
        .collect();
    for (site, it) in &workflow.sites {
        for own in it.vars.values().chain([&site.0, &it.aws.profile, &it.aws.region]) {
            let system = *own == workflow.system.0;
            let bucket = rest["backup"]["region"] == json!(own);
            assert!(
                system || bucket || !words.contains(own),
                "{site}'s own `{own}` stands outside `sites`"
            );
        }
    }
}
