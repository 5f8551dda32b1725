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

/// The steps of a plan, by phase; phases that cannot be planned yet are one line each.
pub fn plan(steps: &[Planned<'_>], now: Time, paper: Paper) -> String {
    let mut page = Page::new(paper);
    for steps in steps.chunk_by(|a, b| a.phase == b.phase) {
        let Some(first) = steps.first() else { continue };
        if steps.iter().all(|it| it.verdict == "later") {
            let ids: Vec<_> = steps.iter().map(|it| it.id).collect();
            page.hang(&format!("  {:<9} ", first.phase), 12, &ids.join(", "));
            continue;
        }
        page.line(&format!("  {}", first.phase));
        steps.iter().for_each(|it| step(&mut page, it, now));
    }
    page.into_text()
}

fn step(page: &mut Page, step: &Planned<'_>, now: Time) {
    let sign = page.sign(mark(step.verdict));
    let head = format!("    {sign} {:<14} ", step.id);
    page.hang(&head, 21, &format!("{} {}", step.kind, step.verdict));
    for it in step.evidence {
        let text = format!("{}: {}, read {}", it.source, it.says, ago(now, it.at));
        page.hang("        ", 8, &text);
    }
    step.changes.iter().for_each(|it| change(page, it));
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
    // A crontab's entry has its marker on a line of its own.
    page.hang(&format!("      {sign} "), 8, &text.replace('\n', " / "));
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
