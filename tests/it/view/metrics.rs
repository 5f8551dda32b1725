//! The metrics: valid exposition format, and the values that the picture has.

use std::collections::{BTreeMap, BTreeSet};

use changeover::machine::{Ended, Fact};
use changeover::view::{self, render};

use super::look;
use crate::walk::{Walk, well};

/// Samples by name and labels. Refuses what promtool would: a sample without HELP and TYPE before it, a family
/// in two places, a name or label that is none, a value that is none, the same sample twice.
fn parsed(text: &str) -> BTreeMap<String, f64> {
    assert!(text.ends_with('\n') && !text.contains("\n\n"), "{text}");
    let name = |it: &str| {
        !it.is_empty()
            && !it.starts_with(|c: char| c.is_ascii_digit())
            && it.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let (mut helped, mut typed) = (BTreeSet::new(), BTreeSet::new());
    let (mut here, mut samples) = (String::new(), BTreeMap::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (family, help) = rest.split_once(' ').unwrap();
            assert!(name(family) && !help.is_empty() && helped.insert(family.to_owned()), "{line}");
            continue;
        }
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (family, kind) = rest.split_once(' ').unwrap();
            assert!(helped.contains(family) && kind == "gauge", "{line}");
            assert!(typed.insert(family.to_owned()), "a family in two places: {line}");
            family.clone_into(&mut here);
            continue;
        }
        let (sample, value) = line.rsplit_once(' ').unwrap();
        let (family, labels) = sample.strip_suffix('}').unwrap().split_once('{').unwrap();
        assert_eq!(family, here, "a sample outside its family: {line}");
        let mut rest = labels;
        while !rest.is_empty() {
            let (label, value) = rest.split_once("=\"").unwrap();
            assert!(name(label), "{line}");
            let mut escaped = false;
            let end = value.char_indices().find(|(_, it)| {
                let ends = *it == '"' && !escaped;
                escaped = *it == '\\' && !escaped;
                ends
            });
            rest = &value[end.unwrap().0 + 1..];
            rest = rest.strip_prefix(',').unwrap_or(rest);
        }
        let value = value.parse().unwrap();
        assert!(samples.insert(sample.to_owned(), value).is_none(), "twice: {line}");
    }
    assert_eq!(helped, typed);
    samples
}

fn metrics(walk: &Walk) -> BTreeMap<String, f64> {
    let mut text = String::new();
    look(walk, |look| text = render::prometheus(&view::status(look)));
    parsed(&text)
}

#[test]
fn metrics_say_what_the_screen_says() {
    let quiet = metrics(&Walk::steady());
    let role = |site: &str, role: &str| {
        format!("changeover_role{{system=\"gigadb\",site=\"{site}\",role=\"{role}\"}}")
    };
    assert_eq!(quiet[&role("hk", "production")], 1.0);
    assert_eq!(
        (quiet[&role("sydney", "production")], quiet[&role("sydney", "standby")]),
        (0.0, 1.0)
    );
    assert!(!quiet.keys().any(|it| it.starts_with("changeover_run_open")));
    assert_eq!(quiet["changeover_halted{system=\"gigadb\"}"], 0.0);

    let mut walk = Walk::soaking();
    let counted =
        |site: &str, requests| Fact::Counted { site: site.into(), requests, lasted_ms: 10_000 };
    let facts =
        vec![counted("hk", 3), counted("sydney", 700), Fact::Remembered { old: 41, ttl: 60 }];
    walk.note("counted", vec![], facts);
    walk.wait(11);
    let soak = metrics(&walk);
    assert_eq!(soak[&role("sydney", "production")], 1.0);
    let run = "changeover_run_open{system=\"gigadb\",run=\"1\",kind=\"release\",phase=\"soak\"}";
    assert_eq!(soak[run], 1.0, "{soak:?}");
    let of = |name: &str| soak[&format!("changeover_{name}{{system=\"gigadb\"}}")];
    assert_eq!(of("old_addresses_left_seconds"), 30.0);
    assert_eq!(of("last_line_age_seconds"), 11.0);
    assert_eq!(of("way_back_possible"), 1.0);
    assert!(of("way_back_seconds") >= 60.0 && of("soak_left_seconds") > 0.0 && of("owed") > 0.0);
    assert_eq!(of("epoch"), 1.0);
    assert_eq!(soak["changeover_requests_per_minute{system=\"gigadb\",site=\"hk\"}"], 18.0);
    assert_eq!(soak["changeover_fact_age_seconds{system=\"gigadb\",fact=\"caches\"}"], 11.0);
    assert!(soak["changeover_embargo_left_seconds{system=\"gigadb\",site=\"hk\"}"] > 0.0);

    let mut halted = Walk::soaking();
    halted.tell("mira", changeover::machine::Input::Accept, Default::default());
    halted.work(|id| if id == "lift" { Ended::Failed } else { well(id) });
    let halted = metrics(&halted);
    assert_eq!(halted["changeover_halted{system=\"gigadb\"}"], 1.0);
}

#[test]
fn the_parser_refuses_what_is_no_exposition() {
    for wrong in [
        "a{system=\"x\"} 1\n",
        "# HELP a b\n# TYPE a gauge\na{system=\"x\"} one\n",
        "# HELP a b\n# TYPE a gauge\na{system=\"x\"} 1\na{system=\"x\"} 2\n",
        "# HELP a-b c\n# TYPE a-b gauge\na-b{system=\"x\"} 1\n",
    ] {
        assert!(std::panic::catch_unwind(|| parsed(wrong)).is_err(), "{wrong}");
    }
}
