//! The comparison by itself: each disagreement has its name, and nothing else has.

use changeover::drift::{Name, adoption};
use changeover::machine::{Embargo, Fact, Owed};
use changeover::model::{EntrySeen, MarkSeen, Roles};
use proptest::prelude::*;

use super::world::{Paper, SITES, ZONES, address, names, now, part, site, unknown};

fn embargo(until: i64) -> Embargo {
    let (since, until) = (now().plus_seconds(-7_200), now().plus_seconds(until));
    Embargo {
        run: 7,
        owner: "mira".to_owned(),
        scope: vec!["content".to_owned()],
        reason: "release v4.4.0".to_owned(),
        since,
        until,
    }
}

/// Production was sydney, and these parts of its fence are not done.
fn give_up(it: &mut Paper, parts: &[&str]) {
    it.life.record.quarantined = Some(site("sydney"));
    let owed = |part: &&str| Owed::Fence { part: (*part).into(), site: site("sydney") };
    it.life.record.owed.extend(parts.iter().map(owed));
}

#[test]
fn a_lost_site_that_may_still_act_is_named_though_nobody_can_read_it() {
    let mut paper = Paper::new();
    give_up(&mut paper, &["f-backup"]);
    paper.sight.writes.insert(site("sydney"), unknown("host"));
    let report = paper.report();
    assert!(!report.has(Name::TwoWriters), "nobody knows that");
    let note = report.notes.iter().find(|it| it.contains("may still act")).unwrap();
    assert!(["sydney", "hk", "f-backup"].iter().all(|it| note.contains(it)), "{note}");
    paper.sight.writes.insert(site("sydney"), part("host", false));
    assert_eq!(paper.report().notes, [""; 0], "it takes no writes");
    paper.sight.writes.insert(site("sydney"), part("host", true));
    let report = paper.report();
    let two = report.differences.iter().find(|it| it.name == Name::TwoWriters).unwrap();
    assert_eq!(two.command.as_deref(), Some("changeover run retry"));
    assert_eq!(report.notes, [""; 0], "said once");
}

#[test]
fn nobody_is_told_to_allow_writes_on_a_lost_site() {
    let mut paper = Paper::new();
    give_up(&mut paper, &[]);
    paper.life.record.embargoes.insert(site("sydney"), embargo(-60));
    paper.sight.writes.insert(site("sydney"), part("host", false));
    assert_eq!(paper.found(), [""; 0], "it lies until the site is rebuilt");
    paper.life.record.quarantined = None;
    assert_eq!(paper.found(), ["embargo-expired"], "a standby is asked to take writes again");
}

#[test]
fn a_world_that_agrees_has_no_drift() {
    let mut paper = Paper::new();
    let report = paper.report();
    assert_eq!((report.differences, report.unknown), (vec![], vec![]));
    assert_eq!(report.production, Some(site("hk")));
    assert!(adoption(&paper.known(), &paper.sight).unwrap().is_empty());
    paper.swap_to("sydney");
    paper.swap_to("hk");
    assert_eq!(paper.found(), [""; 0]);
}

