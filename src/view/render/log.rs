//! Lines of the journal as text.

use crate::model::Time;
use crate::view::log::EntryView;
use crate::view::render::Paper;
use crate::view::render::page::Page;

/// One line of `audit log`: number, time, who, what; a long sentence hangs.
pub fn log(seq: u64, at: Time, by: &str, says: &str, paper: Paper) -> String {
    let mut page = Page::new(paper);
    page.hang(&format!("{seq:>5}  {}  {by:<12} ", at.screen()), 41, says);
    page.into_text()
}

/// Everything one entry says.
pub fn entry(view: &EntryView, paper: Paper) -> String {
    let mut page = Page::new(paper);
    page.ends(&format!("ENTRY {}", view.seq), &view.at.to_string());
    page.block("WHAT", &view.says);
    page.block("WHO", &format!("{} ({})", view.by, identity(view)));
    if let Some(reason) = &view.reason {
        page.block("WHY", reason);
    }
    if let Some(run) = view.run {
        page.block("RUN", &format!("{run}, epoch {}", view.epoch));
    }
    if let Some(wall) = view.wall {
        page.block("CLOCK", &format!("the wall clock had gone back to {wall}"));
    }
    if let (Some(from), Some(to)) = (&view.from, &view.to) {
        page.block("STATE", &format!("{from} → {to}"));
    }
    for change in &view.changes {
        let old = change.old.as_deref().unwrap_or("nothing");
        let new = change.new.as_deref().unwrap_or("nothing");
        page.block("CHANGE", &format!("{}: {old} → {new} ({})", change.key, change.sentence));
    }
    for it in &view.evidence {
        page.block("EVIDENCE", &format!("{}: {} (read {})", it.source, it.says, it.at));
        if !it.data.is_null() {
            page.block("", &it.data.to_string());
        }
    }
    for fact in &view.facts {
        page.block("FACT", &fact.to_string());
    }
    page.block("DIGEST", &view.digest.to_string());
    page.block("PREVIOUS", &view.prev.to_string());
    page.into_text()
}

fn identity(view: &EntryView) -> String {
    let name = serde_json::to_value(view.identity).ok();
    name.and_then(|it| it.as_str().map(str::to_owned)).unwrap_or_default()
}
