//! Drift as text.

use crate::app::Drift;
use crate::drift::Difference;
use crate::model::{Evidence, SiteName, SystemName, Time};
use crate::view::render::{Page, Paper};
use crate::view::words::{Mark, ago, count};

/// Readings shown of one difference; the document has them all.
const SHOWN: usize = 4;

/// The whole screen.
pub(super) fn screen(system: &SystemName, drift: &Drift, paper: Paper) -> String {
    let (mut page, report, now) = (Page::new(paper), &drift.report, drift.glance.now);
    page.ends(&format!("DRIFT {system}"), &format!("{} UTC", now.screen()));
    page.block("PRODUCTION", &production(drift));
    for note in &report.notes {
        page.block("NOTE", note);
    }
    for it in &report.differences {
        page.gap();
        one(&mut page, it, now);
    }
    if !report.unknown.is_empty() {
        page.gap();
    }
    for it in &report.unknown {
        let sign = page.sign(Mark::Unknown);
        page.hang(&format!("{sign} unknown   "), 12, &read(it, now));
    }
    page.gap();
    page.line(&summary(drift));
    page.into_text()
}

fn production(drift: &Drift) -> String {
    let recorded = drift.glance.life.record.production();
    let recorded = recorded.map_or("nobody", SiteName::as_str);
    match &drift.report.production {
        Some(it) if it.as_str() == recorded => {
            format!("{it}, by every record of the switch and by the journal")
        }
        Some(it) => format!("{it} by every record of the switch, {recorded} by the journal"),
        None => format!("{recorded} by the journal; the switch does not say one site"),
    }
}

fn one(page: &mut Page, it: &Difference, now: Time) {
    let sign = page.sign(Mark::Failed);
    let site = it.site.as_ref().map_or_else(String::new, |site| format!(" ({site})"));
    page.hang(&format!("{sign} "), 2, &format!("{}: {}{site}", it.name.title(), it.subject));
    page.block("  declared", &it.declared);
    page.block("  observed", &it.observed);
    if let Some(since) = it.since {
        page.block("  since", &format!("{} ({})", since.screen(), ago(now, since)));
    }
    for evidence in it.evidence.iter().take(SHOWN) {
        page.block("  read", &read(evidence, now));
    }
    if it.evidence.len() > SHOWN {
        page.block("", &format!("and {} more", it.evidence.len() - SHOWN));
    }
    page.block("  settle", &it.settle);
    if let Some(command) = &it.command {
        page.command("  run", command);
    }
    page.command("  page", &format!("changeover explain {}", it.name.slug()));
}

fn read(it: &Evidence, now: Time) -> String {
    format!("{}: {} ({})", it.source, it.says, ago(now, it.at))
}

/// One line on the whole.
pub(super) fn summary(drift: &Drift) -> String {
    let (differ, unknown) = (drift.report.differences.len(), drift.report.unknown.len());
    let parts = drift.sight.zones.len()
        + drift.sight.answers.values().map(Vec::len).sum::<usize>()
        + drift.sight.addresses.len()
        + drift.sight.writes.len()
        + drift.sight.jobs.values().map(std::collections::BTreeMap::len).sum::<usize>()
        + drift.sight.releases.len();
    match (differ, unknown) {
        (0, 0) => format!("no drift: {parts} sources read"),
        (0, unknown) => format!(
            "nothing differs as far as it could be read: {unknown} of {parts} sources unknown"
        ),
        (differ, 0) => format!("{}, {parts} sources read", count(differ, "difference")),
        (differ, unknown) => {
            format!("{}, {unknown} of {parts} sources unknown", count(differ, "difference"))
        }
    }
}
