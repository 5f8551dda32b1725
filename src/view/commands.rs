//! What people may do now: the machine's answer, as whole commands.

use serde::Serialize;

use crate::machine::{Begin, Input, State, Told, allowed as machine_allows, step};
use crate::model::{Digest, Kind, Phase, SiteName, Time};
use crate::view::Look;
use crate::view::next::target;
use crate::view::story::bits;

/// One command that would be decided now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Allowed {
    /// The machine's name for it.
    pub name: &'static str,
    /// What to type.
    pub command: String,
}

/// All commands that would be decided now.
pub fn allowed(look: &Look<'_>) -> Vec<Allowed> {
    let life = look.life;
    let mut names = machine_allows(&life.rules, &life.record, life.state);
    // The machine does not read the workflow: where that has no failover, there is none.
    let gives_up = look.workflow.is_none_or(|it| it.failover.is_some());
    names.retain(|name| gives_up || *name != "failover");
    if life.record.roles.is_none() {
        names.push("init");
    }
    if fences_again(look) && !names.contains(&"retry") {
        names.push("retry");
    }
    if may_start(look) {
        names.push("start");
    }
    if life.state == State::Steady && life.record.away().is_some() {
        names.push("failback");
    }
    if life.record.paused {
        names.push("resume");
    } else if look.holder.is_some() && matches!(life.state, State::Doing { .. }) {
        names.push("pause");
    }
    names
        .into_iter()
        .filter_map(|name| full(look, name).map(|command| Allowed { name, command }))
        .collect()
}

/// Asked of the machine like everything else: would a release be opened?
fn may_start(look: &Look<'_>) -> bool {
    let life = look.life;
    let Some(production) = life.record.production().cloned() else { return false };
    let standby = look.standby().cloned().unwrap_or(SiteName(String::new()));
    let begin = Begin {
        kind: Kind::Release,
        version: None,
        production,
        standby,
        workflow: Digest::default(),
        rules: life.rules.clone(),
        outside: vec![],
        loss_accepted: false,
    };
    let (input, told) = (Input::Start(Box::new(begin)), Told::default());
    step(&life.rules, &life.record, life.state, input, "", life.record.now, told).is_ok()
}

/// A part of a fence is owed, and nothing else is under way that it would have to wait for.
fn fences_again(look: &Look<'_>) -> bool {
    let life = look.life;
    let rejoins = life.record.run.as_ref().is_some_and(|it| it.kind == Kind::Rejoin);
    let rests = matches!(life.state, State::Steady | State::Ready { .. });
    rests && !rejoins && !life.record.unfenced().is_empty()
}

/// The way home, which wants a reason so soon after the failover; its first half, the rejoin, wants none.
fn failback(look: &Look<'_>) -> String {
    let record = &look.life.record;
    let cools = look.workflow.map(|it| it.limits.cooldown.as_seconds());
    let soon = record.away().zip(cools).is_some_and(|(it, cools)| {
        record.quarantined.is_none() && look.now < it.at.plus_seconds(cools)
    });
    let why = if soon { " --acknowledge REASON" } else { "" };
    format!("failback{why}")
}

/// The whole command for a name; `None` when this program has no verb for it.
pub(crate) fn full(look: &Look<'_>, name: &str) -> Option<String> {
    let life = look.life;
    let typed = |back| target(life, back).map(|it| format!(" --confirm {}", it.site));
    let words = match name {
        "init" => "init".to_owned(),
        "watch" => "watch".to_owned(),
        "start" => "release start VERSION".to_owned(),
        "next" => format!("release next{}", typed(false).unwrap_or_default()),
        "approve" => "release approve --comment TEXT".to_owned(),
        "reject" => "release reject --reason TEXT".to_owned(),
        // Before the planned end of soak it wants a reason.
        "accept" if soak_end(look).is_some_and(|end| look.now < end) => {
            "release accept --reason TEXT".to_owned()
        }
        "accept" => "release accept".to_owned(),
        "abort" => "release abort --reason TEXT".to_owned(),
        "rollback" => {
            let loses = target(life, true).is_some_and(|it| it.loses_writes);
            let loss = if loses { " --accept-data-loss" } else { "" };
            format!("release rollback{}{loss} --reason TEXT", typed(true).unwrap_or_default())
        }
        "retry" => "run retry".to_owned(),
        "skip" => format!("run skip {} --reason TEXT", step_to_skip(look)?),
        "resolve" => format!("run resolve {} --done|--not-done --reason TEXT", unknown_step(look)?),
        "pause" => "run pause".to_owned(),
        "resume" => "run resume".to_owned(),
        "switchover" => "switchover".to_owned(),
        "failover" => "failover --dry-run".to_owned(),
        "rejoin" if life.record.quarantined.is_some() || !life.record.owed.is_empty() => {
            "rejoin".to_owned()
        }
        "failback" => failback(look),
        "close" => "run close --reason TEXT".to_owned(),
        _ => return None,
    };
    let system = look.system.as_str();
    let system = if system.is_empty() { String::new() } else { format!(" -s {system}") };
    Some(format!("changeover{system} {words}"))
}

/// The whole commands for these names; a name without a verb here is left out.
pub fn commands_for(look: &Look<'_>, names: &[&str]) -> Vec<String> {
    names.iter().filter_map(|name| full(look, name)).collect()
}

/// When the soak is planned to end.
pub fn soak_end(look: &Look<'_>) -> Option<Time> {
    let run = look.life.record.run.as_ref()?;
    Some(run.entered.get(&Phase::Soak)?.plus_seconds(look.life.rules.soak_of(run.kind)))
}

fn step_to_skip(look: &Look<'_>) -> Option<String> {
    let State::Halted { at, failed, .. } = look.life.state else { return None };
    let may = look.life.rules.phase(at.phase)?.skippable;
    let step = bits(failed & may).next()?;
    look.life.rules.step(at.phase, step).map(ToString::to_string)
}

fn unknown_step(look: &Look<'_>) -> Option<String> {
    let State::Halted { at, unknown, .. } = look.life.state else { return None };
    look.life.rules.step(at.phase, bits(unknown).next()?).map(ToString::to_string)
}
