//! The whole table as a snapshot, and the page that shows it; read both before accepting a change.

use std::fmt::Write as _;
use std::fs;

use changeover::chart::{self, Letters};
use changeover::machine::{At, Life, State};
use changeover::model::{Kind, Phase, Way};

const PAGE: &str = "docs/machine.md";
const KINDS: [Kind; 5] =
    [Kind::Release, Kind::Switchover, Kind::Failover, Kind::Rejoin, Kind::Drill];

#[test]
fn every_shape_of_state_against_every_input() {
    insta::assert_snapshot!(format!("{}\n\n{}", chart::legend(), chart::table_text()));
}

#[test]
fn no_row_and_no_column_is_empty() {
    let table = chart::table();
    for row in &table {
        assert!(row.cells.iter().any(|it| !it.leads.is_empty()), "{} cannot be left", row.name);
    }
    for (column, input) in chart::INPUTS.iter().enumerate() {
        let wanted = table.iter().any(|row| !row.cells[column].leads.is_empty());
        assert!(wanted, "{input} is wanted nowhere");
    }
}

/// With `UPDATE_DOCS=1` in the environment the page is written anew instead.
#[test]
fn the_page_shows_what_the_machine_does() {
    let written = fs::read_to_string(PAGE).unwrap();
    let mut made =
        between(&written, "table", &format!("{}\n\n{}", chart::legend(), chart::table_text()));
    made = between(&made, "modes", &fenced("mermaid", &chart::mermaid()));
    for kind in KINDS {
        let text = chart::text(kind, &State::Steady, Letters::Unicode);
        let both = fenced("text", &text) + "\n" + &fenced("mermaid", &chart::mermaid_kind(kind));
        made = between(&made, kind.name(), &both);
    }
    #[expect(clippy::disallowed_methods, reason = "how a person asks this test to write the page")]
    let update = std::env::var_os("UPDATE_DOCS").is_some();
    if update {
        fs::write(PAGE, &made).unwrap();
    } else {
        assert!(
            written == made,
            "{PAGE} is not what the machine does; UPDATE_DOCS=1 writes it anew"
        );
    }
}

fn fenced(language: &str, text: &str) -> String {
    format!("```{language}\n{text}```\n")
}

/// The page with what stands between the two markers of this name replaced.
fn between(page: &str, name: &str, text: &str) -> String {
    let (start, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = page.split_once(&start).unwrap_or_else(|| panic!("no marker {start}"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("no marker {end}"));
    format!("{before}{start}\n{text}\n{end}{after}")
}

#[test]
fn drawings_fit_a_screen_and_mark_the_place() {
    let mut drawn = String::new();
    for kind in KINDS {
        for letters in [Letters::Unicode, Letters::Ascii] {
            let phase = if kind == Kind::Rejoin { Phase::Renew } else { Phase::Sanity };
            let at = At { kind, way: Way::Forth, phase, group: 0, tried: 1 };
            let text = chart::text(kind, &State::Halted { at, failed: 1, unknown: 0 }, letters);
            assert!(text.lines().all(|it| it.chars().count() <= 80), "{text}");
            assert!(letters == Letters::Unicode || text.is_ascii(), "{text}");
            writeln!(drawn, "{}\n{text}", kind.name()).unwrap();
        }
    }
    insta::assert_snapshot!(drawn);
}

#[test]
fn a_run_is_marked_in_its_chart() {
    let at = At { kind: Kind::Release, way: Way::Back, phase: Phase::Lift, group: 0, tried: 1 };
    let life = Life { state: State::Ready { at }, ..Life::default() };
    let chart = chart::mermaid_run(&life);
    assert!(chart.contains("class back_sanity walked"), "{chart}");
    assert!(chart.ends_with("class back_lift here\n"), "{chart}");
    let halted = Life { state: State::Halted { at, failed: 1, unknown: 0 }, ..life };
    assert!(chart::mermaid_run(&halted).ends_with("class back_lift halted\n"));
}
