//! Where writes are refused, and which copies of databases are kept.

use serde::Serialize;

use crate::machine::{Embargo, Kept};
use crate::model::SiteName;
use crate::view::Look;
use crate::view::words::lasting;

/// An embargo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EmbargoView {
    /// Where it lies.
    pub site: SiteName,
    /// How.
    #[serde(flatten)]
    pub embargo: Embargo,
    /// It lies on a lost site, until that is rebuilt.
    pub until_rebuilt: bool,
    /// Nobody lifted it in time: a fault.
    pub expired: bool,
}

/// A copy that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeptView {
    /// Its name.
    pub copy: String,
    /// What it is.
    #[serde(flatten)]
    pub kept: Kept,
}

/// The embargoes that lie, by site.
pub fn embargoes(look: &Look<'_>) -> Vec<EmbargoView> {
    let record = &look.life.record;
    let view = |(site, embargo): (&SiteName, &Embargo)| {
        let lifts = record.lifts(site);
        EmbargoView {
            site: site.clone(),
            embargo: embargo.clone(),
            until_rebuilt: lifts.is_none(),
            expired: lifts.is_some_and(|it| look.now >= it),
        }
    };
    record.embargoes.iter().map(view).collect()
}

/// The copies that are still kept, by name.
pub fn kept(look: &Look<'_>) -> Vec<KeptView> {
    let copies = look.life.record.copies.iter().filter(|(_, kept)| kept.until > look.now);
    copies.map(|(copy, kept)| KeptView { copy: copy.clone(), kept: kept.clone() }).collect()
}

/// Embargoes that nobody lifted: past their time, or of a run that is over. Each is a fault.
pub fn overdue(look: &Look<'_>, embargoes: &[EmbargoView]) -> Vec<String> {
    let open = look.life.record.run.as_ref().map(|run| run.number);
    let mut faults = vec![];
    for EmbargoView { site, embargo, expired, .. } in
        embargoes.iter().filter(|it| !it.until_rebuilt)
    {
        if *expired {
            let late = lasting(look.now.seconds_since(embargo.until));
            faults.push(format!("the embargo on {site} should have been lifted {late} ago"));
        } else if open.is_some_and(|open| open != embargo.run) {
            faults.push(format!("the embargo on {site} was forgotten by run {}", embargo.run));
        }
    }
    faults
}
