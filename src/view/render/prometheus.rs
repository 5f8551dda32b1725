//! The status for Prometheus: text exposition format 0.0.4. One family after the other, each with its HELP
//! and TYPE, every value a gauge.

use std::fmt::Write as _;

use crate::machine::Diagnosis;
use crate::model::{SiteName, Time};
use crate::view::status::StatusView;

/// Labels beside the system, and the value.
type Sample = (Vec<(&'static str, String)>, i64);

/// One family.
struct Family {
    name: &'static str,
    help: &'static str,
    samples: Vec<Sample>,
}

/// All families of a status that have a value.
pub fn prometheus(view: &StatusView) -> String {
    let mut text = String::new();
    for family in families(view).iter().filter(|it| !it.samples.is_empty()) {
        // Writing to a string cannot fail.
        let _written = writeln!(text, "# HELP {} {}", family.name, family.help);
        let _written = writeln!(text, "# TYPE {} gauge", family.name);
        for (labels, value) in &family.samples {
            let mut all = format!("system=\"{}\"", escaped(view.system.as_str()));
            for (name, value) in labels {
                let _written = write!(all, ",{name}=\"{}\"", escaped(value));
            }
            let _written = writeln!(text, "{}{{{all}}} {value}", family.name);
        }
    }
    text
}

/// A label's value: backslash, quote and line feed are escaped.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn family(name: &'static str, help: &'static str, samples: Vec<Sample>) -> Family {
    Family { name, help, samples }
}

fn plain(value: Option<i64>) -> Vec<Sample> {
    value.into_iter().map(|value| (vec![], value)).collect()
}

fn whole(number: usize) -> Option<i64> {
    i64::try_from(number).ok()
}

fn families(view: &StatusView) -> Vec<Family> {
    let left = |until: Time| until.seconds_since(view.now);
    let age = |then: Time| view.now.seconds_since(then);
    let embargoes = view.embargoes.iter().filter(|it| !it.until_rebuilt);
    let embargoes = embargoes.map(|it| (of_site(&it.site), left(it.embargo.until)));
    let halted = i64::from(view.mode == "halted");
    let mut all = vec![
        family("changeover_role", "Whether the site has the role, by the journal.", roles(view)),
        family(
            "changeover_epoch",
            "Rises with every run and every take-over.",
            plain(i64::try_from(view.epoch).ok()),
        ),
        family(
            "changeover_run_open",
            "The open run and the phase it is in; absent when none is open.",
            open(view),
        ),
        family(
            "changeover_halted",
            "Whether the open run waits for people because a step failed or is unknown.",
            plain(Some(halted)),
        ),
        family(
            "changeover_owed",
            "How many things runs have changed and must still put back.",
            plain(whole(view.owed.len())),
        ),
        family(
            "changeover_faults",
            "How many faults the status screen shows.",
            plain(whole(view.faults.len())),
        ),
        family(
            "changeover_embargo_left_seconds",
            "Until somebody should have lifted the embargo; negative when nobody did.",
            embargoes.collect(),
        ),
        family(
            "changeover_soak_left_seconds",
            "Until the planned end of the soak; negative after it.",
            plain(view.soak_ends.map(left)),
        ),
    ];
    all.extend(after_a_swap(view));
    all.push(family(
        "changeover_last_line_age_seconds",
        "The age of the journal's last line.",
        plain(view.line_at.map(age)),
    ));
    let ages = ages(view, &age);
    all.push(family("changeover_fact_age_seconds", "How long ago a fact was read.", ages));
    all.push(family(
        "changeover_diagnosis",
        "What the witnesses amount to, asked for this; absent without --look.",
        diagnoses(view),
    ));
    all
}

/// One sample a diagnosis; 1 for the one that fits.
fn diagnoses(view: &StatusView) -> Vec<Sample> {
    let of = |found: Diagnosis| {
        Diagnosis::ALL.map(|it| (vec![("diagnosis", it.name().to_owned())], i64::from(it == found)))
    };
    view.seen.iter().flat_map(|it| of(it.diagnosis)).collect()
}

/// Who still is on the old side, and what going back would cost.
fn after_a_swap(view: &StatusView) -> [Family; 4] {
    let counts = view.counts.iter();
    let counts =
        counts.filter_map(|(site, it)| Some((of_site(site), i64::try_from(it.per_minute()).ok()?)));
    let caches = view
        .caches
        .as_ref()
        .map(|it| it.at.plus_seconds(i64::from(it.old)).seconds_since(view.now).max(0));
    let back = view.way_back.as_ref();
    let seconds = back.filter(|it| it.possible).and_then(|it| it.seconds);
    [
        family(
            "changeover_requests_per_minute",
            "Requests of users that the site got when they were last counted.",
            counts.collect(),
        ),
        family(
            "changeover_old_addresses_left_seconds",
            "How long resolvers may still lead users to the old side.",
            plain(caches),
        ),
        family(
            "changeover_way_back_possible",
            "Whether users can be moved back; absent when no run is open.",
            plain(back.map(|it| i64::from(it.possible))),
        ),
        family(
            "changeover_way_back_seconds",
            "How long users would take to be back; absent when nobody has measured it.",
            plain(seconds),
        ),
    ]
}

fn of_site(site: &SiteName) -> Vec<(&'static str, String)> {
    vec![("site", site.to_string())]
}

fn open(view: &StatusView) -> Vec<Sample> {
    let Some(run) = &view.run else { return vec![] };
    let phase = view.phase.map_or("", |it| it.name()).to_owned();
    let kind = run.kind.name().to_owned();
    vec![(vec![("run", run.number.to_string()), ("kind", kind), ("phase", phase)], 1)]
}

fn roles(view: &StatusView) -> Vec<Sample> {
    let sites = [&view.production, &view.standby];
    let mut samples = vec![];
    for (position, site) in sites.into_iter().enumerate() {
        let Some(site) = site else { continue };
        let is = |role: &str| match role {
            _ if view.moving_to.is_some() => role == "moving",
            "quarantined" => view.quarantined.as_ref() == Some(&site.site),
            "production" => position == 0,
            "standby" => position == 1 && view.quarantined.as_ref() != Some(&site.site),
            _ => false,
        };
        for role in ["production", "standby", "moving", "quarantined"] {
            let labels = vec![("site", site.site.to_string()), ("role", role.to_owned())];
            samples.push((labels, i64::from(is(role))));
        }
    }
    samples
}

fn ages(view: &StatusView, age: &dyn Fn(Time) -> i64) -> Vec<Sample> {
    let of = |fact: &str, site: Option<&SiteName>, at: Time| {
        let mut labels = vec![("fact", fact.to_owned())];
        labels.extend(site.map(|site| ("site", site.to_string())));
        (labels, age(at))
    };
    let sites = [&view.production, &view.standby].into_iter().flatten();
    let seen = sites.filter_map(|it| Some(of("site", Some(&it.site), it.seen?)));
    let counts = view.counts.iter().map(|(site, it)| of("requests", Some(site), it.at));
    let caches = view.caches.iter().map(|it| of("caches", None, it.at));
    seen.chain(counts).chain(caches).collect()
}
