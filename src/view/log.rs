//! Lines of the journal for people: one sentence for a list, everything for one entry.

use serde::Serialize;
use serde_json::Value;

use crate::machine::{Body, Ended, Input, Line, Rules, State};
use crate::model::{Change, Digest, Evidence, Identity, Time, telling};
use crate::view::words::named;

/// Everything one line says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EntryView {
    /// Its number.
    pub seq: u64,
    /// When.
    pub at: Time,
    /// The wall clock, when it had gone back.
    pub wall: Option<Time>,
    /// The run it belongs to.
    pub run: Option<u32>,
    /// The epoch.
    pub epoch: u64,
    /// Who.
    pub by: String,
    /// How they are known.
    pub identity: Identity,
    /// One sentence.
    pub says: String,
    /// Why, in their words.
    pub reason: Option<String>,
    /// The state before.
    pub from: Option<String>,
    /// The state after.
    pub to: Option<String>,
    /// What was to be changed.
    pub changes: Vec<Change>,
    /// What was read.
    pub evidence: Vec<Evidence>,
    /// What became true.
    pub facts: Vec<Value>,
    /// The digest of this line's bytes, as the next line has it or as computed.
    pub digest: Digest,
    /// The digest of the line before.
    pub prev: Digest,
}

/// Lines with the rules that were in force when they were written.
pub fn with_rules(lines: &[Line]) -> impl Iterator<Item = (&Line, Option<&Rules>)> {
    lines.iter().scan(None, |rules, line| {
        if let Body::Decided { input: Input::Start(begin), .. } = &line.body {
            *rules = Some(&begin.rules);
        }
        if let Body::Decided { input: Input::Amend { rules: new, .. }, .. } = &line.body {
            *rules = Some(&**new);
        }
        Some((line, *rules))
    })
}

/// One line of the log.
pub fn log_line(line: &Line, rules: Option<&Rules>) -> String {
    match &line.body {
        Body::Decided { input, from, to, evidence, .. } => {
            let mut what = told(input, *from, rules);
            let well = matches!(input, Input::Step { ended: Ended::Done, .. });
            if let (Input::Step { .. }, false, Some(read)) = (input, well, telling(evidence, well))
            {
                what = format!("{what}: {}", read.says);
            }
            if place(*from) == place(*to) { what } else { format!("{what} → {}", place(*to)) }
        }
        Body::Refused { command, code, message } => format!("{command} refused {code}: {message}"),
        Body::Intent(intent) => {
            let what = intent.changes.iter().map(|it| it.sentence.as_str()).collect::<Vec<_>>();
            let again = if intent.attempt > 1 {
                format!(" (attempt {})", intent.attempt)
            } else {
                String::new()
            };
            let more = what.len().saturating_sub(2);
            let more = if more == 0 { String::new() } else { format!("; and {more} more") };
            let what = what.iter().take(2).copied().collect::<Vec<_>>().join("; ");
            format!("intent {}/{}{again}: {what}{more}", intent.phase.name(), intent.id)
        }
        Body::Note { text, .. } => text.clone(),
    }
}

fn told(input: &Input, from: State, rules: Option<&Rules>) -> String {
    let id = |step: u8| {
        let at = from.at();
        let named = at.and_then(|at| rules?.step(at.phase, step));
        let phase = at.map_or("?", |at| at.phase.name());
        named.map_or_else(|| format!("{phase}/#{step}"), |id| format!("{phase}/{id}"))
    };
    if let Input::Step { step, ended } = input {
        return format!("{} {}", id(*step), ended_word(*ended));
    }
    if let Input::Resolve { step, done } = input {
        let end = if *done { "done" } else { "not done" };
        return format!("resolve {} as {end}", id(*step));
    }
    if let Input::Start(begin) = input {
        let version = begin.version.as_deref().map(|it| format!(" {it}")).unwrap_or_default();
        let (from, to) = (&begin.production, &begin.standby);
        return format!("start {}{version}, production {from}, standby {to}", begin.kind.name());
    }
    if let Input::Approve { packet, groups, .. } = input {
        return format!("approve {} for {}", packet.short(), groups.join(", "));
    }
    input.name().to_owned()
}

/// How a step ended, in a word.
pub(crate) const fn ended_word(ended: Ended) -> &'static str {
    match ended {
        Ended::Done => "done",
        Ended::Failed => "failed",
        Ended::Unknown => "unknown",
    }
}

/// A state in a few words: `deploy: halted`.
fn place(state: State) -> String {
    let Some(at) = state.at() else { return state.mode().to_owned() };
    format!("{}: {}", named(at.phase, at.way), state.mode())
}

/// Everything this line says; `following` is the next line, which holds its digest.
pub fn entry(line: &Line, following: Option<&Line>, rules: Option<&Rules>) -> EntryView {
    let (mut reason, mut from, mut to) = (None, None, None);
    let (mut changes, mut evidence, mut facts) = (vec![], vec![], vec![]);
    match &line.body {
        Body::Decided {
            from: before,
            to: after,
            reason: why,
            evidence: read,
            facts: known,
            ..
        } => {
            (from, to) = (Some(place(*before)), Some(place(*after)));
            reason.clone_from(why);
            evidence.clone_from(read);
            facts.clone_from(known);
        }
        Body::Intent(intent) => {
            changes.clone_from(&intent.changes);
            evidence.clone_from(&intent.observed);
            facts.clone_from(&intent.facts);
        }
        Body::Note { reason: why, evidence: read, facts: known, .. } => {
            reason.clone_from(why);
            evidence.clone_from(read);
            facts.clone_from(known);
        }
        Body::Refused { .. } => (),
    }
    EntryView {
        seq: line.seq,
        at: line.at,
        wall: line.wall,
        run: line.run,
        epoch: line.epoch,
        by: line.by.name.clone(),
        identity: line.by.identity,
        says: log_line(line, rules),
        reason,
        from,
        to,
        changes,
        evidence,
        facts: facts.iter().filter_map(|fact| serde_json::to_value(fact).ok()).collect(),
        digest: following.map_or_else(|| digest(line), |next| next.prev),
        prev: line.prev,
    }
}

/// The digest of a line's bytes; a line is written as it is serialised, without spaces.
fn digest(line: &Line) -> Digest {
    serde_json::to_vec(line).map(|bytes| Digest::of(&bytes)).unwrap_or_default()
}
