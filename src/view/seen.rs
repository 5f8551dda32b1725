//! What the world says now, beside what the journal says: who was asked, what that amounts to, what follows.

use serde::Serialize;

use crate::machine::{Diagnosis, State, diagnose};
use crate::model::{Roles, SiteName, Time, Witness};
use crate::view::Look;
use crate::view::commands::allowed;
use crate::view::next::Next;
use crate::view::status::StatusView;

/// What was heard when the world was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The site that was asked about as production.
    pub production: SiteName,
    /// The site that users would be moved to.
    pub standby: SiteName,
    /// Who said what.
    pub witnesses: Vec<Witness>,
}

/// A witness and how old its word is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// What it says.
    #[serde(flatten)]
    pub witness: Witness,
    /// Seconds since then.
    pub age_seconds: i64,
}

/// What is seen now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SeenView {
    /// The site that was asked about as production.
    pub production: SiteName,
    /// The site that users would be moved to.
    pub standby: SiteName,
    /// What the witnesses amount to, by the code that a failover asks.
    pub diagnosis: Diagnosis,
    /// What makes it, one sentence.
    pub says: &'static str,
    /// Whether a failover may follow from it.
    pub actionable: bool,
    /// What is to be done where none may.
    pub instead: Option<&'static str>,
    /// Who said what.
    pub witnesses: Vec<Told>,
}

impl StatusView {
    /// Adds what was heard of the world; `Err` says why nobody was asked.
    pub fn see(&mut self, look: &Look<'_>, heard: Result<Heard, String>) {
        match heard {
            Err(why) => self.warnings.push(format!("--look asked nobody: {why}")),
            Ok(heard) => {
                let seen = seen(heard, look.now);
                if let Some(next) = next(look, &seen) {
                    self.next = next;
                }
                self.looked = true;
                self.seen = Some(seen);
            }
        }
    }
}

fn seen(heard: Heard, now: Time) -> SeenView {
    let diagnosis = diagnose(&heard.witnesses, now);
    let told =
        |witness: Witness| Told { age_seconds: now.seconds_since(witness.at).max(0), witness };
    SeenView {
        production: heard.production,
        standby: heard.standby,
        diagnosis,
        says: diagnosis.made_by(),
        actionable: diagnosis.actionable().is_ok(),
        instead: diagnosis.actionable().err(),
        witnesses: heard.witnesses.into_iter().map(told).collect(),
    }
}

/// What to do about it; nothing where the journal knows better: all is well, users are on their way, or the
/// site is being given up already.
fn next(look: &Look<'_>, seen: &SeenView) -> Option<Next> {
    let record = &look.life.record;
    let settled = matches!(
        &record.roles,
        Some(Roles::Settled { production }) if *production == seen.production
    );
    let left = record.failing_over().is_some_and(|it| it.consent.lost == seen.production);
    if !settled || left || seen.diagnosis == Diagnosis::Healthy {
        return None;
    }
    let command = allowed(look).into_iter().find(|it| it.name == "failover").map(|it| it.command);
    let lost = &seen.production;
    match (seen.instead, command) {
        (None, Some(command)) => Some(Next {
            sentence: format!("look at what giving {lost} up would cost; that changes nothing"),
            command: Some(command),
        }),
        // An open run has a way on of its own; `instead` is told beside it.
        _ if look.life.state != State::Steady => None,
        (None, None) => Some(Next {
            sentence: format!("bring {lost} back: nothing says how it could be given up"),
            command: None,
        }),
        (Some(instead), command) => Some(Next {
            sentence: instead.to_owned(),
            command: command.filter(|_| seen.diagnosis.may_be_acknowledged()),
        }),
    }
}
