//! Who lifts what stands in the way, and by which command.

use crate::conductor::command::{Command, Order, PlannedStep};
use crate::conductor::start::may_waive;
use crate::conductor::whynot::Blocker;
use crate::fault::{
    Code, E2001, E2002, E2003, E2004, E2006, E2007, E2008, E2009, E2010, E2013, E2018, E2019,
    E2031, E2040, E2060, E2062, E2064, E2065, Fault,
};
use crate::machine::{Body, Fact, Input, Line, State};
use crate::model::{Evidence, StepId};
use crate::view::words::{from_now, minute, quoted};
use crate::view::{Look, commands_for, sentence, status};
use crate::workflow::Workflow;
use crate::workflow::step::Step;

/// The command as it has to be typed, with the reasons that were given.
pub(super) fn typed(order: &Order, look: &Look<'_>) -> String {
    with_given(order, wanted(&order.command, look))
}

/// The reasons that were given, where a line asks for them.
fn with_given(order: &Order, line: String) -> String {
    let reason = order.reason.as_deref().filter(|it| !it.trim().is_empty());
    let line = match reason {
        Some(it) => line.replace(" --reason TEXT", &format!(" --reason {}", quoted(it))),
        None => line,
    };
    let Some(why) = order.command.acknowledged() else { return line };
    format!("{} --acknowledge {}", line.replace(" --acknowledge REASON", ""), quoted(why))
}

fn wanted(command: &Command, look: &Look<'_>) -> String {
    if let Command::Start { version, .. } = command {
        return with_system(look, &format!("release start {version}"));
    }
    if let Command::Skip { step } = command {
        return with_system(look, &format!("run skip {step} --reason TEXT"));
    }
    let name = command.name();
    let last = name.rsplit(' ').next().unwrap_or(name);
    let known = matches!(name.split_once(' '), None | Some(("release" | "run", _)));
    let full = commands_for(look, &[last]).pop().filter(|_| known);
    let reason = if command.wants_reason() { " --reason TEXT" } else { "" };
    full.unwrap_or_else(|| with_system(look, &format!("{name}{reason}")))
}

fn with_system(look: &Look<'_>, words: &str) -> String {
    format!("changeover -s {} {words}", look.system)
}

/// What a guard or the machine said.
pub(super) fn fault(fault: &Fault, read: Vec<Evidence>, order: &Order, look: &Look<'_>) -> Blocker {
    let evidence = if read.is_empty() { vec![recorded(fault, look)] } else { read };
    let (who, mut commands) = lifted(fault, order, look);
    // What was read says it already.
    let told = |cause: &String| fault.code == &E2062 || evidence.iter().any(|it| it.says == *cause);
    let because = fault.cause.clone().filter(|it| !told(it));
    if commands.is_empty() {
        commands.extend(fault.hint.clone());
    }
    Blocker {
        code: fault.code.id.to_owned(),
        says: fault.message.clone(),
        because,
        unknown: fault.unknown,
        evidence: Blocker::aged(evidence, look.now),
        who,
        commands,
    }
}

/// The line of the journal that says so.
fn recorded(fault: &Fault, look: &Look<'_>) -> Evidence {
    let paused = |line: &&Line| {
        crate::view::facts(line).iter().any(|it| matches!(it, Fact::Paused { on: true }))
    };
    let lines = look.lines.iter().rev();
    let line = if fault.code == &E2013 { lines.clone().find(paused) } else { lines.clone().next() };
    let Some(line) = line else {
        let (source, says) = ("journal".to_owned(), "there is no journal yet".to_owned());
        return Evidence { source, at: look.now, says, data: serde_json::Value::Null };
    };
    let says = if fault.code == &E2013 {
        format!("paused by {}", line.by.name)
    } else {
        sentence(look.life)
    };
    let source = format!("journal, line {}", line.seq);
    Evidence { source, at: line.at, says, data: serde_json::Value::Null }
}

