//! People who change things by hand and put them back, machines that go away, and the random operator.

use changeover::conductor::Command;
use changeover::machine::{Life, State};
use changeover::model::{Phase, SiteName, Way};

use super::door::Lean;
use super::earth::{Earth, Event, HOUR, MINUTE};
use super::fault::Dice;
use super::oracle::Hand;
use super::rig::Rig;
use super::time::Ms;

const CURATOR: &str = "curator-a";
const ENGINEER: &str = "engineer-a";
pub(crate) const MANAGER: &str = "release-manager";

pub(crate) fn start(version: &str, waive: bool) -> Command {
    let waive = if waive { vec!["windows".into()] } else { vec![] };
    Command::Start { version: version.to_owned(), auto: false, confirm: None, waive }
}

pub(crate) fn next(confirm: Option<&SiteName>) -> Command {
    Command::Next { auto: false, confirm: confirm.cloned(), waive: vec![] }
}

pub(crate) fn approve(turn: usize) -> (&'static str, Command) {
    let who = if turn.is_multiple_of(2) { CURATOR } else { ENGINEER };
    (who, Command::Approve { comment: None, packet: None })
}

fn back(life: &Life, loss: bool) -> Command {
    let confirm = life.record.run.as_ref().map(|it| it.production.clone());
    Command::Rollback { confirm, accept_data_loss: loss }
}

/// A step that is open or failed, for `skip` and `resolve`.
fn some_step(life: &Life, dice: &mut Dice) -> changeover::model::StepId {
    let open = life.record.intents.values().map(|it| it.intent.id.clone()).next();
    let at = life.state.at();
    let steps = at.and_then(|at| life.rules.phase(at.phase)).map(|it| it.steps.clone());
    let any = steps
        .filter(|it| !it.is_empty())
        .map(|it| it[usize::try_from(dice.below(it.len() as u64)).unwrap()].clone());
    open.or(any).unwrap_or_else(|| "front".into())
}

/// Anything that a person might say now.
pub(crate) fn random_command(rig: &Rig, dice: &mut Dice) -> (&'static str, Command) {
    let life = rig.life();
    if life.state == State::Steady && dice.below(4) > 0 {
        let version = format!("v4.3.{}", life.record.runs + 1);
        return (MANAGER, start(&version, dice.below(4) > 0));
    }
    let to = rig.sites().map(|it| it.1);
    let phase = life.state.at().map(|it| (it.way, it.phase));
    if rig.door.lean != Lean::Nothing && dice.below(4) > 0 {
        // Straight on; from a move of which nobody knows, straight back.
        if rig.door.lean == Lean::Switch && phase == Some((Way::Forth, Phase::Swap)) {
            return (MANAGER, back(&life, true));
        }
        if let Some(on) = onward(rig, usize::try_from(dice.below(2)).unwrap()) {
            return on;
        }
    }
    let asked = matches!(life.state, State::Asking { .. });
    match dice.below(40) {
        0..=17 if !asked => (MANAGER, next(to.as_ref())),
        0..=17 => approve(usize::try_from(dice.below(2)).unwrap()),
        18..=22 => (MANAGER, Command::Retry),
        23..=24 => approve(usize::try_from(dice.below(2)).unwrap()),
        25 => (CURATOR, Command::Reject),
        26..=28 => (MANAGER, Command::Accept),
        29 => (MANAGER, Command::Abort),
        30..=31 => (MANAGER, back(&life, dice.one_in(2))),
        32..=33 => (MANAGER, Command::Skip { step: some_step(&life, dice) }),
        34..=35 => {
            let done = dice.one_in(2);
            (ENGINEER, Command::Resolve { step: some_step(&life, dice), done })
        }
        36 if dice.one_in(4) => {
            let production = rig.life().record.production().cloned();
            (ENGINEER, Command::DriftAdopt { confirm: production })
        }
        36 if dice.one_in(3) => {
            (ENGINEER, Command::Extend { site: None, until: None, seconds: Some(86_400) })
        }
        36 => (ENGINEER, Command::Pause),
        37 => (ENGINEER, Command::Adopt),
        38 if dice.one_in(12) => (ENGINEER, Command::Close),
        38 => {
            let waive = vec![
                ["home", "rss", "tls-again", "windows", "whole"]
                    [usize::try_from(dice.below(5)).unwrap()]
                .into(),
            ];
            (ENGINEER, Command::Next { auto: false, confirm: to, waive })
        }
        _ => (MANAGER, start("v4.9.9", true)),
    }
}

