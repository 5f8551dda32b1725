//! `status --look`: what witnesses say stands above what the journal says, and changes what comes next.

use std::sync::Arc;

use changeover::model::{About, Says, Seer, Time, Witness};
use changeover::view::Heard;
use serde_json::{Value, json};

use crate::cli::desk::{Fake, Ran, Typing};
use crate::walk::{Walk, well};

/// A walk whose workflow says how production is given up.
fn gives_up(mut walk: Walk) -> Walk {
    let mut workflow = (*walk.workflow).clone();
    let soak = json!({ "planned": "0m", "at_most": "24h" });
    let failover = json!({ "assess": [], "fence": [], "soak": soak });
    workflow.failover = Some(serde_json::from_value(failover).unwrap());
    walk.workflow = Arc::new(workflow);
    walk
}

/// Such a walk with a release that may be swapped.
fn approved() -> Walk {
    let mut walk = gives_up(Walk::steady());
    walk.start("v4.4.0");
    walk.work(well);
    for _ in 0..6 {
        walk.next();
        walk.work(well);
    }
    walk.ask();
    walk.approve("curator-a", "business");
    walk.approve("engineer-b", "tech");
    walk
}

/// What is said of users, production, its machines, the standby and the lever.
fn heard(now: Time, says: [Says; 5]) -> Heard {
    let asked = [
        (About::Users, Seer::Http, "http https://gigadb.org/"),
        (About::Production, Seer::Http, "http https://gigadb.org/ at hk"),
        (About::Machines, Seer::Provider, "aws rds ap-east-1"),
        (About::Standby, Seer::Http, "http https://gigadb.org/ at sydney"),
        (About::Lever, Seer::Provider, "cloudflare"),
    ];
    let told = asked.into_iter().zip(says).map(|((about, seer, source), says)| Witness {
        about,
        seer,
        says,
        source: source.to_owned(),
        at: now.plus_seconds(-2),
        text: match says {
            Says::Up => "answers 200",
            Says::Down => "no answer within 4s",
            Says::Unknown => "the environment variable CLOUDFLARE_API_TOKEN is not set",
        }
        .to_owned(),
    });
    Heard { production: "hk".into(), standby: "sydney".into(), witnesses: told.collect() }
}

const WELL: [Says; 5] = [Says::Up; 5];
const DEAD: [Says; 5] = [Says::Down, Says::Down, Says::Down, Says::Up, Says::Up];
const HALF: [Says; 5] = [Says::Down, Says::Down, Says::Up, Says::Up, Says::Up];
const NOTHING: [Says; 5] = [Says::Down; 5];
const NO_TOKEN: [Says; 5] = [Says::Down, Says::Down, Says::Down, Says::Up, Says::Unknown];
const WELL_NO_TOKEN: [Says; 5] = [Says::Up, Says::Up, Says::Up, Says::Up, Says::Unknown];
const LITTLE: [Says; 5] = [Says::Unknown, Says::Unknown, Says::Unknown, Says::Up, Says::Up];

fn typed(walk: &Walk, says: [Says; 5], line: &str) -> Ran {
    let desk = Fake::of(walk).hearing(heard(walk.now, says));
    let ran = Typing::at(&desk).run(line);
    assert!(desk.told().is_empty(), "nothing is ordered");
    ran
}