#[expect(clippy::too_many_lines, reason = "one branch a code")]
fn lifted(fault: &Fault, order: &Order, look: &Look<'_>) -> (String, Vec<String>) {
    let record = &look.life.record;
    let is = |code: &Code| fault.code == code;
    let again = || typed(order, look);
    let anybody = |what: &str| format!("anybody: {what}");
    if is(&E2001) {
        return by_the_machine(look);
    }
    if is(&E2013) {
        return (anybody("resume the run"), commands_for(look, &["resume"]));
    }
    if is(&E2006) {
        let end = crate::view::soak_end(look);
        let end = end.map(|it| format!("time: {} UTC ({})", minute(it), from_now(look.now, it)));
        let or = "a person who says why";
        let who = end.map_or_else(|| or.to_owned(), |it| format!("{it}; or {or}"));
        return (who, vec![again()]);
    }
    if is(&E2007) {
        let names: Vec<String> = status(look)
            .gate
            .into_iter()
            .flat_map(|it| it.groups)
            .flat_map(|it| it.could)
            .collect();
        let who = if names.is_empty() { "nobody is left".to_owned() } else { names.join(" or ") };
        return (who, commands_for(look, &["approve"]));
    }
    if is(&E2009) {
        return (anybody("put the system under a journal"), commands_for(look, &["init"]));
    }
    if is(&E2010) || is(&E2060) {
        let who = record.quarantined.as_ref().map_or_else(
            || anybody("pay what is owed"),
            |site| format!("anybody: {site} is quarantined; its rejoin pays what is owed"),
        );
        return (who, commands_for(look, &["rejoin"]));
    }
    if is(&E2018) {
        let run = record.run.as_ref();
        let who = run.map_or_else(String::new, |it| {
            format!("who ends run {}, opened by {}", it.number, it.requester)
        });
        return (
            who,
            crate::view::allowed(look).into_iter().map(|it| it.command).take(3).collect(),
        );
    }
    if let (true, Some(way)) = (is(&E2062), &fault.hint) {
        return (way.clone(), vec![again()]);
    }
    let quarantined = record
        .quarantined
        .as_ref()
        .filter(|it| is(&E2064) && fault.message.starts_with(&format!("{it} is quarantined")));
    if let Some(site) = quarantined {
        let mut commands = commands_for(look, &["rejoin"]);
        commands.push(acknowledged(&again()));
        return (format!("the rejoin of {site}, or a person with a reason"), commands);
    }
    if is(&E2064) {
        let cool = fault.cause.clone().unwrap_or_default();
        let who = format!("time ({cool}), or a person with a reason");
        return (who, vec![acknowledged(&again())]);
    }
    if is(&E2031) {
        let mut commands = commands_for(look, &["retry"]);
        commands.push(again());
        return (anybody("put the embargo on again"), commands);
    }
    if is(&E2040) {
        return (anybody("settle the drift"), vec![with_system(look, "drift")]);
    }
    if is(&E2019) {
        let who = "who knows that the other journal is gone for good".to_owned();
        return (who, vec![with_system(look, "run adopt --reason TEXT")]);
    }
    if is(&E2008) {
        return (anybody("look at what lies there now"), commands_for(look, &["next"]));
    }
    if is(&E2065) {
        return (anybody("put it right where it was read"), vec![again()]);
    }
    if is(&E2002) {
        return (anybody("put it right where it was read; the guard has no waiver"), vec![again()]);
    }
    ("anybody".to_owned(), vec![])
}

fn acknowledged(command: &str) -> String {
    let why = if command.contains(" --acknowledge ") { "" } else { " --acknowledge REASON" };
    format!("{}{why}", command.replace(" --dry-run", ""))
}

