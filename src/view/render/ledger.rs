//! The ledger as a table, one plan after the other.

use crate::model::{Kind, Time};
use crate::view::ledger::{LedgerRow, Proof};
use crate::view::render::Paper;
use crate::view::render::page::Page;
use crate::view::words::{Mark, ago};

/// When each step was last proven, where and how.
pub fn ledger(rows: &[LedgerRow], now: Time, paper: Paper) -> String {
    let mut page = Page::new(paper);
    let mut plan: Option<Kind> = None;
    for row in rows {
        if plan != Some(row.plan) {
            if plan.is_some() {
                page.gap();
            }
            plan = Some(row.plan);
            page.line(&heading(row.plan, rows));
            page.line(&format!(
                "  {:<9} {:<14} {:<20} {:<12} WHERE, HOW",
                "PHASE", "STEP", "DOES", "PROVEN"
            ));
        }
        let (mark, when, rest) = match &row.last {
            None => (Mark::ToCome, "never".to_owned(), String::new()),
            Some(proof) if row.changed => {
                let rest = format!("{}; written otherwise since", told(proof));
                (Mark::Unknown, ago(now, proof.at), rest)
            }
            Some(proof) => (Mark::Done, ago(now, proof.at), told(proof)),
        };
        let (phase, sign) = (row.phase.name(), page.sign(mark));
        page.line(&format!(
            "{sign} {phase:<9} {:<14} {:<20} {when:<12} {rest}",
            row.step, row.does
        ));
    }
    page.into_text()
}

/// The plan, how much of it is proven.
fn heading(plan: Kind, rows: &[LedgerRow]) -> String {
    let own = || rows.iter().filter(|it| it.plan == plan);
    let proven = own().filter(|it| it.proven().is_some()).count();
    format!("{}: {proven} of {} steps proven", plan.name().to_uppercase(), own().count())
}

fn told(proof: &Proof) -> String {
    format!("{}, {} {} ({})", proof.site, proof.kind.name(), proof.run, proof.how.name())
}
