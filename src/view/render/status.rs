//! The status screen.

use anstyle::Style;

use crate::machine::{Diagnosis, Owed};
use crate::model::{SiteName, Time, Way};
use crate::view::embargo::EmbargoView;
use crate::view::gate::{Gate, GroupOfPeople};
use crate::view::incident::IncidentView;
use crate::view::phases::{PhaseRow, RunView};
use crate::view::render::Paper;
use crate::view::render::loss::witness;
use crate::view::render::packet::packet_rows;
use crate::view::render::page::{Page, wide};
use crate::view::seen::SeenView;
use crate::view::status::{SiteView, StatusView, debts};
use crate::view::story::StepStory;
use crate::view::words::{Mark, ago, from_now, lasting, minute, run_name, way_name};

/// The whole screen.
pub fn status(view: &StatusView, paper: Paper) -> String {
    let mut page = Page::new(paper);
    page.ends(view.system.as_str(), &format!("{} UTC, line {}", view.now.screen(), view.line));
    if view.production.is_some() {
        page.gap();
    }
    sites(&mut page, view);
    if let Some(it) = &view.seen {
        seen(&mut page, it, view);
    }
    for fault in &view.faults {
        page.hang(&format!("{} FAULT     ", page.sign(Mark::Failed)), 12, fault);
    }
    for warning in &view.warnings {
        page.hang("! WARNING   ", 12, warning);
    }
    if let Some(it) = &view.incident {
        incident(&mut page, it, view.now);
    }
    if let Some(run) = &view.run {
        run_block(&mut page, run, view);
    }
    if let Some(gate) = &view.gate {
        gate_block(&mut page, gate, view);
    }
    open(&mut page, view);
    page.gap();
    page.block("NOW", &view.says);
    if let Some(it) = &view.armed {
        page.block("FAILOVER", &it.says);
    }
    page.block("NEXT", &view.next.sentence);
    if let Some(command) = &view.next.command {
        page.command("", command);
    }
    if let Some(users) = &view.users {
        page.block("USERS", users);
    }
    if let Some(cost) = &view.way_back {
        page.block("WAY BACK", &cost.says);
    }
    let others: Vec<_> =
        view.allowed.iter().filter(|it| Some(&it.command) != view.next.command.as_ref()).collect();
    for (i, allowed) in others.iter().enumerate() {
        page.command(if i == 0 { "ALSO" } else { "" }, &allowed.command);
    }
    page.into_text()
}

/// Outside addresses that are not the services' own, one a line.
pub fn outside(addresses: &[String], paper: Paper) -> String {
    let mut page = Page::new(paper);
    page.gap();
    for (i, address) in addresses.iter().enumerate() {
        page.block(if i == 0 { "OUTSIDE" } else { "" }, address);
    }
    page.into_text()
}

/// That nobody was asked, and what asks, on one line.
pub fn by_journal(paper: Paper) -> String {
    let (mut page, dim) = (Page::new(paper), Style::new().dimmed());
    page.line(&format!("{dim}by the journal; --look asks the world{dim:#}"));
    page.into_text()
}

/// What the world says now.
fn seen(page: &mut Page, it: &SeenView, view: &StatusView) {
    page.block("SEEN NOW", &format!("{}: {}", it.diagnosis.name(), it.says));
    it.witnesses.iter().for_each(|it| witness(page, &it.witness, view.now));
    let well = it.diagnosis == Diagnosis::Healthy;
    if let Some(instead) = it.instead.filter(|it| !well && *it != view.next.sentence) {
        page.block("", instead);
    }
}

fn sites(page: &mut Page, view: &StatusView) {
    if let Some(site) = &view.production {
        let word = if view.moving_to.is_some() { "LEAVING" } else { "PRODUCTION" };
        site_block(page, word, site, view.now);
    }
    if let Some(site) = &view.standby {
        let word = if view.moving_to.is_some() { "GOING TO" } else { "STANDBY" };
        site_block(page, word, site, view.now);
    }
}

fn site_block(page: &mut Page, word: &str, site: &SiteView, now: Time) {
    let mut text =
        format!("{:<10}  {:<10}", site.site.as_str(), site.release.as_deref().unwrap_or("?"));
    let since = site.since.map(|since| format!("since {}", minute(since)));
    let seen = site.seen.map(|seen| format!("read {}", ago(now, seen)));
    let said: Vec<_> = since.into_iter().chain(seen).collect();
    text.push_str(&format!("  {}", said.join(", ")));
    page.block(word, &text);
    if let Some(note) = &site.note {
        page.block("", note);
    }
}

fn run_block(page: &mut Page, run: &RunView, view: &StatusView) {
    page.gap();
    let name = run_name(run.kind, run.version.as_deref());
    let way = way_name(run.way);
    let way = if way.is_empty() { String::new() } else { format!(", {way}") };
    let left = format!("RUN {}  {name}: {}{way}", run.number, arrow(&run.from, &run.to, run.way));
    let right = format!("opened {} by {}", ago(view.now, run.started), run.requester);
    page.ends(&left, &right);
    let mut forth = true;
    for row in &run.phases {
        if forth && row.way != Way::Forth {
            page.line(&format!("  {}", way_name(row.way)));
            forth = false;
        }
        phase(page, row);
    }
    if !run.waived.is_empty() {
        page.hang("  waived     ", 13, &run.waived.join("; "));
    }
}