/// The machine has no way from here: what the state and the record say of it.
fn by_the_machine(look: &Look<'_>) -> (String, Vec<String>) {
    let record = &look.life.record;
    if record.frozen {
        let who = "who lifts the freeze; it never stops going back, fencing, closing or a failover";
        return (who.to_owned(), vec![]);
    }
    if let (State::Steady, Some(site)) = (look.life.state, &record.quarantined) {
        let who = format!("anybody: {site} must rejoin before it may be a standby");
        return (who, commands_for(look, &["rejoin"]));
    }
    let next = crate::view::what_next(look);
    (format!("the state itself: {}", next.sentence), next.command.into_iter().collect())
}

/// The steps at which the run halted, as the journal has them.
pub(super) fn halted(look: &Look<'_>) -> Vec<Blocker> {
    let State::Halted { at, failed, unknown } = look.life.state else { return vec![] };
    let bad = (0..64_u8).filter(|bit| (failed | unknown) >> bit & 1 == 1);
    let all = bad.filter_map(|bit| {
        let id = look.life.rules.step(at.phase, bit)?;
        Some(one_halted(look, at.phase.name(), bit, id, unknown >> bit & 1 == 1))
    });
    let all: Vec<Blocker> = all.collect();
    if !all.is_empty() {
        return all;
    }
    // Only a gate that people refused or let expire halts without a bad step.
    let fault = Fault::new(&E2002, "the gate was refused or expired");
    let evidence = Blocker::aged(vec![recorded(&fault, look)], look.now);
    let commands = commands_for(look, &["retry", "abort"]);
    vec![Blocker {
        code: fault.code.id.to_owned(),
        says: fault.message,
        because: None,
        unknown: false,
        evidence,
        who: "anybody: ask again, or give up".to_owned(),
        commands,
    }]
}

fn one_halted(look: &Look<'_>, phase: &str, bit: u8, id: &StepId, unknown: bool) -> Blocker {
    let ended = look.lines.iter().rev().find_map(|line| match &line.body {
        Body::Decided { input: Input::Step { step, .. }, evidence, from, .. }
            if *step == bit && from.at().is_some_and(|it| it.phase.name() == phase) =>
        {
            Some((line, evidence.clone()))
        }
        Body::Decided { .. } | Body::Refused { .. } | Body::Intent(_) | Body::Note { .. } => None,
    });
    let evidence = ended.map(|(line, evidence)| {
        let source = format!("journal, line {}", line.seq);
        let says = format!("{id} ended here");
        if evidence.is_empty() {
            vec![Evidence { source, at: line.at, says, data: serde_json::Value::Null }]
        } else {
            evidence
        }
    });
    let evidence = evidence.unwrap_or_default();
    let is_check = look
        .workflow
        .and_then(|it| it.all_steps().find(|it| it.id == *id))
        .is_some_and(Step::is_check);
    let code = match (unknown, is_check) {
        (true, false) => &E2004,
        (false, false) => &E2003,
        (_, true) => &E2002,
    };
    let verdict = match (unknown, is_check) {
        (true, _) => "nobody knows how it ended",
        (false, true) => "it does not pass",
        (false, false) => "it failed",
    };
    let names: &[&str] = if unknown { &["retry", "resolve"] } else { &["retry"] };
    let mut commands = commands_for(look, names);
    let rule = look.life.state.at().and_then(|at| look.life.rules.phase(at.phase));
    if rule.is_some_and(|it| it.skippable >> bit & 1 == 1) && !unknown {
        commands.push(with_system(look, &format!("run skip {id} --reason TEXT")));
    }
    commands.extend(commands_for(look, &["abort"]).into_iter().filter(|_| may(look, "abort")));
    Blocker {
        code: coded(&evidence).unwrap_or(code.id).to_owned(),
        says: format!("the run halted in {phase} at {id}: {verdict}"),
        because: None,
        unknown,
        evidence: Blocker::aged(evidence, look.now),
        who: "anybody: mend it and look again".to_owned(),
        commands,
    }
}

fn may(look: &Look<'_>, name: &str) -> bool {
    crate::view::allowed(look).iter().any(|it| it.name == name)
}

