//! Drift on the screen: whole screens, the document, the lines of a watch, the consent.

use changeover::conductor::Command;
use changeover::machine::Fact;

use crate::cli::desk::{Fake, Typing};
use crate::drift::{Paper, address, now, site, unknown};
use crate::walk::Walk;

/// The paper's world beside a walk that says the same.
fn desk(papers: &[Paper]) -> Fake {
    let mut walk = Walk::steady();
    walk.now = now();
    walk.workflow = papers[0].workflow.clone().into();
    let record = &papers[0].life.record;
    let mut facts = vec![Fact::Born { journal: record.journal.clone() }];
    for (it, addresses) in &record.addresses {
        facts.push(Fact::Addresses { site: it.clone(), addresses: addresses.clone() });
        facts.push(Fact::Release { site: it.clone(), version: record.releases[it].clone() });
    }
    for (zone, number) in &record.marks {
        facts.push(Fact::Mark { zone: zone.clone(), number: *number });
    }
    walk.note("as on paper", vec![], facts);
    let fake = Fake::of(&walk);
    *fake.looks.lock().unwrap() = papers.iter().map(|it| it.sight.clone()).collect();
    fake
}

fn half() -> Paper {
    let mut paper = Paper::new();
    paper.lead("gigadb.org", &address("sydney", "web"));
    paper
}

fn screens(name: &str, paper: Paper) {
    let desk = desk(&[paper]);
    for width in [80, 120] {
        let ran = Typing::at(&desk).wide(width).run("drift");
        assert_eq!((ran.status, ran.err.as_str()), (0, ""));
        insta::assert_snapshot!(format!("drift_{name}_{width}"), ran.out);
    }
    let ascii = Typing::at(&desk).run("drift --ascii").out;
    assert!(ascii.is_ascii(), "{ascii}");
}

#[test]
fn clean() {
    screens("clean", Paper::new());
    let desk = desk(&[Paper::new()]);
    assert_eq!(Typing::at(&desk).run("drift gigadb --exit-code").status, 0);
}

#[test]
fn two_writers_and_half_a_swap() {
    screens("half", half());
    let desk = desk(&[half()]);
    assert_eq!(Typing::at(&desk).run("drift --exit-code").status, 8);
    insta::assert_snapshot!("drift_half_json", Typing::at(&desk).run("drift --json").out);
}

#[test]
fn moved_by_hand() {
    let mut paper = Paper::new();
    paper.swap_to("sydney");
    screens("moved", paper);
}

#[test]
fn partly_unknown() {
    let mut paper = Paper::new();
    paper.sight.zones.insert("gigadb.org".to_owned(), unknown("cloudflare gigadb.org"));
    paper.sight.addresses.insert(site("hk"), unknown("aws ec2 ap-east-1"));
    screens("unknown", paper.clone());
    let desk = desk(&[paper]);
    assert_eq!(Typing::at(&desk).run("drift --exit-code").status, 6);
}

#[test]
fn a_watch_tells_what_changes() {
    let mut dark = Paper::new();
    dark.sight.zones.insert("gigadb.host".to_owned(), unknown("cloudflare gigadb.host"));
    let looks = vec![Paper::new(), half(), half(), dark, Paper::new()];
    let ran = Typing::at(&desk(&looks)).run("drift --watch --every 1s --for 5s --exit-code");
    insta::assert_snapshot!("drift_watch", ran.out);
    assert_eq!(ran.status, 0, "as the last look was");
    let ran = Typing::at(&desk(&looks)).run("drift --watch --every 1s --for 2s --json");
    assert!(!ran.out.is_empty(), "{}", ran.err);
    assert!(ran.out.lines().all(|it| it.starts_with("{\"schema\":\"changeover.drift-event/v1\"")));
}

#[test]
fn adopting_wants_the_name_of_the_site_that_is_production() {
    let mut paper = Paper::new();
    paper.swap_to("sydney");
    let desk = desk(&[paper]);
    let line = "drift adopt --reason moved";
    let ran = Typing::at(&desk).run(line);
    assert_eq!(ran.status, 2);
    assert!(ran.err.contains("--confirm sydney") && desk.done().is_empty(), "{}", ran.err);
    let ran = Typing::at(&desk).answering(&["hk"]).run(line);
    assert!(ran.status == 2 && desk.done().is_empty());
    let ran = Typing::at(&desk).answering(&["sydney"]).run(line);
    assert_eq!(ran.status, 0, "{}", ran.err);
    let confirm = Some("sydney".into());
    assert_eq!(desk.done()[0].command, Command::DriftAdopt { confirm });
    assert_eq!(desk.done()[0].reason.as_deref(), Some("moved"));
    let ran = Typing::at(&self::desk(&[half()])).answering(&["sydney"]).run(line);
    assert!(
        ran.status == 3 && ran.err.contains("E2041") && ran.err.contains("half a swap"),
        "{}",
        ran.err
    );
}

#[test]
fn each_name_has_a_page() {
    let desk = desk(&[Paper::new()]);
    for name in changeover::drift::Name::ALL {
        let ran = Typing::at(&desk).run(&format!("explain {}", name.slug()));
        assert!(
            ran.status == 0 && ran.out.starts_with(&format!("# {}\n", name.title())),
            "{}",
            ran.out
        );
        let lines = ran.out.lines().filter(|it| !it.trim().is_empty()).count();
        assert!((8..=25).contains(&lines), "{}: {lines} lines", name.slug());
    }
}
