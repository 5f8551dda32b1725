//! The tables of the page on failover, each row and cell with a case of its own.

use std::collections::BTreeMap;
use std::fs;

use changeover::chart;
use changeover::machine::{
    Affected, Diagnosis, MAX_AGE_SECONDS, Onward, diagnose, onward_of, path,
};
use changeover::model::{About, Kind, Phase, Says, Seer, Time, Way, Witness};
use changeover::workflow;

const PAGE: &str = "docs/failover.md";

/// With `UPDATE_DOCS=1` in the environment the page is written anew instead.
#[test]
fn the_page_shows_what_a_failover_demands() {
    let text = fs::read_to_string("workflows/gigadb.yaml").unwrap();
    let parsed = workflow::parse(&text, "gigadb.yaml").unwrap();
    let written = fs::read_to_string(PAGE).unwrap();
    let mut made = between(&written, "demands", &chart::demands(&parsed.workflow));
    made = between(&made, "diagnoses", &chart::diagnoses());
    made = between(&made, "in_the_way", &chart::in_the_way());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(PAGE, &made).unwrap();
    } else {
        assert!(
            written == made,
            "{PAGE} is not what the program does; UPDATE_DOCS=1 writes it anew"
        );
    }
}

fn between(page: &str, name: &str, text: &str) -> String {
    let (start, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = page.split_once(&start).unwrap_or_else(|| panic!("no marker {start}"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("no marker {end}"));
    format!("{before}{start}\n{text}\n{end}{after}")
}

const NOW: i64 = 1_000_000_000;

fn heard(about: About, seer: Seer, says: Says) -> Witness {
    let at = Time(NOW);
    Witness { about, seer, says, source: String::new(), at, text: String::new() }
}

/// Production is gone altogether, the rest is well.
fn dead() -> Vec<Witness> {
    use About::{Lever, Machines, Names, Production, Standby, Users};
    vec![
        heard(Users, Seer::Http, Says::Down),
        heard(Production, Seer::Http, Says::Down),
        heard(Machines, Seer::Host, Says::Down),
        heard(Machines, Seer::Provider, Says::Down),
        heard(Standby, Seer::Http, Says::Up),
        heard(Names, Seer::Dns, Says::Up),
        heard(Lever, Seer::Provider, Says::Up),
    ]
}

fn with(mut all: Vec<Witness>, about: About, seer: Seer, says: Says) -> Vec<Witness> {
    all.retain(|it| (it.about, it.seer) != (about, seer));
    all.push(heard(about, seer, says));
    all
}

#[test]
fn every_diagnosis_is_made_by_what_it_says() {
    use About::{Lever, Machines, Names, Production, Standby, Users};
    let all = |says| dead().into_iter().map(|it| Witness { says, ..it }).collect::<Vec<_>>();
    let only_http: Vec<_> = dead().into_iter().filter(|it| it.about != Machines).collect();
    let old: Vec<_> = dead()
        .into_iter()
        .map(|it| match it.about {
            Users | Production | Machines => {
                Witness { at: Time(NOW).plus_seconds(-MAX_AGE_SECONDS - 1), ..it }
            }
            _ => it,
        })
        .collect();
    let cases: Vec<(&str, Vec<Witness>, Diagnosis)> = vec![
        ("all is gone but the rest", dead(), Diagnosis::ProductionDead),
        ("everything is silent", all(Says::Down), Diagnosis::CutOff),
        ("nothing could be asked", all(Says::Unknown), Diagnosis::CutOff),
        ("nobody was asked", vec![], Diagnosis::CutOff),
        ("no lever", with(dead(), Lever, Seer::Provider, Says::Down), Diagnosis::LeverUnreachable),
        (
            "well, by somebody without a token",
            with(all(Says::Up), Lever, Seer::Provider, Says::Unknown),
            Diagnosis::Healthy,
        ),
        (
            "well, and no lever",
            with(all(Says::Up), Lever, Seer::Provider, Says::Down),
            Diagnosis::LeverUnreachable,
        ),
        (
            "gone, by somebody without a token",
            with(dead(), Lever, Seer::Provider, Says::Unknown),
            Diagnosis::LeverUnreachable,
        ),
        ("foreign names", with(dead(), Names, Seer::Provider, Says::Down), Diagnosis::DnsNotOurs),
        (
            "foreign at the authority",
            with(dead(), Names, Seer::Dns, Says::Down),
            Diagnosis::DnsNotOurs,
        ),
        ("no standby", with(dead(), Standby, Seer::Http, Says::Down), Diagnosis::StandbyNotReady),
        (
            "standby unknown",
            with(dead(), Standby, Seer::Http, Says::Unknown),
            Diagnosis::StandbyNotReady,
        ),
        ("well", all(Says::Up), Diagnosis::Healthy),
        (
            "well, and the standby is not",
            with(all(Says::Up), Standby, Seer::Http, Says::Down),
            Diagnosis::Healthy,
        ),
        (
            "by its address it serves",
            with(dead(), Production, Seer::Http, Says::Up),
            Diagnosis::UnreachableButServing,
        ),
        (
            "from elsewhere it serves",
            with(dead(), Production, Seer::Elsewhere, Says::Up),
            Diagnosis::UnreachableButServing,
        ),
        (
            "its machine answers",
            with(dead(), Machines, Seer::Host, Says::Up),
            Diagnosis::PartitionSuspected,
        ),
        (
            "its account answers",
            with(dead(), Machines, Seer::Provider, Says::Up),
            Diagnosis::PartitionSuspected,
        ),
        ("one kind of witness", only_http.clone(), Diagnosis::CannotTell),
        (
            "and one from elsewhere",
            with(only_http, Production, Seer::Elsewhere, Says::Down),
            Diagnosis::ProductionDead,
        ),
        ("witnesses that are too old", old, Diagnosis::CannotTell),
    ];
    let mut made = std::collections::BTreeSet::new();
    for (what, witnesses, wanted) in cases {
        assert_eq!(diagnose(&witnesses, Time(NOW)), wanted, "{what}");
        made.insert(wanted);
    }
    assert_eq!(made.len(), Diagnosis::ALL.len(), "each diagnosis has a case: {made:?}");
}

#[test]
fn production_is_never_given_up_on_one_kind_of_witness() {
    // Whatever else is said, with every witness of production of one kind.
    for seer in [Seer::Http, Seer::Dns, Seer::Provider, Seer::Host, Seer::Elsewhere] {
        let one: Vec<_> = dead()
            .into_iter()
            .map(|it| match it.about {
                About::Users | About::Production | About::Machines => Witness { seer, ..it },
                _ => it,
            })
            .collect();
        let made = diagnose(&one, Time(NOW));
        assert!(made.actionable().is_err(), "{seer:?} alone made {made:?}");
    }
}

/// The whole table, written down a second time by hand: phase, then production lost, standby lost.
const CELLS: [(Way, Phase, Onward, Onward); 21] = {
    use Onward::{Close, FailOver, FailOverIfWhole, GoBack, GoOn, Stay};
    use Phase::{
        Backup, Deploy, Embargo, Lift, Preflight, Renew, Reset, Sanity, Soak, Swap, SyncOff,
        SyncOn, Validate,
    };
    use Way::{Abort, Back, Forth};
    [
        (Forth, Preflight, FailOver, GoBack),
        (Forth, Deploy, FailOver, GoBack),
        (Forth, Embargo, FailOver, GoBack),
        (Forth, SyncOff, FailOver, GoBack),
        (Forth, Backup, FailOver, GoBack),
        (Forth, Reset, FailOverIfWhole, GoBack),
        (Forth, Validate, FailOver, GoBack),
        (Forth, Swap, FailOver, GoBack),
        (Forth, Sanity, FailOver, GoOn),
        (Forth, Soak, FailOver, GoOn),
        (Forth, Lift, FailOver, GoOn),
        (Forth, Renew, FailOverIfWhole, Close),
        (Forth, SyncOn, FailOver, Close),
        (Back, Swap, FailOver, Stay),
        (Back, Sanity, FailOver, GoOn),
        (Back, Lift, FailOver, GoOn),
        (Back, Renew, FailOverIfWhole, Close),
        (Back, SyncOn, FailOver, Close),
        (Abort, Lift, FailOver, GoOn),
        (Abort, Renew, FailOverIfWhole, Close),
        (Abort, SyncOn, FailOver, Close),
    ]
};

#[test]
fn every_cell_of_release_against_incident_is_meant() {
    let told: BTreeMap<(Way, Phase), (Onward, Onward)> =
        CELLS.iter().map(|it| ((it.0, it.1), (it.2, it.3))).collect();
    let mut cells = 0;
    for way in [Way::Forth, Way::Back, Way::Abort] {
        for phase in path(Kind::Release, way) {
            let wanted = told
                .get(&(way, *phase))
                .unwrap_or_else(|| panic!("{way:?} {phase:?} has no case of its own"));
            assert_eq!(onward_of(*phase, way, Affected::Production), wanted.0, "{way:?} {phase:?}");
            assert_eq!(onward_of(*phase, way, Affected::Standby), wanted.1, "{way:?} {phase:?}");
            assert_eq!(onward_of(*phase, way, Affected::CannotTell), Onward::Look);
            cells += 1;
        }
    }
    assert_eq!(cells, CELLS.len(), "a case for a cell that is not in the table");
}
