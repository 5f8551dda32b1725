//! The table of sites that the handbook wants to be right always: project, profile, region, role, release,
//! status, one line a site.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::machine::{Life, Owed, State};
use crate::model::{Phase, Roles, SiteName, Time, Way};
use crate::workflow::Workflow;
use crate::workflow::template::{Scope, render};

/// How the line begins that says when the world was read; its time follows.
pub const OBSERVED: &str = "Observed ";

/// What was read of the world for the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// When.
    pub at: Time,
    /// The site that every record of the switch leads to.
    pub production: Option<SiteName>,
    /// What each site answers with.
    pub releases: BTreeMap<SiteName, String>,
    /// What was read, one sentence each.
    pub says: Vec<String>,
}

/// The table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The heads of its columns.
    pub head: Vec<String>,
    /// One row a site.
    pub rows: Vec<Vec<String>>,
    /// When and how it was known, one line.
    pub known: String,
}

/// The table as it is: from what was read of the world, else from what the journal says.
pub fn table(workflow: &Workflow, life: &Life, observed: Option<&Observed>, now: Time) -> Table {
    let mut head: Vec<String> = workflow.table.iter().map(|it| it.column.clone()).collect();
    if head.is_empty() {
        head = ["site", "profile", "region"].map(str::to_owned).to_vec();
    }
    head.extend(["current role", "current release", "status"].map(str::to_owned));
    let rows = workflow.sites.keys().map(|site| {
        let scope = Scope::for_site(workflow, site);
        let own = |text: &str| render(text, &scope).unwrap_or_else(|missing| missing.to_string());
        let mut cells: Vec<String> = workflow.table.iter().map(|it| own(&it.value)).collect();
        if cells.is_empty() {
            cells = ["name", "profile", "region"]
                .map(|it| own(&format!("{{{{ site.{it} }}}}")))
                .to_vec();
        }
        cells.push(role(life, observed, site).to_owned());
        cells.push(release(life, observed, site));
        cells.push(status(life, observed, site));
        cells
    });
    let known = match observed {
        Some(it) => format!("{OBSERVED}{} UTC: {}.", it.at.screen(), it.says.join("; ")),
        None => format!(
            "By the journal at {} UTC; its last line is of {} UTC.",
            now.screen(),
            life.record.now.screen()
        ),
    };
    Table { head, rows: rows.collect(), known: plain(&known) }
}

impl Table {
    /// As Markdown: the rows, then the line that says when and how they were known.
    pub fn markdown(&self) -> String {
        let row = |cells: &[String]| {
            let cells: Vec<String> = cells.iter().map(|it| plain(it)).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let mut text = row(&self.head);
        // Writing to a string cannot fail.
        let _written = writeln!(text, "|{}", " --- |".repeat(self.head.len()));
        self.rows.iter().for_each(|it| text.push_str(&row(it)));
        let _written = writeln!(text, "\n{}", self.known);
        text
    }

    /// Whether this text is the same table, whenever it was known.
    pub fn is_in(&self, text: &str) -> bool {
        let rows = |text: &str| -> Vec<String> {
            text.lines().filter(|it| it.starts_with('|')).map(str::to_owned).collect()
        };
        rows(text) == rows(&self.markdown())
    }
}

/// A text that cannot break out of its cell.
fn plain(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

/// Between a swap's first step and the authority's word nobody is settled.
fn moving(life: &Life) -> Option<(&SiteName, &SiteName)> {
    if let Some(Roles::Moving { from, to }) = &life.record.roles {
        return Some((from, to));
    }
    let (at, run) = (life.state.at()?, life.record.run.as_ref()?);
    let doing = matches!(life.state, State::Doing { .. } | State::Settling { .. });
    if at.phase != Phase::Swap || !doing {
        return None;
    }
    Some(match at.way {
        Way::Forth | Way::Abort => (&run.production, &run.standby),
        Way::Back => (&run.standby, &run.production),
    })
}

fn role(life: &Life, observed: Option<&Observed>, site: &SiteName) -> &'static str {
    if let Some((from, to)) = moving(life) {
        return match site {
            _ if site == from => "production, being left",
            _ if site == to => "hot stand-by, being moved to",
            _ => "unknown",
        };
    }
    let journal = match &life.record.roles {
        Some(Roles::Settled { production }) => Some(production),
        Some(Roles::Moving { .. }) | None => None,
    };
    let production = match observed {
        Some(it) => it.production.as_ref(),
        None => journal,
    };
    match production {
        Some(production) if production == site => "current production",
        Some(_) if life.record.quarantined.as_ref() == Some(site) => "quarantined",
        Some(_) => "hot stand-by",
        None => "unknown",
    }
}

fn release(life: &Life, observed: Option<&Observed>, site: &SiteName) -> String {
    let journal = life.record.releases.get(site);
    match observed {
        None => journal.cloned().unwrap_or_else(|| "unknown".to_owned()),
        Some(it) => it.releases.get(site).cloned().unwrap_or_else(|| {
            let was = journal.map(|it| format!(", {it} by the journal")).unwrap_or_default();
            format!("does not answer{was}")
        }),
    }
}

fn status(life: &Life, observed: Option<&Observed>, site: &SiteName) -> String {
    let record = &life.record;
    let mut says = vec![];
    let run = record.run.as_ref().map_or_else(String::new, |run| format!("run {}", run.number));
    if let State::Halted { at, .. } = life.state {
        says.push(format!("{run} halted in {}", at.phase.name()));
    }
    if moving(life).is_some() {
        says.push("moving".to_owned());
    } else if let (Some(it), Some(journal)) = (observed, record.production()) {
        match &it.production {
            Some(seen) if seen == journal => (),
            Some(seen) => {
                says.push(format!("drift: {seen} is production, {journal} by the journal"));
            }
            None => says.push("nobody could read who is production".to_owned()),
        }
    }
    let is_production = record.production() == Some(site);
    if record.quarantined.as_ref() == Some(site) {
        says.push("lost production, must rejoin".to_owned());
    }
    if !is_production && record.owed.contains(&Owed::Standby) {
        says.push("lacks production's release and data".to_owned());
    }
    let closing = life.state.at().is_some_and(|at| at.phase == Phase::SyncOn);
    if is_production && record.embargoes.contains_key(site) {
        says.push("writes are refused".to_owned());
    }
    let told = life.state.mode() == "halted" || moving(life).is_some();
    if is_production && record.run.is_some() && !closing && !told {
        says.push(format!("{run} is not over"));
    }
    if says.is_empty() { "OK".to_owned() } else { says.join("; ") }
}