/// The last failover: what it cost, what is not fenced, how long it took.
fn incident(page: &mut Page, it: &IncidentView, now: Time) {
    page.gap();
    let head = format!("run {} gave {} up {}: {}", it.run, it.lost, ago(now, it.at), it.diagnosis);
    page.block("FAILOVER", &head);
    page.block("LOST", &it.accepted);
    if let Some(found) = &it.found {
        page.block("", &format!("in truth: {found}"));
    }
    for part in &it.fence {
        let mark = if part.how == "done" { Mark::Done } else { Mark::Failed };
        let when = part.at.map(|at| format!(" {}", ago(now, at))).unwrap_or_default();
        let says = if part.says.is_empty() { String::new() } else { format!(": {}", part.says) };
        let head = format!("  {} fence    ", page.sign(mark));
        page.hang(&head, 12, &format!("{} {}{when}{says}", part.part, part.how));
    }
    if let Some(rto) = &it.rto {
        page.block("TOOK", &rto.says());
    }
}

fn arrow(from: &SiteName, to: &SiteName, way: Way) -> String {
    match way {
        Way::Forth | Way::Abort => format!("{from} → {to}"),
        Way::Back => format!("{to} → {from}"),
    }
}

fn phase(page: &mut Page, row: &PhaseRow) {
    let took = row.seconds.map(lasting).unwrap_or_default();
    let head = format!("  {} {:<10} {took:>8}  ", page.sign(row.mark), row.phase.name());
    page.hang(&head, 25, &row.says);
    let widest = row.steps.iter().map(|it| wide(it.id.as_str())).max().unwrap_or(0);
    row.steps.iter().for_each(|it| step(page, it, widest));
}

fn step(page: &mut Page, step: &StepStory, widest: usize) {
    let took = step.ended.map(|ended| lasting(ended.seconds_since(step.began)));
    let tried = if step.tried > 1 { format!(" (tried {})", step.tried) } else { String::new() };
    let says = step.says.as_deref().unwrap_or_else(|| step.mark.word());
    let head = format!(
        "      {} {:<widest$} {:>6}  ",
        page.sign(step.mark),
        step.id,
        took.unwrap_or_default()
    );
    page.hang(&head, 17 + widest, &format!("{says}{tried}"));
}

fn gate_block(page: &mut Page, gate: &Gate, view: &StatusView) {
    page.gap();
    let until = gate.until.map(|until| {
        let word = if until > view.now { "expires" } else { "expired" };
        format!(", {word} {} ({})", minute(until), from_now(view.now, until))
    });
    page.block("GATE", &format!("packet {}{}", gate.packet.short(), until.unwrap_or_default()));
    // Once everybody has approved, the plan of the swap shows the same, read anew.
    if gate.until.is_some() {
        packet_rows(page, &gate.parts);
    }
    gate.groups.iter().for_each(|it| group(page, it, view));
    if let Some(not) = &gate.not {
        page.line(&format!("    not {not}, who opened the run"));
    }
}

fn group(page: &mut Page, group: &GroupOfPeople, view: &StatusView) {
    let got = group.approved.len();
    let mark = if got >= group.needed { Mark::Done } else { Mark::Waiting };
    let mut said: Vec<_> =
        group.approved.iter().map(|it| format!("{} ({})", it.by, ago(view.now, it.at))).collect();
    if !group.could.is_empty() {
        said.push(format!("missing: {}", group.could.join(" or ")));
    }
    let head = format!("  {} {:<10} {got} of {}  ", page.sign(mark), group.group, group.needed);
    page.hang(&head, 23, &said.join(", "));
}

/// What lies open: embargoes, debts, effects without an outcome, who works.
fn open(page: &mut Page, view: &StatusView) {
    let open = view.run.is_some() && !view.owed.is_empty();
    let nothing = view.embargoes.is_empty() && view.kept.is_empty() && view.intents.is_empty();
    if nothing && !open && view.holder.is_none() {
        return;
    }
    page.gap();
    view.embargoes.iter().for_each(|it| page.block("EMBARGO", &embargo(it, view)));
    for (i, it) in view.kept.iter().enumerate() {
        let text = format!("{} of {} until {}", it.copy, it.kept.instance, minute(it.kept.until));
        page.block(if i == 0 { "KEPT" } else { "" }, &text);
    }
    // Without an open run what is owed stands above, as a fault.
    let shown = |owed: &&Owed| match owed {
        Owed::Embargo { site } => view.embargoes.iter().all(|it| it.site != *site),
        Owed::Job { .. } | Owed::Standby | Owed::Fence { .. } => true,
    };
    let owed: Vec<&Owed> = view.owed.iter().filter(shown).filter(|_| open).collect();
    for (i, owed) in debts(&owed).iter().enumerate() {
        page.block(if i == 0 { "OWED" } else { "" }, owed);
    }
    for (i, it) in view.intents.iter().enumerate() {
        let age = ago(view.now, it.since);
        let text =
            format!("{}/{} ({}) begun {age}, no outcome", it.phase.name(), it.step, it.action);
        page.block(if i == 0 { "OPEN" } else { "" }, &text);
    }
    if let Some(holder) = &view.holder {
        page.block("AT WORK", holder);
    }
}

fn embargo(view: &EmbargoView, status: &StatusView) -> String {
    let until = view.embargo.until;
    let end = if view.until_rebuilt {
        "until it is rebuilt".to_owned()
    } else {
        let end = if view.expired { "expired" } else { "expires" };
        format!("{end} {} ({})", minute(until), from_now(status.now, until))
    };
    format!(
        "{}: {} refused since {}, {end}: {}{}",
        view.site,
        view.embargo.scope.join(", "),
        minute(view.embargo.since),
        view.embargo.reason,
        if view.embargo.owner.is_empty() {
            String::new()
        } else {
            format!(", {}", view.embargo.owner)
        }
    )
}
