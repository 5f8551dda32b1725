//! Lists of runs, and one run as bars against time.

use crate::model::Time;
use crate::view::render::Paper;
use crate::view::render::page::{Page, cut};
use crate::view::story::{End, Story};
use crate::view::timeline::{Bar, Timeline};
use crate::view::words::{Mark, ago, lasting, minute, run_name};

const fn end(story: &Story) -> &'static str {
    match story.end {
        None => "open",
        Some(End::Finished) => "finished",
        Some(End::RolledBack) => "rolled back",
        Some(End::Aborted) => "aborted",
        Some(End::Closed) => "closed, something owed",
    }
}

/// A list of runs.
pub fn runs(stories: &[Story], now: Time, paper: Paper) -> String {
    let mut page = Page::new(paper);
    let row = |run: &str, what: &str, started: &str, took: &str, rest: &str| {
        format!("{run:>4}  {what:<22} {started:<17} {took:>8}  {rest}")
    };
    page.line(&row("RUN", "WHAT", "STARTED (UTC)", "TOOK", "END, BY"));
    for story in stories {
        let took = lasting(story.ended.unwrap_or(now).seconds_since(story.started));
        let name = run_name(story.kind, story.version.as_deref());
        let rest = format!("{}, {}", end(story), story.requester);
        page.line(&row(&story.number.to_string(), &name, &minute(story.started), &took, &rest));
    }
    page.into_text()
}

/// One run: phases and steps against time.
pub fn timeline(view: &Timeline, now: Time, paper: Paper) -> String {
    let mut page = Page::new(paper);
    let run = &view.run;
    let name = run_name(run.kind, run.version.as_deref());
    let left = format!("RUN {}  {name}: {} → {}, {}", run.number, run.from, run.to, end(run));
    page.ends(&left, &format!("opened {} by {}", ago(now, run.started), run.requester));
    page.line(&format!("{} UTC, {}", run.started.screen(), {
        lasting(view.until.seconds_since(run.started))
    }));
    if let Some(lost) = &view.lost {
        page.block("LOST", &lost.accepted);
        if let Some(found) = &lost.found {
            page.block("", &format!("in truth: {found}"));
        }
    }
    if let Some(rto) = &view.rto {
        page.block("TOOK", &rto.says());
    }
    for fault in &view.faults {
        page.hang(&format!("{} FAULT     ", page.sign(Mark::Failed)), 12, fault);
    }
    page.gap();
    for phase in &view.bars {
        bar(&mut page, phase, view, 0);
        phase.steps.iter().for_each(|step| bar(&mut page, step, view, 2));
    }
    if let Some(cost) = &view.way_back {
        page.gap();
        page.block("WAY BACK", &cost.says);
    }
    page.into_text()
}

fn bar(page: &mut Page, bar: &Bar, view: &Timeline, indent: usize) {
    let name = bar.name.rsplit('/').next().unwrap_or(&bar.name);
    let took = lasting(bar.ended.seconds_since(bar.began));
    let head = format!("{}{} {name}", " ".repeat(indent), page.sign(bar.mark));
    let pad = " ".repeat(18_usize.saturating_sub(indent + 2 + name.chars().count()));
    let columns = page.width().saturating_sub(56).clamp(16, 60);
    let picture = stretch(bar, view, columns);
    let tried = if bar.tried > 1 { format!(" (tried {})", bar.tried) } else { String::new() };
    let says = format!("{}{tried}", bar.says.as_deref().unwrap_or_default());
    let room = page.width().saturating_sub(18 + 2 + columns + 9 + 2);
    page.line(&format!("{head}{pad}  {picture} {took:>8}  {}", cut(&says, room)));
}

/// The part of the run's time that a bar covers, at least one column.
fn stretch(bar: &Bar, view: &Timeline, columns: usize) -> String {
    let whole = (view.until.0 - view.run.started.0).max(1);
    let wide = i64::try_from(columns).unwrap_or(24);
    let place = |time: Time| ((time.0 - view.run.started.0).max(0) * wide / whole).min(wide);
    let first = place(bar.began).min(wide - 1);
    let last = place(bar.ended).max(first + 1);
    let sign = |column| if (first..last).contains(&column) { '█' } else { '·' };
    (0..wide).map(sign).collect()
}
