//! What operators say in an incident: what the screens tell them to, and other things.

use changeover::conductor::{Command, GivenUp, MayLose, Reply};
use changeover::fault::Fault;
use changeover::machine::Life;
use changeover::model::SiteName;
use changeover::view;

use crate::chaos::fault::Dice;
use crate::chaos::people::{self, MANAGER};
use crate::chaos::rig::Rig;

/// What a person wants of the plan they were shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    /// What it prints.
    Printed,
    /// Less than what would be lost.
    Less,
    /// Another site.
    Wrong,
    /// No plan.
    Planless,
    /// An old plan.
    Stale,
}

impl Typed {
    pub(crate) fn any(dice: &mut Dice) -> Self {
        match dice.below(12) {
            0 => Self::Less,
            1 => Self::Wrong,
            2 => Self::Planless,
            3 => Self::Stale,
            _ => Self::Printed,
        }
    }
}

pub(crate) fn failover() -> Command {
    Command::Failover(GivenUp::default())
}

/// The command that accepts what a dry run shows, typed so.
pub(crate) fn confirms(shown: &Reply, typed: Typed) -> Option<GivenUp> {
    let plan = shown.plan.as_ref()?;
    let preview = plan.preview.as_ref()?;
    let exact =
        preview.loss_seconds.map_or(MayLose::Unknown, |it| MayLose::Seconds((it / 60 + 5) * 60));
    let (accept, confirm) = match typed {
        Typed::Less => (
            preview.loss_seconds.map_or(MayLose::Seconds(60), |it| MayLose::Seconds(it / 2)),
            &preview.to,
        ),
        Typed::Wrong => (exact, &preview.lost),
        Typed::Printed | Typed::Planless | Typed::Stale => (exact, &preview.to),
    };
    let plan = match typed {
        Typed::Planless => None,
        Typed::Stale => Some("0123456789ab".to_owned()),
        Typed::Printed | Typed::Less | Typed::Wrong => Some(plan.digest.short()),
    };
    Some(GivenUp {
        confirm: Some(confirm.clone()),
        accept_data_loss: Some(accept),
        plan,
        acknowledge: preview.command.contains("--acknowledge").then(|| "it burns".to_owned()),
        ..GivenUp::default()
    })
}

/// Something else that somebody might say then.
pub(crate) fn other(rig: &Rig, dice: &mut Dice) -> (&'static str, Command) {
    let life = rig.life();
    let run = life.record.run.as_ref();
    match dice.below(16) {
        0..=5 => (MANAGER, Command::Retry),
        6 => (MANAGER, Command::Abort),
        7 => {
            let confirm = run.map(|it| it.production.clone());
            (MANAGER, Command::Rollback { confirm, accept_data_loss: dice.one_in(2) })
        }
        8 => ("engineer-b", Command::Adopt),
        9 => {
            let site = run.map_or_else(|| "hk".into(), |it| it.production.clone());
            ("engineer-b", Command::Without { site })
        }
        10 => ("engineer-b", Command::Rejoin { auto: false, waive: vec![] }),
        11 => ("engineer-b", resolve(&life, dice.one_in(2)).unwrap_or(Command::Retry)),
        _ => said(rig, 0).unwrap_or((MANAGER, Command::Retry)),
    }
}

/// Back at once, whatever it costs.
pub(crate) fn back(rig: &Rig) -> (&'static str, Command) {
    let confirm = rig.life().record.run.map(|it| it.production);
    (MANAGER, Command::Rollback { confirm, accept_data_loss: true })
}

/// A person finds out how a step ended; the world has the last word.
pub(crate) fn resolve(life: &Life, done: bool) -> Option<Command> {
    let step = life.record.intents.values().map(|it| it.intent.id.clone()).next()?;
    Some(Command::Resolve { step, done })
}

/// What the screen names as the next thing to do. `None` when there is nothing but a release.
pub(crate) fn said(rig: &Rig, turn: usize) -> Option<(&'static str, Command)> {
    let life = rig.life();
    let look = view::Look { holder: None, ..view::Look::at_work(&life) };
    let command = view::what_next(&look).command?;
    parsed(command.strip_prefix("changeover ")?, turn)
}

/// What a refusal names as the way on.
pub(crate) fn hinted(fault: &Fault, turn: usize) -> Option<(&'static str, Command)> {
    let hint = fault.hint.as_deref()?;
    let (_, words) = hint.split_once("changeover ")?;
    parsed(words, turn)
}

/// A command as it is typed.
pub(crate) fn parsed(words: &str, turn: usize) -> Option<(&'static str, Command)> {
    let words: Vec<&str> = words.split([' ', ';', ',']).collect();
    let confirm = || {
        let at = words.iter().position(|it| *it == "--confirm")?;
        Some(SiteName::from(*words.get(at + 1)?))
    };
    let waive = || vec!["windows".into()];
    let command = match (*words.first()?, words.get(1).copied().unwrap_or_default()) {
        ("release", "next") => Command::Next { auto: false, confirm: confirm(), waive: vec![] },
        ("release", "accept") => Command::Accept,
        ("release", "approve") => return Some(people::approve(turn)),
        ("release", "abort") => Command::Abort,
        ("release", "rollback") => Command::Rollback {
            confirm: confirm(),
            accept_data_loss: words.contains(&"--accept-data-loss"),
        },
        ("run", "retry") => Command::Retry,
        ("run", "resume") => Command::Resume,
        ("run", "adopt") => Command::Adopt,
        ("run", "close") => Command::Close,
        ("rejoin", _) => Command::Rejoin { auto: false, waive: waive() },
        ("failback", _) => Command::Failback {
            auto: false,
            waive: waive(),
            acknowledge: Some("it is back".to_owned()),
        },
        _ => return None,
    };
    Some((MANAGER, command))
}
