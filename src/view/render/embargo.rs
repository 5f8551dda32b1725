//! Lists of embargoes and of kept copies.

use crate::model::Time;
use crate::view::embargo::{EmbargoView, KeptView};
use crate::view::render::Paper;
use crate::view::render::page::Page;
use crate::view::words::{Mark, ago, from_now, minute};

/// Where writes are refused.
pub fn embargoes(list: &[EmbargoView], now: Time, paper: Paper) -> String {
    let mut page = Page::new(paper);
    if list.is_empty() {
        page.line("No embargo lies: writes are taken on both sites.");
        return page.into_text();
    }
    let row = |site: &str, since: &str, until: &str, run: &str, rest: &str| {
        format!("{site:<10} {since:<17} {until:<17} {run:>4}  {rest}")
    };
    page.line(&row("SITE", "SINCE (UTC)", "UNTIL (UTC)", "RUN", "REFUSED, OWNER, WHY"));
    for it in list {
        let embargo = &it.embargo;
        let owner = if embargo.owner.is_empty() { "nobody" } else { &embargo.owner };
        let rest = format!("{}; {owner}; {}", embargo.scope.join(", "), embargo.reason);
        let since = minute(embargo.since);
        let until =
            if it.until_rebuilt { "it is rebuilt".to_owned() } else { minute(embargo.until) };
        page.line(&row(it.site.as_str(), &since, &until, &embargo.run.to_string(), &rest));
        if it.expired {
            let sign = page.sign(Mark::Failed);
            let late = from_now(now, embargo.until);
            page.line(&format!("{sign} FAULT     expired {late}: nobody lifted it"));
        }
    }
    page.into_text()
}

/// What is kept.
pub fn kept(list: &[KeptView], now: Time, paper: Paper) -> String {
    let mut page = Page::new(paper);
    if list.is_empty() {
        page.line("No copy is kept.");
        return page.into_text();
    }
    let row = |copy: &str, site: &str, until: &str, rest: &str| {
        format!("{copy:<40} {site:<10} {until:<17} {rest}")
    };
    page.line(&row("COPY", "SITE", "KEPT UNTIL (UTC)", "OF, MADE"));
    for it in list {
        let rest = format!("{}, {}", it.kept.instance, ago(now, it.kept.made));
        page.line(&row(&it.copy, it.kept.site.as_str(), &minute(it.kept.until), &rest));
    }
    page.into_text()
}
