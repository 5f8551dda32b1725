//! Names: two sites, names that can be written everywhere, nothing named twice.

use std::collections::{BTreeMap, BTreeSet};

use crate::fault;
use crate::workflow::draft::Draft;
use crate::workflow::path::Path;
use crate::workflow::report::Report;
use crate::workflow::types::{Record, Workflow};

/// What a variable of a site may not be called: templates use these names for something else.
const TAKEN: [&str; 5] = ["name", "region", "rds", "eip", "release"];

pub(super) fn check(draft: &Draft<'_>, report: &mut Report) {
    let workflow = draft.workflow;
    if workflow.format != 1 {
        let message = format!("this program reads format 1, not {}", workflow.format);
        report.value(&Path::of("format"), &fault::E1030, message, "write `format: 1`");
    }
    sites(workflow, report);
    spelling(draft, report);
    let ids = draft.steps.iter().map(|it| (it.step.id.as_str(), it.path.key("id")));
    once(report, "step", ids);
    let records = all_records(workflow);
    once(report, "record", records.iter().map(|(path, it)| (it.id.as_str(), path.key("id"))));
    let names = records.iter().flat_map(|(path, it)| {
        [
            (it.production.as_str(), path.key("production")),
            (it.standby.as_str(), path.key("standby")),
        ]
    });
    once(report, "name", names);
    let zones = &workflow.cloudflare().zones;
    let place = Path::of("switch.cloudflare.zones");
    once(
        report,
        "zone",
        zones.iter().enumerate().map(|(at, it)| (it.name.as_str(), place.index(at).key("name"))),
    );
    for (group, people) in &workflow.people {
        let place = Path::of("people").key(group);
        once(
            report,
            "person",
            people.iter().enumerate().map(|(at, it)| (it.as_str(), place.index(at))),
        );
    }
}

/// The records of the switch and of the drill, with their places.
pub(super) fn all_records(workflow: &Workflow) -> Vec<(Path, &Record)> {
    let drill = workflow.drill.as_ref().map_or(&[][..], |it| &it.records);
    let lists = [
        ("switch.cloudflare.records", &workflow.cloudflare().records[..]),
        ("drill.records", drill),
    ];
    let place = |(keys, list): (&str, &'_ [Record])| (Path::of(keys), list.len());
    let places = lists.map(place);
    let records = lists.into_iter().flat_map(|(_, list)| list);
    let paths =
        places.into_iter().flat_map(|(path, count)| (0..count).map(move |at| path.index(at)));
    paths.zip(records).collect()
}

fn sites(workflow: &Workflow, report: &mut Report) {
    let place = Path::of("sites");
    let count = workflow.sites.len();
    if count != 2 {
        let message = format!("a system has two sites, this one has {count}");
        report.key(
            &place,
            &fault::E1019,
            message,
            "production and standby are roles; two sites alternate them",
        );
    }
    let vars = || workflow.sites.values().flat_map(|it| it.vars.keys()).collect::<BTreeSet<_>>();
    for (name, site) in &workflow.sites {
        let place = place.key(name.as_str());
        for var in vars().into_iter().filter(|it| !site.vars.contains_key(*it)) {
            let message =
                format!("site `{name}` lacks the variable `{var}`, which the other one has");
            report.key(
                &place.key("vars"),
                &fault::E1007,
                message,
                format!("add `{var}: …` to its `vars`"),
            );
        }
        if ["production", "standby", "quarantined", "site"].contains(&name.as_str()) {
            let message = format!("a site cannot be called `{name}`: that is a role");
            report.key(&place, &fault::E1031, message, "name the place: `hk`, `sydney`, `blue`");
        }
        for var in site.vars.keys().filter(|it| TAKEN.contains(&it.as_str())) {
            let message = format!(
                "a variable cannot be called `{var}`: templates use that name for something else"
            );
            report.key(&place.key("vars").key(var), &fault::E1031, message, "choose another name");
        }
    }
}

/// Names become file names, words of commands and parts of templates.
fn spelling(draft: &Draft<'_>, report: &mut Report) {
    let workflow = draft.workflow;
    let mut named: Vec<(Path, &str)> = vec![(Path::of("system"), workflow.system.as_str())];
    let keys = |section: &str, keys: Vec<&'_ str>| -> Vec<(Path, String)> {
        keys.into_iter().map(|key| (Path::of(section).key(key), key.to_owned())).collect()
    };
    let sections = [
        keys("sites", workflow.sites.keys().map(crate::model::SiteName::as_str).collect()),
        keys("hosts", workflow.hosts.keys().map(String::as_str).collect()),
        keys("jobs", workflow.jobs.keys().map(String::as_str).collect()),
        keys("people", workflow.people.keys().map(String::as_str).collect()),
        keys("gates", workflow.gates.keys().map(String::as_str).collect()),
        keys("webhooks", workflow.webhooks.keys().map(String::as_str).collect()),
    ]
    .concat();
    let vars = workflow.sites.iter().flat_map(|(site, it)| {
        let place = Path::of("sites").key(site.as_str()).key("vars");
        it.vars.keys().map(move |var| (place.key(var), var.clone()))
    });
    let sections: Vec<(Path, String)> = sections.into_iter().chain(vars).collect();
    named.extend(sections.iter().map(|(path, name)| (path.clone(), name.as_str())));
    named.extend(draft.steps.iter().map(|it| (it.path.key("id"), it.step.id.as_str())));
    let records = all_records(workflow);
    named.extend(records.iter().map(|(path, it)| (path.key("id"), it.id.as_str())));
    for (path, name) in named.into_iter().filter(|(_, name)| !is_plain(name)) {
        let message =
            format!("the name `{name}` is not a letter followed by letters, digits, `-` and `_`");
        report.key(&path, &fault::E1031, message, "at most 63 characters, ASCII only");
    }
}

fn is_plain(name: &str) -> bool {
    name.len() <= 63
        && name.starts_with(|it: char| it.is_ascii_alphabetic())
        && name.chars().all(|it| it.is_ascii_alphanumeric() || it == '-' || it == '_')
}

/// Reports each name that was given before.
fn once<'a>(report: &mut Report, what: &str, names: impl Iterator<Item = (&'a str, Path)>) {
    let mut first = BTreeMap::new();
    for (name, path) in names {
        if let Some(line) = first.get(name) {
            let message = format!("the {what} `{name}` is given twice, first in line {line}");
            report.value(
                &path,
                &fault::E1017,
                message,
                "give it another name, or remove one of the two",
            );
        } else {
            first.insert(name, report.spans.value(&path).line);
        }
    }
}