/// The command that goes on from here, when nothing goes wrong any more.
pub(crate) fn onward(rig: &Rig, turn: usize) -> Option<(&'static str, Command)> {
    let life = rig.life();
    let run = life.record.run.as_ref();
    if life.record.paused && run.is_some() {
        return Some((ENGINEER, Command::Resume));
    }
    Some(match life.state {
        State::Steady => return None,
        State::Doing { .. } | State::Settling { .. } | State::Halted { .. } => {
            (MANAGER, Command::Retry)
        }
        State::Asking { .. } => approve(turn),
        State::Ready { at } if at.phase == Phase::Soak => (MANAGER, Command::Accept),
        State::Ready { .. } => (MANAGER, next(run.map(|it| &it.standby))),
    })
}

/// The one command that leaves what `retry` and `resolve` cannot mend.
pub(crate) fn way_out(life: &Life) -> Option<Command> {
    use changeover::machine::allowed;
    let may = allowed(&life.rules, &life.record, life.state);
    if may.contains(&"abort") {
        Some(Command::Abort)
    } else if may.contains(&"rollback") {
        Some(back(life, true))
    } else if may.contains(&"close") {
        Some(Command::Close)
    } else {
        None
    }
}

/// How long until the next cron of the day, if people look at the clock before they touch something.
fn quiet(earth: &Earth) -> bool {
    let minute = u64::try_from(earth.wall().0 / 60_000_000).unwrap() % (24 * 60);
    // Not within two hours before 10:05 or 22:00, and not while the jobs run.
    !(8 * 60..12 * 60).contains(&minute) && !(19 * 60 + 30..23 * 60).contains(&minute)
}

/// Something happens to the world within the next minutes, without anybody telling Changeover.
pub(crate) fn mishap(earth: &mut Earth, kind: u64) {
    let after = earth.faults.dice.below(20 * MINUTE);
    earth.later(after, Event::Other(Box::new(move |earth: &mut Earth| happens(earth, kind))));
}

/// Somebody edits the standby's `.env` while its data is about to be replaced.
pub(crate) fn edits(earth: &mut Earth) {
    let site = 1 - earth.production();
    points_elsewhere(earth, site, 10 * MINUTE);
}

/// Somebody installs the nightly load on the standby while its data is about to be replaced.
pub(crate) fn schedules(earth: &mut Earth) {
    let site = 1 - earth.production();
    if quiet(earth) {
        installs(earth, site, 10 * MINUTE);
    }
}

fn happens(earth: &mut Earth, kind: u64) {
    if !earth.faults.on {
        return;
    }
    let site = usize::try_from(earth.faults.dice.below(2)).unwrap();
    let lasting = earth.faults.dice.between(3, 45) * MINUTE;
    match kind {
        0 => {
            let (restarts, away) = (earth.faults.dice.one_in(3), earth.faults.dice.between(1, 25));
            earth.faults.count(if restarts { "host: restarts" } else { "host: away" });
            earth.host_away(site, restarts, away * MINUTE);
        }
        // What it lets in spoils the dump: then only giving up helps, so it is rare.
        1 if earth.faults.dice.one_in(6) => lifts(earth, lasting),
        2 if quiet(earth) => installs(earth, site, lasting),
        3 if quiet(earth) => points_elsewhere(earth, site, lasting),
        4 => changes_record(earth, lasting.min(20 * MINUTE)),
        _ => (),
    }
}