/// Each thing that can be wrong, what it is called, and what it is about.
#[test]
fn each_disagreement_has_its_name() {
    type Set = fn(&mut Paper);
    let cases: &[(&[&str], &str, Set)] = &[
        (&["two-writers", "half-a-swap"], "gigadb.org", |it| {
            it.lead("gigadb.org", &address("sydney", "web"))
        }),
        (&["two-writers"], "sydney", |it| {
            it.life.record.embargoes.insert(site("sydney"), embargo(3_600));
        }),
        (&["two-writers"], "f-embargo (not tried), f-stop (not tried)", |it| {
            give_up(it, &["f-embargo", "f-stop"])
        }),
        (&["two-writers"], "sydney", |it| {
            it.life.record.quarantined = Some(site("sydney"));
        }),
        (&["embargo-missing"], "hk", |it| {
            it.life.record.embargoes.insert(site("hk"), embargo(3_600));
        }),
        (&["embargo-expired"], "hk", |it| {
            it.life.record.embargoes.insert(site("hk"), embargo(-60));
            it.sight.writes.insert(site("hk"), part("host", false));
        }),
        (&["embargo-stray"], "sydney", |it| {
            it.sight.writes.insert(site("sydney"), part("host", false));
        }),
        (&["no-writer"], "hk", |it| {
            it.sight.writes.insert(site("hk"), part("host", false));
        }),
        (&["half-a-swap"], "files.alt-live.gigadb.host", |it| {
            it.lead("files.alt-live.gigadb.host", &address("hk", "files"));
        }),
        (
            &[
                "production-not-journal",
                "sync-backwards",
                "sync-backwards",
                "job-on",
                "job-missing",
                "job-missing",
                "job-missing",
            ],
            "sydney",
            |it| it.swap_to("sydney"),
        ),
        (&["record-not-owner"], "203.0.113.9", |it| it.lead("files.gigadb.org", "203.0.113.9")),
        (&["record-not-owner", "record-not-owner"], "18.163.9.9", |it| {
            let mut own = it.life.record.addresses[&site("hk")].clone();
            own.insert("files".to_owned(), "18.163.9.9".to_owned());
            it.sight.addresses.insert(site("hk"), part("aws ec2", own));
        }),
        (&["wrong-zone"], "files.gigadb.host", |it| {
            it.row("gigadb.host", "files.gigadb.host", &address("hk", "files"));
        }),
        (&["wrong-zone"], "bastion.gigadb.org", |it| {
            it.row("gigadb.org", "bastion.gigadb.org", &address("hk", "bastion"));
        }),
        (&["sync-backwards"], "hk", |it| {
            it.job("hk", "databaseReset").running =
                vec!["12 /bin/sh /usr/local/bin/databaseReset latest".into()];
        }),
        (&["sync-backwards"], "hk", |it| {
            let line = it.workflow.jobs["sync_dropbox"].line.clone();
            it.job("hk", "sync_dropbox").entries = vec![EntrySeen { line, exact: true }];
        }),
        (&["sync-backwards"], "other way round", |it| {
            let line = "0 11 * * * --apply /usr/local/bin/sync_dropbox".to_owned();
            it.job("sydney", "sync_dropbox").entries = vec![EntrySeen { line, exact: false }];
        }),
        (&["job-changed"], "7 11", |it| {
            let line = "7 11 * * * /usr/local/bin/sync_dropbox --apply".to_owned();
            it.job("sydney", "sync_dropbox").entries = vec![EntrySeen { line, exact: false }];
        }),
        (&["job-missing"], "hk", |it| it.job("hk", "s3backup").entries.clear()),
        (&["job-on"], "sydney", |it| {
            let owed = Owed::Job { job: "databaseReset".to_owned(), site: site("sydney") };
            it.life.record.owed.insert(owed);
        }),
        (&["foreign-mark"], "ffeeddccbbaa0099", |it| {
            let journal = Some("ffeeddccbbaa0099".to_owned());
            *it.mark("gigadb.org") = Some(MarkSeen { number: 9, journal, made: None });
        }),
        (&["foreign-mark"], "never set", |it| it.mark("gigadb.org").as_mut().unwrap().number = 4),
        (&["missing-mark"], "gigadb.host", |it| *it.mark("gigadb.host") = None),
        (&["release-not-journal"], "v4.9.9", |it| {
            it.sight.releases.insert(site("sydney"), part("http", Some("v4.9.9".to_owned())));
        }),
    ];
    for (wanted, about, set) in cases {
        let mut paper = Paper::new();
        set(&mut paper);
        assert_eq!(paper.found(), *wanted, "{about}");
        let report = paper.report();
        let text = serde_json::to_string(&report.differences).unwrap();
        assert!(text.contains(about), "{wanted:?} does not name {about}: {text}");
        assert!(report.unknown.is_empty());
    }
    let named: std::collections::BTreeSet<&str> =
        cases.iter().flat_map(|it| it.0.iter().copied()).collect();
    let all = Name::ALL.iter().map(|it| it.slug());
    assert_eq!(all.filter(|it| !named.contains(it)).collect::<Vec<_>>(), [""; 0], "set by no case");
}

#[test]
fn what_is_on_its_way_is_no_drift() {
    let mut paper = Paper::new();
    let server = paper.sight.answers.get_mut("gigadb.org").unwrap();
    let changeover::model::Read::Known(answers) = &mut server[0].read else { panic!() };
    answers.insert("gigadb.org".to_owned(), [address("sydney", "web")].into());
    assert_eq!(
        paper.found(),
        ["two-writers", "half-a-swap"],
        "an hour old: the server does not follow"
    );
    let changeover::model::Read::Known(zone) =
        &mut paper.sight.zones.get_mut("gigadb.org").unwrap().read
    else {
        panic!()
    };
    for row in &mut zone.rows {
        row.changed = Some(now().plus_seconds(-5));
    }
    paper.sight.writes.insert(site("sydney"), part("host", true));
    assert!(!paper.found().contains(&"half-a-swap"));
    assert!(
        adoption(&paper.known(), &paper.sight).is_err(),
        "and yet not whole enough to be adopted"
    );
}

#[test]
fn the_switch_counts_where_the_provider_is_silent() {
    let mut paper = Paper::new();
    paper.swap_to("sydney");
    for zone in ZONES {
        paper.sight.zones.insert(zone.to_owned(), unknown("cloudflare"));
    }
    let report = paper.report();
    assert_eq!(report.production, Some(site("sydney")), "by the authority alone");
    assert_eq!(report.unknown.len(), 2);
    assert!(adoption(&paper.known(), &paper.sight).is_err(), "half of the reading is missing");
}

#[test]
fn a_swap_that_is_worked_on_is_no_drift_and_one_that_nobody_works_on_is() {
    let mut paper = Paper::new();
    paper.life.record.roles = Some(Roles::Moving { from: site("hk"), to: site("sydney") });
    paper.lead("gigadb.org", &address("sydney", "web"));
    for it in SITES {
        paper.life.record.embargoes.insert(site(it), embargo(3_600));
        paper.sight.writes.insert(site(it), part("host", false));
    }
    paper.working = true;
    assert_eq!(paper.found(), [""; 0]);
    paper.working = false;
    assert_eq!(paper.found(), ["half-a-swap"]);
}

