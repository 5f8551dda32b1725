//! A plan: what would be done, what was read, what going back would cost.

use crate::model::{Change, Evidence, Time, Verb};
use crate::view::render::Paper;
use crate::view::render::packet::short;
use crate::view::render::page::Page;
use crate::view::words::{Mark, ago};

/// One step of a plan, borrowed from wherever plans are made.
#[derive(Clone, Copy, Debug)]
pub struct Planned<'a> {
    /// Its phase's name.
    pub phase: &'a str,
    /// Its id.
    pub id: &'a str,
    /// Its kind.
    pub kind: &'a str,
    /// `pass`, `fail`, `unknown`, `done`, `todo`, `later`.
    pub verdict: &'a str,
    /// What it would change.
    pub changes: &'a [Change],
    /// What was read.
    pub evidence: &'a [Evidence],
}

/// The steps of a plan, by phase.
pub fn plan(steps: &[Planned<'_>], now: Time, paper: Paper) -> String {
    let mut page = Page::new(paper);
    let mut phase = "";
    for step in steps {
        if step.phase != phase {
            phase = step.phase;
            page.line(&format!("  {phase}"));
        }
        let sign = page.sign(mark(step.verdict));
        let head = format!("    {sign} {:<14} ", step.id);
        page.hang(&head, 21, &format!("{} {}", step.kind, step.verdict));
        for it in step.evidence {
            page.hang(
                "        ",
                8,
                &format!("{}: {}, read {}", it.source, it.says, ago(now, it.at)),
            );
        }
        step.changes.iter().for_each(|it| change(&mut page, it));
    }
    page.into_text()
}

fn change(page: &mut Page, change: &Change) {
    let sign = match change.verb {
        Verb::Create => '+',
        Verb::Change => '~',
        Verb::Delete => '-',
        Verb::Run => '>',
        Verb::Tell => '!',
    };
    let values = match (&change.old, &change.new) {
        (Some(old), Some(new)) => format!(": {old} → {new}"),
        (None, Some(new)) => format!(": {new}"),
        (Some(old), None) => format!(": {old} → nothing"),
        (None, None) => String::new(),
    };
    let text = format!("{}{values} ({})", short(&change.key), change.sentence);
    page.hang(&format!("      {sign} "), 8, &text);
}

/// The mark of a verdict as plans name it.
fn mark(verdict: &str) -> Mark {
    match verdict {
        "pass" | "done" => Mark::Done,
        "fail" => Mark::Failed,
        "todo" | "later" => Mark::ToCome,
        "waived" => Mark::Skipped,
        _ => Mark::Unknown,
    }
}
