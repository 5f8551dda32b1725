//! Pictures: what they say of a walked life.

mod metrics;

use changeover::machine::{Ended, Fact, Input, Life, Owed, replay};
use changeover::model::{Digest, Kind, Phase, Roles, SystemName};
use changeover::port::Line;
use changeover::view::words::{lasting, took};
use changeover::view::{self, End, Look, Loses, Mark};

use crate::walk::{Walk, well};

fn look(walk: &Walk, test: impl FnOnce(&Look<'_>)) {
    let system = SystemName::from("gigadb");
    test(&Look {
        system: &system,
        life: &walk.life,
        workflow: Some(&walk.workflow),
        lines: &walk.lines,
        now: walk.now,
        differs: &[],
        holder: walk.holder.as_deref(),
    });
}

fn failing(step: &'static str) -> impl Fn(&str) -> Ended {
    move |id| if id == step { Ended::Failed } else { Ended::Done }
}

/// A whole release, from init to steady.
fn finished() -> Walk {
    let mut walk = Walk::soaking();
    walk.tell("mira", Input::Accept, Default::default());
    walk.work(well);
    for _ in 0..2 {
        walk.next();
        walk.work(well);
    }
    walk
}

#[test]
fn the_walk_is_a_journal_that_replays() {
    let walk = finished();
    let mut life = Life::default();
    for line in &walk.lines {
        replay(&mut life, &line.entry(), &line.by.name).unwrap();
    }
    assert_eq!(life, walk.life);
}

#[test]
fn durations_are_short() {
    let all = [(0, "0s"), (59, "59s"), (60, "1m"), (252, "4m 12s"), (9_660, "2h 41m")];
    for (seconds, text) in all.into_iter().chain([(86_400, "1d"), (7 * 86_400 + 14_400, "7d 4h")]) {
        assert_eq!(lasting(seconds), text);
    }
    assert_eq!((took(400), took(65_400)), ("0.4s".to_owned(), "1m 5s".to_owned()));
}

#[test]
fn stories_know_how_runs_ended() {
    let mut walk = finished();
    let ends = |lines: &[Line]| view::stories(lines).iter().map(|it| it.end).collect::<Vec<_>>();
    assert_eq!(ends(&walk.lines), [Some(End::Finished)]);
    assert!(walk.life.record.owed.is_empty(), "{:?}", walk.life.record.owed);
    let mut aborted = Walk::started();
    aborted.say(Input::Abort, "not today");
    aborted.work(well);
    assert_eq!(ends(&aborted.lines), [Some(End::Aborted)]);
    let mut back = Walk::soaking();
    back.say(Input::Rollback { loss_accepted: false }, "search is broken");
    back.work(well);
    for _ in 0..4 {
        back.next();
        back.work(well);
    }
    assert_eq!(ends(&back.lines), [Some(End::RolledBack)]);
    walk.wait(60);
    assert_eq!(view::stories(&walk.lines)[0].number, 1);
}

#[test]
fn a_retried_step_counts_its_tries() {
    let mut walk = Walk::steady();
    walk.start("v4.4.0");
    walk.work(failing("ttl"));
    walk.say(Input::Retry, "the zone was mended");
    walk.work(well);
    let story = view::stories(&walk.lines).remove(0);
    let ttl = story.passages[0].steps.iter().find(|it| it.id.as_str() == "ttl").unwrap();
    assert_eq!((ttl.tried, ttl.mark), (2, Mark::Done));
    let group = story.passages[0].steps.iter().find(|it| it.id.as_str() == "group").unwrap();
    assert_eq!(group.tried, 1, "what had passed is not begun again");
    assert_eq!(story.passages.len(), 1, "a retry is the same passage");
}

#[test]
fn a_skipped_step_says_who_and_why() {
    let mut walk = Walk::steady();
    walk.start("v4.4.0");
    walk.work(failing("windows"));
    walk.say(Input::Skip { steps: 0b1000 }, "agreed by phone");
    let story = view::stories(&walk.lines).remove(0);
    let step = &story.passages[0].steps[3];
    assert_eq!(step.mark, Mark::Skipped);
    assert_eq!(step.says.as_deref(), Some("skipped by mira: agreed by phone"));
}

#[test]
fn an_abort_before_deploy_leaves_renew_out() {
    let mut walk = Walk::started();
    walk.next();
    walk.work(failing("vars"));
    assert!(walk.life.record.owed.contains(&Owed::Standby));
    let mut early = Walk::steady();
    early.start("v4.4.0");
    early.work(failing("ttl"));
    early.say(Input::Abort, "no");
    early.work(well);
    look(&early, |look| assert!(view::status(look).run.is_none()));
}

#[test]
fn an_embargo_past_its_end_is_a_fault_and_lifts_nothing() {
    let mut walk = Walk::asking();
    walk.wait(13 * 3_600);
    look(&walk, |look| {
        let view = view::status(look);
        assert!(view.embargoes[0].expired);
        assert_eq!(view.faults, ["the embargo on hk should have been lifted 1h 41m ago"]);
    });
}

#[test]
fn an_embargo_on_a_lost_site_lies_until_it_is_rebuilt() {
    let mut walk = Walk::asking();
    walk.life.record.quarantined = Some("hk".into());
    // Of the failover: whatever run is open now, it has not forgotten it.
    for embargo in walk.life.record.embargoes.values_mut() {
        embargo.run = 0;
    }
    walk.wait(13 * 3_600);
    look(&walk, |look| {
        let view = view::status(look);
        assert!(view.embargoes[0].until_rebuilt && !view.embargoes[0].expired);
        assert_eq!(view.faults, [""; 0]);
        let paper = view::render::Paper { width: 200, ascii: false };
        let screen = view::render::status(&view, paper);
        assert!(screen.contains("until it is rebuilt"), "{screen}");
        let list = view::render::embargoes(&view.embargoes, view.now, paper);
        assert!(list.contains("it is rebuilt") && !list.contains("FAULT"), "{list}");
        assert!(
            !view::render::prometheus(&view).contains("changeover_embargo"),
            "no end to wait for"
        );
    });
}

#[test]
fn the_target_of_next_is_known_only_before_a_swap() {
    assert_eq!(view::target(&Walk::started().life, false), None);
    let target = view::target(&Walk::approved().life, false).unwrap();
    assert_eq!(target.site.as_str(), "sydney");
    let back = view::target(&Walk::soaking().life, true).unwrap();
    assert_eq!((back.site.as_str(), back.loses_writes), ("hk", false));
}

#[test]
fn going_back_gets_dearer() {
    let mut walk = Walk::soaking();
    let way_back =
        |walk: &Walk, after| view::way_back(&walk.life, after, &view::measured(&walk.lines));
    let now = way_back(&walk, None);
    let free = "free: no write was allowed since; users go back to hk (how long that takes nobody has \
                measured yet); it costs writes from lift on and ends with renew";
    assert_eq!(now.says, free);
    assert!(now.possible && now.loses == Loses::Nothing && now.until == Some(Phase::Lift));
    assert_eq!(now.seconds, None, "caches were never asked");
    walk.note("asked", vec![], vec![Fact::Remembered { old: 12, ttl: 60 }]);
    let now = way_back(&walk, None);
    // The switch took 3 s and the confirmation 62 s on the way forth; then caches hold for a minute.
    assert_eq!(now.seconds, Some(3 + 62 + 60 + checks_of_swap(&walk)));
    assert!(now.says.contains("users go back to hk in about 2m "), "{}", now.says);
    assert!(
        now.says.contains("60s in caches") || now.says.contains("1m in caches"),
        "{}",
        now.says
    );
    let after = way_back(&walk, Some(Phase::Lift));
    let written =
        "costs every write made on sydney since writes were allowed there; users go back to hk in";
    assert!(after.says.starts_with(written), "{}", after.says);
    assert_eq!(after.loses, Loses::Writes { since: None, rows: None });
    walk.tell("mira", Input::Accept, Default::default());
    let lifting = walk.now;
    walk.work(well);
    let now = way_back(&walk, None);
    assert_eq!(now.loses, Loses::Writes { since: Some(lifting), rows: None });
    assert!(
        now.says.contains("how many is not known") && now.until == Some(Phase::Renew),
        "{now:?}"
    );
    walk.note("counted", vec![], vec![Fact::Rows { rows: 100 }]);
    walk.note("counted", vec![], vec![Fact::Rows { rows: 131 }]);
    let now = way_back(&walk, None);
    assert_eq!(now.loses, Loses::Writes { since: Some(lifting), rows: Some(31) });
    assert!(now.says.contains("at least 31 rows"), "{}", now.says);
    let renewed = way_back(&walk, Some(Phase::Renew));
    assert_eq!(renewed.says, "no way back: hk's data is replaced; start a release instead");
    assert!(!renewed.possible && renewed.until.is_none());
    walk.next();
    assert_eq!(way_back(&walk, None), renewed);
}

/// Seconds of the swap's steps beside the switch and its confirmation.
fn checks_of_swap(walk: &Walk) -> i64 {
    let others = walk.workflow.steps(Phase::Swap).iter();
    let others = others.filter(|it| !["switch", "switch.confirm"].contains(&it.kind()));
    i64::try_from(others.count()).unwrap() * 2
}

#[test]
fn the_conductors_sentences_need_only_the_life() {
    let life = Walk::started().life;
    assert_eq!(view::sentence(&life), "preflight is done");
    let next = "deploy puts the release onto the standby: changeover release next";
    assert_eq!(view::next(&Look::at_work(&life)), next);
    let asks = Walk::approved().life;
    assert!(
        view::next(&Look::at_work(&asks)).ends_with("changeover release next --confirm sydney")
    );
}

#[test]
fn the_way_back_names_the_loss_wherever_it_is_refused_without() {
    let back = |life: &Life| {
        let costs = view::target(life, true).unwrap().loses_writes;
        let typed = view::commands_for(&Look::at_work(life), &["rollback"]).remove(0);
        assert_eq!(costs, typed.contains(" --accept-data-loss"), "{typed}");
        costs
    };
    assert!(!back(&Walk::soaking().life));
    // In lift writes may have been let in: it is not known.
    let mut lifted = Walk::soaking();
    lifted.tell("mira", Input::Accept, Default::default());
    lifted.work(failing("lift"));
    lifted.life.record.writes_since_swap = false;
    assert!(back(&lifted.life));
    // Half-way through a failover nothing refuses writes where users are moved to.
    let mut half = Walk::soaking().life;
    half.record.roles = Some(Roles::Moving { from: "hk".into(), to: "sydney".into() });
    half.record.run.as_mut().unwrap().kind = Kind::Failover;
    assert!(back(&half));
}

#[test]
fn every_allowed_command_is_one_that_can_be_typed() {
    use clap::Parser;
    let mut lifted = Walk::soaking();
    lifted.tell("mira", Input::Accept, Default::default());
    lifted.work(failing("lift"));
    let walks = [Walk::steady(), Walk::started(), Walk::asking(), Walk::soaking(), lifted];
    for walk in &walks {
        look(walk, |look| {
            let allowed = view::allowed(look);
            assert!(!allowed.is_empty(), "{:?}", walk.life.state);
            for it in allowed {
                let line = it.command.replace("--done|--not-done", "--done");
                let parsed = changeover::cli::Cli::try_parse_from(line.split(' '));
                assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
            }
        });
    }
}

#[test]
fn an_entrys_digest_is_what_the_next_line_has() {
    let walk = Walk::approved();
    for pair in walk.lines.windows(2) {
        let alone = view::entry(&pair[0], None, None).digest;
        assert_eq!(alone, view::entry(&pair[0], Some(&pair[1]), None).digest);
    }
    assert_ne!(view::entry(&walk.lines[0], None, None).digest, Digest::default());
}