fn document(walk: &Walk, says: [Says; 5]) -> Value {
    let ran = typed(walk, says, "status --look --json");
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn a_dead_production_stands_on_top_and_next_is_the_plan_of_a_failover() {
    let walk = gives_up(Walk::steady());
    let desk = Fake::of(&walk).hearing(heard(walk.now, DEAD));
    for width in [80, 120] {
        let ran = Typing::at(&desk).wide(width).run("status --look");
        assert_eq!((ran.status, ran.err.as_str()), (0, ""));
        insta::assert_snapshot!(format!("look_dead_{width}"), ran.out);
    }
    let ran = Typing::at(&desk).run("status --look --ascii");
    assert!(ran.out.is_ascii(), "{}", ran.out);
    let it = document(&walk, DEAD);
    insta::assert_snapshot!(
        "look_dead_json",
        serde_json::to_string_pretty(&json!([it["looked"], it["seen"], it["next"]])).unwrap()
    );
}

#[test]
fn what_follows_from_each_diagnosis() {
    let walk = gives_up(Walk::steady());
    let plan = json!("changeover -s gigadb failover --dry-run");
    let start = json!("changeover -s gigadb release start VERSION");
    for (says, name, command) in [
        (WELL, "healthy", &start),
        (DEAD, "production_dead", &plan),
        (HALF, "partition_suspected", &plan),
        (LITTLE, "cannot_tell", &plan),
        (NOTHING, "cut_off", &Value::Null),
        (NO_TOKEN, "lever_unreachable", &Value::Null),
        (WELL_NO_TOKEN, "healthy", &start),
    ] {
        let it = document(&walk, says);
        assert_eq!(it["seen"]["diagnosis"], name);
        assert_eq!(it["seen"]["actionable"], json!([DEAD, HALF].contains(&says)), "{name}");
        assert_eq!(&it["next"]["command"], command, "{name}");
        let screen = typed(&walk, says, "status --look").out;
        assert!(screen.contains(&format!("SEEN NOW    {name}: ")), "{screen}");
        assert_eq!(screen.contains("there is one"), name == "healthy", "{screen}");
    }
    // Nothing says how production could be given up.
    let it = document(&Walk::steady(), DEAD);
    assert_eq!(it["next"]["command"], Value::Null);
    assert!(it["next"]["sentence"].as_str().unwrap().contains("bring hk back"), "{it}");
}

#[test]
fn an_old_word_says_nothing() {
    let mut walk = gives_up(Walk::steady());
    let old = heard(walk.now, DEAD);
    walk.wait(61);
    let desk = Fake::of(&walk).hearing(old);
    let ran = Typing::at(&desk).run("status --look");
    assert!(ran.out.contains("cut_off") && ran.out.contains("1m 3s ago"), "{}", ran.out);
}

#[test]
fn an_open_run_may_be_left_for_a_failover_and_a_move_under_way_keeps_its_own_next() {
    let plan = "changeover -s gigadb failover --dry-run";
    let mut walk = approved();
    assert_eq!(document(&walk, DEAD)["next"]["command"], plan);
    // What is no reason for a failover does not hide the run's own way on.
    let own = "changeover -s gigadb release next --confirm sydney";
    assert_eq!(document(&walk, NOTHING)["next"]["command"], own);
    let screen = typed(&walk, NOTHING, "status --look").out;
    assert!(screen.contains("look from another place"), "{screen}");

    walk.next();
    walk.begin_one();
    let journal = Typing::at(&Fake::of(&walk)).run("status --json").out;
    let journal: Value = serde_json::from_str(&journal).unwrap();
    let it = document(&walk, DEAD);
    assert_eq!(it["moving_to"], "sydney");
    assert_eq!(it["seen"]["diagnosis"], "production_dead");
    assert_eq!(it["next"], journal["next"]);
    assert!(it["allowed"].to_string().contains("failover --dry-run"), "{it:#}");

    // The journal has another production than the one that was asked about: it has moved meanwhile.
    let soaking = gives_up(Walk::soaking());
    let it = document(&soaking, DEAD);
    assert_eq!(it["next"]["command"], "changeover -s gigadb release accept --reason TEXT");
}

#[test]
fn without_the_flag_the_screen_says_that_nobody_was_asked() {
    let walk = Walk::steady();
    let line = "by the journal; --look asks the world";
    let last = |ran: Ran| ran.out.lines().last().unwrap().to_owned();
    assert_eq!(last(typed(&walk, DEAD, "status")), line);
    for typed_as in ["status --quiet", "status --look", "status --look --quiet"] {
        let out = typed(&walk, WELL, typed_as).out;
        assert!(!out.contains(line), "{typed_as}: {out}");
    }
    let it: Value = serde_json::from_str(&typed(&walk, DEAD, "status --json").out).unwrap();
    assert_eq!((&it["looked"], it.get("seen")), (&json!(false), None));
}

#[test]
fn where_nobody_can_be_asked_the_screen_says_why() {
    let desk = Fake::of(&Walk::new());
    let ran = Typing::at(&desk).run("status --look");
    assert_eq!(ran.status, 0);
    assert!(ran.out.contains("WARNING   --look asked nobody: nobody is asked here"), "{}", ran.out);
    assert!(ran.out.contains("changeover -s gigadb init"), "{}", ran.out);
    let it: Value =
        serde_json::from_str(&Typing::at(&desk).run("status --look --json").out).unwrap();
    assert_eq!(it["looked"], false);
}

#[test]
fn metrics_name_the_diagnosis_and_the_table_takes_no_flag() {
    let mut walk = Walk::started();
    walk.work(well);
    let family = "changeover_diagnosis{system=\"gigadb\",diagnosis=";
    let out = typed(&walk, DEAD, "status --look --format prometheus").out;
    let samples: Vec<&str> = out.lines().filter(|it| it.starts_with(family)).collect();
    assert_eq!(samples.len(), 9, "{out}");
    let fits: Vec<&&str> = samples.iter().filter(|it| it.ends_with(" 1")).collect();
    assert_eq!(fits, [&format!("{family}\"production_dead\"}} 1")], "{out}");
    let out = typed(&walk, DEAD, "status --format prometheus").out;
    assert!(!out.contains("changeover_diagnosis"), "{out}");

    let ran = typed(&walk, DEAD, "status --look --format markdown");
    assert_eq!((ran.status, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("by the journal alone") && ran.err.contains("json"), "{}", ran.err);
}
