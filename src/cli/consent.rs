//! Confirmation grows with danger: none, `[y/N]`, the name typed, the name and the loss.

use crate::cli::streams::Streams;
use crate::conductor::Command;
use crate::fault::{E2005, E2021, Fault};
use crate::model::SiteName;
use crate::view::{Look, Target, after_next, target, what_next};

/// What a person is asked before a command is carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Danger {
    /// Nothing.
    None,
    /// This question, answered by y or `--yes`.
    Ask(String),
    /// The name of the site that will be production, typed or in `--confirm`.
    Typed(Target),
}

/// How dangerous a command is here and now.
pub(super) fn danger(command: &Command, look: &Look<'_>) -> Danger {
    let life = look.life;
    let ask = |question: &str| Danger::Ask(question.to_owned());
    match command {
        Command::Init => ask("Read the world and set the first marks?"),
        Command::Start { version, .. } => Danger::Ask(format!("Start release {version}?")),
        Command::Next { auto, .. } => match target(life, false) {
            Some(target) => Danger::Typed(target),
            // Nothing new begins: what was begun goes on, or the machine refuses.
            None if life.record.paused || after_next(life).is_none() => Danger::None,
            None => {
                let further = if *auto { ", then on to the next gate, swap or soak" } else { "" };
                Danger::Ask(format!("Next: {}{further}. Go on?", what_next(look).sentence))
            }
        },
        Command::Rollback { .. } => match target(life, true) {
            Some(target) => Danger::Typed(target),
            None => Danger::None,
        },
        Command::Approve { .. } => ask("Approve what is shown above?"),
        Command::Reject => ask("Reject what is shown above?"),
        Command::Accept => {
            ask("Accept the release? Writes are allowed next, going back costs them.")
        }
        Command::Abort => ask("Give the run up and put back what it changed?"),
        Command::Retry => ask("Look again and try again?"),
        Command::Skip { step } => Danger::Ask(format!("Go on without {step}?")),
        Command::Resolve { step, done } => {
            let end = if *done { "done" } else { "not done" };
            Danger::Ask(format!("Have you seen yourself that {step} is {end}?"))
        }
        // The verb asks for the name itself, after its own look at the world.
        Command::Pause | Command::Arm | Command::DriftAdopt { .. } | Command::Runbook => {
            Danger::None
        }
        Command::Resume => ask("Go on with the run?"),
        Command::Amend { .. } => ask("Change the rules of the open run? Approvals become void."),
        Command::Adopt => ask("Take over? What an older conductor still does becomes void."),
        Command::Close => ask("End the run with something owed?"),
        Command::Without { site } => {
            Danger::Ask(format!("Go on without {site}? What cannot be read there stays unknown."))
        }
        Command::Switchover { .. } => {
            ask("Start a switchover? Production and standby change roles.")
        }
        // Its own verb asks for the name and the figure; the conductor demands both.
        Command::Failover(_) => Danger::None,
        Command::Rejoin { .. } => ask("Rebuild the lost site from production?"),
        Command::Drill { .. } => {
            ask("Move the drill's names there and back? Users stay where they are.")
        }
        Command::Failback { .. } => {
            ask("Go back to the site that was lost: rejoin it, or switch over to it?")
        }
        Command::Extend { .. } => ask("Let the embargo last longer?"),
        Command::GiveUp { copy } => {
            Danger::Ask(format!("Give {copy} up? What it holds may be deleted from then on."))
        }
    }
}

/// Answers a `[y/N]` question: by the flag, by the person, or not at all.
pub(super) fn yes(question: &str, given: bool, streams: &mut Streams) -> Result<(), Fault> {
    if given {
        return Ok(());
    }
    let line = streams.line_with("--yes");
    let Some(person) = &mut streams.person else {
        return Err(unanswered(question, &line));
    };
    match person.ask(&format!("{question} [y/N]")) {
        Some(said) if matches!(said.as_str(), "y" | "Y" | "yes") => Ok(()),
        Some(_) => Err(Fault::new(&E2021, "the answer was no; nothing was changed")),
        None => Err(unanswered(question, &line)),
    }
}

fn unanswered(question: &str, line: &str) -> Fault {
    Fault::new(&E2005, format!("this wants an answer, and nobody can be asked: {question}"))
        .hint(format!("run: {line}"))
}

/// The site whose name the flag gave, checked against the one that will be production.
pub(super) fn matching(given: &SiteName, target: &Target, streams: &Streams) -> Result<(), Fault> {
    if *given == target.site {
        return Ok(());
    }
    let says = format!("this would make {} production, not {given}", target.site);
    let hint = format!("nothing was changed; look at the plan: {}", streams.line_with("--dry-run"));
    Err(Fault::new(&E2005, says).hint(hint))
}

/// What is missing on the line when nobody can be asked.
pub(super) fn missing(target: &Target, loss_accepted: bool, streams: &Streams) -> Fault {
    let loss = if target.loses_writes && !loss_accepted { " --accept-data-loss" } else { "" };
    let line = streams.line_with(&format!("--confirm {}{loss}", target.site));
    Fault::new(&E2005, format!("this makes {} production and wants its name", target.site))
        .because("a typed confirmation is never answered by --yes")
        .hint(format!("run: {line}"))
}

/// What is missing on the line when only the loss was not accepted.
pub(super) fn loss(streams: &Streams) -> Fault {
    Fault::new(&E2005, "going back now loses the writes made since they were allowed")
        .hint(format!("run: {}", streams.line_with("--accept-data-loss")))
}

/// Asks for the name, and for the loss where there is one.
pub(super) fn typed(
    target: &Target,
    loss_accepted: bool,
    streams: &mut Streams,
) -> Result<(), Fault> {
    let without = missing(target, loss_accepted, streams);
    let Some(person) = &mut streams.person else { return Err(without) };
    let question = "Type the name of the site that will be production to go on:";
    let Some(said) = person.ask(question) else { return Err(without) };
    if said != target.site.as_str() {
        let says = format!("`{said}` is not {}; nothing was changed", target.site);
        return Err(Fault::new(&E2005, says));
    }
    if target.loses_writes && !loss_accepted {
        let question = "Writes made since they were allowed are lost. Type `lose writes` to go on:";
        if person.ask(question).as_deref() != Some("lose writes") {
            return Err(Fault::new(&E2005, "the loss was not accepted; nothing was changed"));
        }
    }
    Ok(())
}
