//! What would come next, found by asking the machine, and the sentence that tells people.

use serde::Serialize;

use crate::machine::{Input, Life, State, Told, step};
use crate::model::{Kind, Phase, SiteName, Way};
use crate::view::Look;
use crate::view::commands::{allowed, full};
use crate::view::words::{named, purpose_at};

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Next {
    /// One sentence.
    pub sentence: String,
    /// The whole command, if there is one to give.
    pub command: Option<String>,
}

/// Where `release next` would lead, if it is allowed.
pub fn after_next(life: &Life) -> Option<State> {
    let (rules, record) = (&life.rules, &life.record);
    let told = Told::default();
    Some(step(rules, record, life.state, Input::Next, "", record.now, told).ok()?.state)
}

/// Where a command would move users to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The site that will be production: the name to type.
    pub site: SiteName,
    /// Writes were accepted since the swap, or may have been: going back loses them.
    pub loses_writes: bool,
}

/// The site that `release next` or (with `back`) `release rollback` would make production, when that is
/// what it would do.
pub fn target(life: &Life, back: bool) -> Option<Target> {
    let run = life.record.run.as_ref().filter(|run| run.kind != Kind::Drill)?;
    if back {
        return Some(Target { site: run.production.clone(), loses_writes: costs_writes(life) });
    }
    let at = after_next(life)?.at()?;
    let site = match at.way {
        Way::Forth => run.standby.clone(),
        Way::Back | Way::Abort => run.production.clone(),
    };
    (at.phase == Phase::Swap).then_some(Target { site, loses_writes: false })
}

/// Whether going back is taken only with consent to the loss of writes: asked of the machine like everything else.
fn costs_writes(life: &Life) -> bool {
    let (rules, record) = (&life.rules, &life.record);
    let taken = |loss_accepted| {
        let (input, told) = (Input::Rollback { loss_accepted }, Told::default());
        step(rules, record, life.state, input, "", record.now, told).is_ok()
    };
    record.writes_since_swap || record.half_given_up() || taken(true) && !taken(false)
}

/// What to do next, in one sentence with its command.
pub fn next(look: &Look<'_>) -> String {
    let next = what_next(look);
    match next.command {
        Some(command) => format!("{}: {command}", next.sentence),
        None => next.sentence,
    }
}

/// What to do next, and the command for it.
pub fn what_next(look: &Look<'_>) -> Next {
    let life = look.life;
    let command = |name: &str| full(look, name);
    let with = |sentence: String, name: &str| Next { sentence, command: command(name) };
    if life.record.roles.is_none() {
        let sentence =
            "put the system under a journal: read who is production, set the first marks";
        return with(sentence.to_owned(), "init");
    }
    if life.record.paused {
        return with("nothing new is started until the run is resumed".to_owned(), "resume");
    }
    match life.state {
        State::Steady => steady(look),
        State::Doing { .. } | State::Settling { .. } => doing(look),
        State::Ready { at } if at.phase == Phase::Soak && at.kind == Kind::Failover => {
            let site = life.record.production().map(SiteName::as_str).unwrap_or_default();
            let sentence = format!("look at {site}, then accept: it takes writes and is backed up");
            with(sentence + " from then on", "accept")
        }
        State::Ready { at } if at.phase == Phase::Soak => {
            with("accept the release, or go back while that is free".to_owned(), "accept")
        }
        State::Ready { .. } => ready(look),
        State::Asking { .. } => {
            with("people of the missing groups approve or reject".to_owned(), "approve")
        }
        State::Halted { unknown, .. } => {
            let sentence = if unknown != 0 {
                "look at the world again; nothing that may have happened is sent twice"
            } else {
                "mend the cause, then try again"
            };
            with(sentence.to_owned(), "retry")
        }
    }
}

fn steady(look: &Look<'_>) -> Next {
    let may = allowed(look);
    let away = look.life.record.away().filter(|_| may.iter().any(|it| it.name == "start"));
    if let Some(incident) = away {
        let (run, lost, to) = (incident.run, &incident.consent.lost, &incident.consent.to);
        let sentence = format!("users are on {to} since run {run} failed over: go home to {lost}");
        return Next { sentence, command: full(look, "failback") };
    }
    match may.iter().find(|it| it.name == "start") {
        Some(start) => Next {
            sentence: "start a release when there is one".to_owned(),
            command: Some(start.command.clone()),
        },
        None if look.life.record.quarantined.is_some() => Next {
            sentence: "rebuild the lost site from production, so that there is a standby"
                .to_owned(),
            command: full(look, "rejoin"),
        },
        None => Next {
            sentence: "no release can start before what is owed is put back".to_owned(),
            command: full(look, "rejoin"),
        },
    }
}

fn doing(look: &Look<'_>) -> Next {
    if look.holder.is_some() {
        let sentence = "wait; follow it".to_owned();
        return Next { sentence, command: full(look, "watch") };
    }
    let sentence = "nobody works on it: go on from the journal".to_owned();
    Next { sentence, command: full(look, "resume") }
}

fn ready(look: &Look<'_>) -> Next {
    let sentence = match after_next(look.life) {
        Some(State::Asking { .. }) => "ask people to approve".to_owned(),
        Some(State::Steady) => "end the run".to_owned(),
        Some(to) => to.at().map_or_else(String::new, |at| {
            format!("{} {}", named(at.phase, at.way), purpose_at(at))
        }),
        None => "nothing more can be done in this phase".to_owned(),
    };
    Next { sentence, command: full(look, "next") }
}
