//! Templates stand where they are filled in, and name what will have a value there.

use std::collections::{BTreeMap, BTreeSet};

use crate::fault;
use crate::model::{Kind, Phase, SiteName};
use crate::workflow::draft::{Draft, path_of};
use crate::workflow::path::{Path, Turn};
use crate::workflow::report::Report;
use crate::workflow::suggest;
use crate::workflow::template::{Part, RunNames, Scope, parts};
use crate::workflow::types::Workflow;

/// Which names a text may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Context {
    /// `site.…`.
    Site,
    /// `run.…`, `release.…`, `production.…`, `standby.…`; `run.stamp` only once there is a backup.
    Run { stamp: bool },
    /// None: nobody fills it in.
    Nothing,
}

/// The phases in which a run of every kind has a stamp: it is given when `backup` or `renew` is entered.
const STAMPED: [Phase; 5] =
    [Phase::Backup, Phase::Reset, Phase::Validate, Phase::Renew, Phase::SyncOn];

fn context(path: &Path) -> Context {
    let keys: Vec<&str> = path
        .turns()
        .iter()
        .map(|turn| match turn {
            Turn::Key(key) => key.as_str(),
            Turn::Index(_) => "",
        })
        .collect();
    match keys[..] {
        ["hosts", _, "ssh"]
        | ["database", "rds"]
        | ["counter", "command", "argv", ""]
        | ["counter", "page", "url"]
        | ["table", "", "value"]
        | ["switch", "cloudflare", "records", "", "target", "eip"]
        | ["drill", "records", "", "target", "eip"] => Context::Site,
        ["backup", "key" | "restore_key"] => Context::Run { stamp: true },
        ["drill", "sanity", "", "with", ..] => Context::Run { stamp: false },
        ["release" | "closing" | "failover", _, "", "with", ..] => {
            Context::Run { stamp: STAMPED.iter().any(|it| path.within(&path_of(*it))) }
        }
        _ => Context::Nothing,
    }
}

/// What is known in each context.
struct Known {
    site: BTreeSet<String>,
    run: BTreeSet<String>,
    /// Known at one site and not at the other.
    partly: BTreeSet<String>,
}

pub(super) fn check(draft: &Draft<'_>, report: &mut Report) {
    // With another number of sites, which is reported elsewhere, no name of a role means anything.
    let Some(known) = known(draft.workflow) else { return };
    let mut texts = vec![];
    report.spans.root.each_scalar(&Path::default(), &mut |path, _, text| {
        if text.contains("{{") {
            texts.push((path.clone(), text.to_owned()));
        }
    });
    for (path, text) in texts {
        let context = context(&path);
        for part in parts(&text) {
            match part {
                Part::Text(_) => (),
                Part::Broken { why, offset } => {
                    let hint = "write `{{ name.name }}`: no filters, no defaults, no expressions";
                    report.at(report.spans.inside(&path, offset), &path, &fault::E1015, why, hint);
                }
                Part::Name { path: name, offset } => {
                    if let Some((code, message, hint)) = known.verdict(context, name) {
                        // The name begins behind the braces and a space.
                        let place = report.spans.inside(&path, offset);
                        report.at(place, &path, code, message, hint);
                    }
                }
            }
        }
    }
    stamped(draft.workflow, report);
}

impl Known {
    fn verdict(
        &self,
        context: Context,
        name: &str,
    ) -> Option<(&'static fault::Code, String, String)> {
        let names: Vec<&String> = match context {
            Context::Nothing => {
                let message = "templates are not filled in here".to_owned();
                let hint = "they belong in `with`, `hosts.*.ssh`, `database.rds`, `target` and the keys of `backup`";
                return Some((&fault::E1015, message, hint.to_owned()));
            }
            Context::Site => self.site.iter().collect(),
            Context::Run { stamp } => {
                self.run.iter().filter(|it| stamp || *it != "run.stamp").collect()
            }
        };
        // One site alone has it: reported once, at the site that lacks it.
        if names.iter().any(|it| *it == name) || self.partly.contains(name) {
            return None;
        }
        let hint = if name == "run.stamp" {
            "a run has a stamp from `backup` on, and again from `renew` on".to_owned()
        } else if name.starts_with("site.") && context != Context::Site {
            "a step knows `production` and `standby`; `site` is known in definitions of one site"
                .to_owned()
        } else {
            nearest(name, &names)
        };
        Some((&fault::E1014, format!("`{name}` is not defined here"), hint))
    }
}

/// Compares the last word among names that begin alike: their beginnings would make all of them near.
fn nearest(name: &str, names: &[&String]) -> String {
    let cut = name.rfind('.').map_or(0, |it| it + 1);
    let (start, word) = name.split_at(cut);
    let alike: Vec<&str> = names.iter().filter_map(|it| it.strip_prefix(start)).collect();
    match suggest::nearest(word, alike.iter().copied()) {
        Some(near) => format!("did you mean `{start}{near}`?"),
        None if alike.is_empty() || cut == 0 => suggest::hint(name, names.iter().copied()),
        None => format!("`{start}` has {}", alike.join(", ")),
    }
}

fn known(workflow: &Workflow) -> Option<Known> {
    let sites: Vec<&SiteName> = workflow.sites.keys().collect();
    let of = |scope: Scope| -> BTreeSet<String> { scope.names().map(str::to_owned).collect() };
    let records =
        || workflow.cloudflare().records.iter().map(|it| (it.id.0.clone(), String::new()));
    let addresses = sites.iter().map(|it| ((*it).clone(), records().collect())).collect();
    let releases: BTreeMap<SiteName, String> =
        sites.iter().map(|it| ((*it).clone(), String::new())).collect();
    let run = |production, standby| {
        let names = RunNames {
            id: "",
            kind: Kind::Release,
            stamp: Some(""),
            version: Some(""),
            production,
            standby,
            releases: &releases,
            addresses: &addresses,
        };
        of(Scope::for_run(workflow, names))
    };
    let [one, two] = sites[..] else { return None };
    let (mut there, mut back) = (run(one, two), run(two, one));
    if workflow.database.is_some() {
        // What is wrong with its name is reported there.
        let named = ["production.rds", "standby.rds"].map(str::to_owned);
        [&mut there, &mut back].into_iter().for_each(|it| it.extend(named.clone()));
    }
    let (here, other) = (of(Scope::for_site(workflow, one)), of(Scope::for_site(workflow, two)));
    let partly = &(&there ^ &back) | &(&here ^ &other);
    Some(Known { site: &here & &other, run: &there & &back, partly })
}

/// Two backups must never have one name.
fn stamped(workflow: &Workflow, report: &mut Report) {
    let Some(backup) = &workflow.backup else { return };
    for (key, text) in [("key", &backup.key), ("restore_key", &backup.restore_key)] {
        let is_stamp = |part: Part<'_>| matches!(part, Part::Name { path: "run.stamp", .. });
        if !parts(text).into_iter().any(is_stamp) {
            let message = format!(
                "`backup.{key}` does not carry the stamp: the next backup would overwrite it"
            );
            report.value(
                &Path::of("backup").key(key),
                &fault::E1028,
                message,
                "put `{{ run.stamp }}` into it",
            );
        }
    }
}
