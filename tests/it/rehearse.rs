//! Rehearsals: the shipped plans in memory, with faults that a person orders; nobody outside is called.

use std::collections::BTreeMap;

use changeover::app::{self, Flags, Happened, Rehearsed, Settings, Trouble, Wanted};
use changeover::fault::{Exit, Fault};
use changeover::machine::State;
use changeover::model::{Kind, Phase, StepId, SystemName, Way};

fn rehearse(kind: Kind, faults: &[(&str, Trouble)]) -> Result<Rehearsed, Fault> {
    let state = tempfile::tempdir().unwrap();
    let flags = Flags {
        state: Some(state.path().to_owned()),
        workflows: Some("workflows".into()),
        system: None,
        as_name: Some("engineer-a".to_owned()),
    };
    // No address, no credential, no program: whoever called outside would have nowhere to go.
    let settings = Settings::of(flags, &BTreeMap::new()).unwrap();
    let faults = faults.iter().map(|(step, how)| (StepId::from(*step), *how)).collect();
    let wanted = Wanted { kind, release: "v9.9.9".to_owned(), faults };
    let rehearsed = app::rehearse(&settings, &SystemName::from("gigadb"), &wanted);
    assert!(state.path().read_dir().unwrap().next().is_none(), "nothing is written");
    rehearsed
}

fn phases(it: &Rehearsed) -> Vec<(Way, Phase)> {
    let phase = |happened: &Happened| match happened {
        Happened::Phase { phase, way } => Some((*way, *phase)),
        Happened::Typed { .. } | Happened::Step { .. } => None,
    };
    it.timeline.iter().filter_map(|moment| phase(&moment.what)).collect()
}

#[test]
fn every_plan_goes_to_its_end_when_nothing_goes_wrong() {
    for kind in [Kind::Release, Kind::Switchover, Kind::Failover, Kind::Rejoin, Kind::Drill] {
        let it = rehearse(kind, &[]).unwrap_or_else(|fault| panic!("{}: {fault}", kind.name()));
        let told = format!("{}: {} {:#?}", kind.name(), it.sentence, it.timeline);
        assert_eq!((it.state, it.exit), (State::Steady, Exit::Done), "{told}");
        let walked = phases(&it);
        let mut wanted = changeover::machine::path(kind, Way::Forth).to_vec();
        // The lost site is fenced beside the swap; a rejoin lifts only what is owed on production.
        wanted.retain(|it| *it != Phase::Fence);
        let forth = walked.iter().filter(|it| it.0 == Way::Forth).map(|it| it.1);
        assert_eq!(forth.collect::<Vec<_>>(), wanted, "{told}");
        assert!(it.took > 60, "hours pass, and nobody waits for them: {told}");
    }
}

#[test]
fn an_ordered_fault_halts_where_it_is_met_and_says_what_goes_on() {
    let it = rehearse(Kind::Release, &[("load", Trouble::Fails)]).unwrap();
    let State::Halted { at, unknown, .. } = it.state else { panic!("{it:#?}") };
    assert_eq!((at.phase, unknown, it.exit), (Phase::Reset, 0, Exit::Failed), "{it:#?}");
    assert!(it.sentence.contains("load") && it.next.contains("run retry"), "{it:#?}");

    let it = rehearse(Kind::Switchover, &[("switch", Trouble::Unknown)]).unwrap();
    let State::Halted { at, unknown, .. } = it.state else { panic!("{it:#?}") };
    assert_eq!((at.phase, it.exit), (Phase::Swap, Exit::Unknown), "{it:#?}");
    assert_ne!(unknown, 0);

    let it = rehearse(Kind::Drill, &[("confirm", Trouble::Fails)]).unwrap();
    let State::Halted { at, .. } = it.state else { panic!("{it:#?}") };
    assert_eq!((at.kind, at.phase), (Kind::Drill, Phase::Swap));
}

#[test]
fn what_is_slow_takes_longer_and_halts_only_past_its_time_out() {
    let usual = rehearse(Kind::Switchover, &[]).unwrap();
    let slow = rehearse(Kind::Switchover, &[("dump", Trouble::Slow)]).unwrap();
    assert_eq!(slow.state, State::Steady);
    assert_eq!(slow.took - usual.took, 9 * 30, "ten times half a minute");
    // Announcements have ten minutes, a dump two hours; what is silent for so long is unknown.
    assert!(phases(&slow) == phases(&usual));
}

#[test]
fn only_steps_of_the_plan_can_go_wrong() {
    let fault = rehearse(Kind::Drill, &[("load", Trouble::Fails)]).unwrap_err();
    assert_eq!((fault.code.id, fault.exit()), ("E2012", Exit::Usage), "{fault}");
}

/// The rehearsal's own files name nothing that could call outside: no actuator, no wire, no socket, no program.
#[test]
fn a_rehearsal_has_no_way_out() {
    let mut files = 0;
    for entry in std::fs::read_dir("src/app/rehearse").unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        for banned in ["actuator", "Wire", "net::", "process::", "reqwest", "Actuators"] {
            assert!(!text.contains(banned), "{}: {banned}", path.display());
        }
        files += 1;
    }
    assert_eq!(files, 3);
}