fn takes_hand(earth: &mut Earth, hand: Hand, kind: &'static str) {
    earth.faults.count(kind);
    earth.note(format!("by hand: {hand:?}"));
    let now = earth.now;
    earth.oracle.hands.push((now, hand));
}

fn later(earth: &mut Earth, after: Ms, hand: Hand, undo: impl FnOnce(&mut Earth) + Send + 'static) {
    let undo = move |earth: &mut Earth| {
        if earth.oracle.hands.iter().any(|it| it.1 == hand) {
            earth.oracle.hands.retain(|it| it.1 != hand);
            earth.note(format!("put back: {hand:?}"));
            undo(earth);
        }
    };
    earth.later(after, Event::Other(Box::new(undo)));
}

/// Somebody is in a hurry and lets writes in where they are refused.
fn lifts(earth: &mut Earth, lasting: Ms) {
    let refusing = (0..2).find(|it| earth.sites[*it].db.refuses);
    let Some(site) = refusing else { return };
    let hand = Hand::Lifted(site);
    takes_hand(earth, hand, "by hand: embargo lifted");
    earth.sites[site].db.refuses = false;
    later(earth, lasting, hand, move |earth| {
        if earth.oracle.embargoed.contains(&site) {
            earth.sites[site].db.refuses = true;
        }
    });
}

/// Somebody runs a playbook, which puts the job's entry there.
fn installs(earth: &mut Earth, site: usize, lasting: Ms) {
    let (marker, line) = earth.oracle.reset_job.clone();
    if earth.sites[site].host.has(&line) {
        return;
    }
    let hand = Hand::Cron(site);
    takes_hand(earth, hand, "by hand: job installed");
    earth.sites[site].host.install(&marker, &line);
    later(earth, lasting.min(HOUR), hand, move |earth| {
        // Where Changeover has taken it for its own by now, it belongs there.
        if earth.oracle.jobs_belong != Some(site) {
            earth.sites[site].host.remove(&marker, &line);
        }
    });
}

/// Somebody edits `.env` to look at the other database.
fn points_elsewhere(earth: &mut Earth, site: usize, lasting: Ms) {
    let cron = earth.sites[site].host.crontab.iter().any(|it| it.contains("databaseReset"));
    let hand = Hand::Env(site);
    if cron || earth.oracle.hands.iter().any(|it| it.1 == hand) {
        return;
    }
    takes_hand(earth, hand, "by hand: .env edited");
    earth.sites[site].host.pghost = earth.sites[1 - site].endpoint.clone();
    later(earth, lasting, hand, move |earth| {
        earth.sites[site].host.pghost = earth.sites[site].endpoint.clone();
    });
}

/// Somebody changes a record in the dashboard.
fn changes_record(earth: &mut Earth, lasting: Ms) {
    const STRANGER: &str = "203.0.113.9";
    if earth.oracle.hands.iter().any(|it| it.1 == Hand::Record) {
        return;
    }
    let zone = usize::try_from(earth.faults.dice.below(2)).unwrap();
    let rows: Vec<(u64, String)> = earth.zones[zone]
        .rows
        .iter()
        .filter(|it| it.1.kind == "A")
        .map(|(id, row)| (*id, row.content.clone()))
        .collect();
    let (id, was) =
        rows[usize::try_from(earth.faults.dice.below(rows.len() as u64)).unwrap()].clone();
    takes_hand(earth, Hand::Record, "by hand: record changed");
    let now = earth.now;
    earth.zones[zone].by_hand(now, id, STRANGER);
    earth.changed(zone);
    later(earth, lasting, Hand::Record, move |earth| {
        let now = earth.now;
        if earth.zones[zone].rows.get(&id).is_some_and(|it| it.content == STRANGER) {
            earth.zones[zone].by_hand(now, id, &was);
            earth.changed(zone);
        }
    });
}
