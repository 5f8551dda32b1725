//! What people approve, on one screen: the parts of the packet, checks summed up, a change a line.

use std::collections::BTreeMap;

use crate::model::Digest;
use crate::view::render::Paper;
use crate::view::render::page::{Page, wide};

/// The whole packet, with its digest.
pub fn packet(digest: Digest, parts: &BTreeMap<String, String>, paper: Paper) -> String {
    let mut page = Page::new(paper);
    page.line(&format!("packet {}", digest.short()));
    packet_rows(&mut page, parts);
    page.into_text()
}

/// Its parts: checks as a number and by name where they did not pass, the switch a record a line.
pub(crate) fn packet_rows(page: &mut Page, parts: &BTreeMap<String, String>) {
    let checks =
        || parts.iter().filter_map(|(name, says)| Some((name.strip_prefix("check ")?, says)));
    let passing = checks().filter(|it| it.1 == "pass").count();
    let mut said = vec![format!("{passing} pass")];
    said.extend(checks().filter(|it| it.1 != "pass").map(|(name, says)| format!("{name}: {says}")));
    if checks().next().is_some() {
        row(page, "checks", &said.join(", "));
    }
    for (name, value) in parts.iter().filter(|it| !it.0.starts_with("check ")) {
        if name == "switch" { switch(page, value) } else { row(page, name, value) }
    }
}

fn row(page: &mut Page, name: &str, value: &str) {
    page.hang(&format!("    {name:<10} "), 15, value);
}

/// `KEY OLD → NEW, KEY OLD → NEW` as a table; any other text as it is.
fn switch(page: &mut Page, value: &str) {
    let change = |part| {
        let (before, new) = str::split_once(part, " → ")?;
        let (key, old) = before.rsplit_once(' ')?;
        Some((short(key), old, new))
    };
    let Some(changes) = value.split(", ").map(change).collect::<Option<Vec<_>>>() else {
        return row(page, "switch", value);
    };
    let names = changes.iter().map(|it| wide(it.0)).max().unwrap_or(0);
    let olds = changes.iter().map(|it| wide(it.1)).max().unwrap_or(0);
    for (i, (name, old, new)) in changes.iter().enumerate() {
        let word = if i == 0 { "switch" } else { "" };
        row(page, word, &format!("{name:<names$} {old:<olds$} → {new}"));
    }
}

/// What people call the thing that a change's key names: a record's id and zone are for programs.
pub(crate) fn short(key: &str) -> &str {
    let last = key.rsplit('/').next().filter(|it| it.contains('.'));
    last.filter(|_| key.starts_with("cloudflare/")).unwrap_or(key)
}