fn coded(evidence: &[Evidence]) -> Option<&'static str> {
    let code = evidence.iter().find_map(|it| it.data.get("code")?.as_str())?;
    crate::fault::find(code).map(|it| it.id)
}

/// The groups that the open gate waits for.
pub(super) fn gate(look: &Look<'_>) -> Vec<Blocker> {
    let Some(gate) = status(look).gate else { return vec![] };
    let until = gate.until;
    let asked = look.lines.iter().rev().find(|line| {
        matches!(&line.body, Body::Decided { to: State::Asking { .. }, from, .. } if !matches!(from, State::Asking { .. }))
    });
    let open = gate.groups.iter().filter(|it| it.approved.len() < it.needed);
    let one = |group: &crate::view::GroupOfPeople| {
        let mut evidence: Vec<Evidence> = asked
            .iter()
            .map(|line| Evidence {
                source: format!("journal, line {}", line.seq),
                at: line.at,
                says: format!("packet {} was put before people", gate.packet.short()),
                data: serde_json::json!({ "packet": gate.packet }),
            })
            .collect();
        evidence.extend(group.approved.iter().map(|it| Evidence {
            source: "journal".to_owned(),
            at: it.at,
            says: format!("{} approved", it.by),
            data: serde_json::Value::Null,
        }));
        let (got, needed) = (group.approved.len(), group.needed);
        let not = gate
            .not
            .as_ref()
            .map_or_else(String::new, |it| format!(", not {it}, who opened the run"));
        let end = until.map_or_else(String::new, |it| {
            format!("; the gate expires {} UTC ({})", minute(it), from_now(look.now, it))
        });
        let who = if group.could.is_empty() {
            "nobody is left".to_owned()
        } else {
            group.could.join(" or ")
        };
        let says = format!("people are asked: {got} of {needed} of {} have approved", group.group);
        Blocker::waits(says, evidence, format!("{who} ({}{not}){end}", group.group), look)
    };
    open.map(one).collect()
}

/// A check that the command would begin with and that does not hold now.
pub(super) fn step(
    planned: &PlannedStep,
    workflow: &Workflow,
    order: &Order,
    look: &Look<'_>,
) -> Blocker {
    let unknown = planned.verdict == "unknown";
    let found = workflow.all_steps().find(|it| it.id == planned.id);
    let verdict = match (unknown, found.is_some_and(Step::is_check)) {
        (true, _) => "could not be looked at",
        (false, true) => "does not pass",
        (false, false) => "cannot be done",
    };
    let ends = planned.evidence.iter().find_map(|it| {
        let minutes = it.data.get("ends_in_minutes")?.as_i64()?;
        Some(it.at.plus_seconds(minutes * 60))
    });
    let mut who = ends.map_or_else(
        || "anybody: put it right where it was read".to_owned(),
        |end| format!("time: {} UTC ({})", minute(end), from_now(look.now, end)),
    );
    let again = typed(order, look);
    let mut commands = vec![];
    let waives = matches!(
        order.command,
        Command::Start { .. }
            | Command::Next { .. }
            | Command::Switchover { .. }
            | Command::Rejoin { .. }
            | Command::Failback { .. }
            | Command::Drill { .. }
    );
    if found.is_some_and(|it| it.is_check() && may_waive(it)) && waives {
        who.push_str("; or a person who says why");
        let waived = wanted(&order.command, look);
        let waived = format!("{waived} --waive {} --reason TEXT", planned.id);
        commands.push(with_given(order, waived));
    } else {
        commands.push(again);
    }
    Blocker {
        code: coded(&planned.evidence).unwrap_or(E2002.id).to_owned(),
        says: format!("{}/{} ({}) {verdict}", planned.phase, planned.id, planned.kind),
        because: None,
        unknown,
        evidence: Blocker::aged(planned.evidence.clone(), look.now),
        who,
        commands,
    }
}
