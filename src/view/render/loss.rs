//! What a failover would do and cost, before anything moves.

use crate::model::{Says, Time, Witness};
use crate::view::render::Paper;
use crate::view::render::page::Page;
use crate::view::words::{Mark, ago, lasting, minute};

/// A preview, borrowed from wherever it is made. Seconds unless said otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Loss<'a> {
    /// The site that would be given up.
    pub lost: &'a str,
    /// The site users would be moved to.
    pub to: &'a str,
    /// The diagnosis's name.
    pub diagnosis: &'a str,
    /// What makes it.
    pub says: &'a str,
    /// Why it would be refused, and the nearest way on.
    pub refused: Option<&'a str>,
    /// The lost site is fenced before users are moved.
    pub fence_first: bool,
    /// Who said what.
    pub witnesses: &'a [Witness],
    /// What the other site's data is a copy of.
    pub data_of: Option<Time>,
    /// How much is lost at most.
    pub loss_seconds: Option<i64>,
    /// Writes at stake.
    pub writes: Option<u64>,
    /// What else will be missing.
    pub missing: &'a [String],
    /// The release that users will get.
    pub release: Option<&'a str>,
    /// How long it is going to take, by earlier runs.
    pub expected_seconds: Option<i64>,
    /// What is not known and is accepted together with the loss.
    pub asked: &'a [String],
}

/// The preview as text.
pub fn loss(it: &Loss<'_>, now: Time, paper: Paper) -> String {
    let mut page = Page::new(paper);
    page.block("SEEN", &format!("{}: {}", it.diagnosis, it.says));
    it.witnesses.iter().for_each(|it| witness(&mut page, it, now));
    let copy = it.data_of.map_or_else(
        || format!("nobody knows: nothing proves what {}'s data is a copy of", it.to),
        |of| {
            let lost = it.loss_seconds.unwrap_or_default();
            format!(
                "up to {} of writes: {} holds {}'s data of {} UTC",
                lasting(lost),
                it.to,
                it.lost,
                minute(of)
            )
        },
    );
    page.block("LOST", &copy);
    let writes =
        it.writes.map_or_else(|| "unknown: no counter could be read".to_owned(), |n| n.to_string());
    page.block("WRITES", &writes);
    for missing in it.missing {
        page.block("MISSING", missing);
    }
    page.block(
        "USERS GET",
        &format!("{} with {}", it.to, it.release.unwrap_or("an unknown release")),
    );
    let takes = it.expected_seconds.map_or_else(
        || "not known: no run has moved users yet".to_owned(),
        |it| format!("about {}, by earlier runs", lasting(it)),
    );
    page.block("TAKES", &takes);
    let fence = if it.fence_first { "before users are moved" } else { "while users are moved" };
    page.block(
        "FENCE",
        &format!("{} loses its power to act {fence}, as far as it can be reached", it.lost),
    );
    for asked in it.asked {
        page.block("NOT KNOWN", asked);
    }
    if let Some(refused) = it.refused {
        page.block("REFUSED", refused);
    }
    page.into_text()
}

/// Who was asked about what, the word, and how old it is.
pub(super) fn witness(page: &mut Page, it: &Witness, now: Time) {
    let sign = page.sign(match it.says {
        Says::Up => Mark::Done,
        Says::Down => Mark::Failed,
        Says::Unknown => Mark::Unknown,
    });
    let (about, says) = (it.about.name(), it.says.name());
    let text = format!("{}: {}, {}", it.source, it.text, ago(now, it.at));
    page.hang(&format!("  {sign} {about:<10} {says:<8} "), 24, &text);
}