#[test]
fn adopting_records_what_is_whole() {
    let mut paper = Paper::new();
    paper.swap_to("sydney");
    *paper.mark("gigadb.org") = None;
    let it = adoption(&paper.known(), &paper.sight).unwrap();
    assert_eq!(it.production, site("sydney"));
    let fenced = ["f-embargo", "f-backup", "f-stop"]
        .map(|part| Fact::Owe { owed: Owed::Fence { part: part.into(), site: site("hk") } });
    let syncs = ["databaseReset", "sync_dropbox"]
        .map(|job| Fact::Owe { owed: Owed::Job { job: job.to_owned(), site: site("sydney") } });
    let settled = Fact::RolesSettled { production: site("sydney") };
    let mut wanted = vec![settled.clone(), Fact::LeftByHand { site: site("hk") }];
    wanted.extend(fenced.into_iter().chain(syncs));
    assert_eq!(it.facts, wanted);
    // In a run the site that was left is the run's to look after.
    paper.life.record.roles = Some(Roles::Moving { from: site("hk"), to: site("sydney") });
    let it = adoption(&paper.known(), &paper.sight).unwrap();
    assert_eq!(it.facts, [settled]);
    assert_eq!(it.unmarked.into_iter().collect::<Vec<_>>(), [("gigadb.org".to_owned(), 3)]);
}

/// Where a name leads in a random world.
#[derive(Clone, Copy, Debug, PartialEq)]
enum To {
    Before,
    After,
    Strange,
}

prop_compose! {
    fn anywhere()(
        pattern in 0_u8..4,
        random in prop::collection::vec(prop_oneof![Just(To::Before), Just(To::After), Just(To::Strange)], 8),
    ) -> Vec<To> {
        match pattern {
            0 => vec![To::Before; 8],
            1 => vec![To::After; 8],
            _ => random,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whoever is production, half a swap and strange addresses follow from the records alone; only a whole
    /// world is adopted, as what it is; what is not read is never called clean.
    #[test]
    fn the_names_follow_from_the_records(
        to in anywhere(),
        writable in prop::array::uniform2(prop::option::of(any::<bool>())),
        dark in prop::option::of(0_usize..2),
        owned in prop::array::uniform2(any::<bool>()),
    ) {
        let mut paper = Paper::new();
        for (number, (record, name, as_production)) in names(&paper.workflow).into_iter().enumerate() {
            let (before, after) = if as_production { ("hk", "sydney") } else { ("sydney", "hk") };
            let address = match to[number] {
                To::Before => address(before, &record),
                To::After => address(after, &record),
                To::Strange => format!("203.0.113.{number}"),
            };
            paper.lead(&name, &address);
        }
        for (it, writable) in SITES.iter().zip(writable) {
            let part = writable.map_or_else(|| unknown("host"), |it| part("host", it));
            paper.sight.writes.insert(site(it), part);
        }
        for (it, _) in SITES.iter().zip(owned).filter(|it| !it.1) {
            paper.sight.addresses.insert(site(it), unknown("aws ec2"));
        }
        if let Some(dark) = dark {
            paper.sight.zones.insert(ZONES[dark].to_owned(), unknown("cloudflare"));
        }
        let report = paper.report();
        let all = |it: To| to.iter().all(|to| *to == it);
        let mixed = to.contains(&To::Before) && to.contains(&To::After);
        let production = if all(To::Before) { Some("hk") } else if all(To::After) { Some("sydney") } else { None };
        prop_assert_eq!(report.production.clone(), production.map(site));
        prop_assert_eq!(report.has(Name::HalfASwap), mixed);
        prop_assert_eq!(report.has(Name::RecordNotOwner), to.contains(&To::Strange));
        prop_assert_eq!(report.has(Name::ProductionNotJournal), all(To::After));
        if report.has(Name::TwoWriters) {
            prop_assert_eq!(writable, [Some(true), Some(true)]);
        }
        let users: Vec<To> = to.iter().copied().step_by(2).collect();
        if users.contains(&To::Before) && users.contains(&To::After) && writable == [Some(true), Some(true)] {
            prop_assert!(report.has(Name::TwoWriters));
        }
        let read = dark.is_none() && owned == [true, true] && !writable.contains(&None);
        prop_assert_eq!(report.unknown.is_empty(), read);
        for it in &report.differences {
            prop_assert!(!it.evidence.is_empty() && !it.settle.is_empty(), "{it:?}");
        }
        match adoption(&paper.known(), &paper.sight) {
            Ok(it) => {
                prop_assert!(dark.is_none() && owned == [true, true]);
                prop_assert!(!report.has(Name::TwoWriters) && !report.has(Name::NoWriter));
                prop_assert_eq!(Some(it.production.as_str()), production);
                let settled = Fact::RolesSettled { production: it.production.clone() };
                prop_assert_eq!(it.facts.contains(&settled), all(To::After));
            }
            Err(first) => prop_assert!(!first.is_empty()),
        }
    }
}
