//! `watch`: follow a run. Reads the journal and locks nothing; nothing typed here acts.

use std::time::Duration;

use clap::Args;
use serde::Serialize;

use crate::app::Glance;
use crate::cli::{INTERRUPTED, Outcome, Scene};
use crate::fault::{E2015, Exit, Fault};
use crate::machine::State;
use crate::port::Line;
use crate::view::{self, render};
use crate::workflow::Lasting;

/// Between two looks at the journal.
const POLL: Duration = Duration::from_millis(500);

/// Redraws on a terminal; a line for each change when piped; JSON Lines with --json. Ends when the run
/// ends (0) or waits for people (7 ready or asking, 1 failed, 6 unknown).
#[derive(Debug, Args)]
pub struct Watch {
    /// The system; needless when there is one
    system: Option<String>,
    /// Stop after this time, with 7: `30s`, `10m`
    #[arg(long = "for", value_name = "DUR", value_parser = lasting)]
    lasting: Option<Lasting>,
}

fn lasting(text: &str) -> Result<Lasting, String> {
    serde_json::from_value(text.into()).map_err(|error| error.to_string())
}

/// One change, for programs.
#[derive(Serialize)]
struct Event<'a> {
    says: String,
    line: &'a Line,
}

/// The last document of a stream.
#[derive(Serialize)]
struct Standing {
    mode: &'static str,
    says: String,
    next: view::Next,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    way_back: Option<view::WayBack>,
}

pub(super) async fn run(args: &Watch, scene: &mut Scene<'_>) -> Outcome {
    let following = follow(args, scene);
    let bounded = async {
        match args.lasting {
            Some(lasting) => tokio::time::timeout(lasting.0, following).await.ok(),
            None => Some(following.await),
        }
    };
    tokio::select! {
        ended = bounded => ended.unwrap_or(Ok(Exit::Waiting.status())),
        pressed = tokio::signal::ctrl_c() => match pressed {
            Ok(()) => Ok(INTERRUPTED),
            Err(error) => Err(Fault::new(&E2015, "the interrupt cannot be heard").because(error)),
        },
    }
}

async fn follow(args: &Watch, scene: &mut Scene<'_>) -> Outcome {
    let system = scene.desk.pick(args.system.as_deref())?;
    let (mut seen, mut drawn) = (None, 0);
    loop {
        let glance = scene.desk.glance(&system)?;
        drawn = show(&glance, seen, drawn, scene)?;
        seen = Some(glance.lines.len());
        if let Some(exit) = over(&glance.life.state, glance.holder.is_some()) {
            standing(&glance, scene)?;
            return Ok(exit.status());
        }
        if scene.streams.gone {
            return Ok(Exit::Done.status());
        }
        tokio::time::sleep(POLL).await;
    }
}

/// How the watch ends in this state, if it does. A conductor at work may be between two phases.
const fn over(state: &State, at_work: bool) -> Option<Exit> {
    if at_work && !matches!(state, State::Asking { .. }) {
        return None;
    }
    match state {
        State::Steady => Some(Exit::Done),
        State::Doing { .. } | State::Settling { .. } => None,
        State::Ready { .. } | State::Asking { .. } => Some(Exit::Waiting),
        State::Halted { unknown: 0, .. } => Some(Exit::Failed),
        State::Halted { .. } => Some(Exit::Unknown),
    }
}

/// Shows what is new since `seen` lines; gives how many lines of the screen it took.
fn show(
    glance: &Glance,
    seen: Option<usize>,
    drawn: usize,
    scene: &mut Scene<'_>,
) -> Result<usize, Fault> {
    let streams = &mut *scene.streams;
    if streams.screen && !streams.json {
        let screen = render::status(&view::status(&glance.look()), streams.paper);
        streams.redraw(drawn, &screen)?;
        return Ok(screen.trim_end().lines().count());
    }
    let Some(seen) = seen else { return Ok(0) };
    let new = view::with_rules(&glance.lines).skip(seen);
    for (line, rules) in new {
        let says = view::log_line(line, rules);
        if streams.json {
            streams.document_line("changeover.event/v1", Event { says, line })?;
        } else {
            let text = render::log(line.seq, line.at, &line.by.name, &says, streams.paper);
            streams.answer(&text)?;
        }
    }
    Ok(0)
}

/// Says why the watch ends.
fn standing(glance: &Glance, scene: &mut Scene<'_>) -> Result<(), Fault> {
    let look = glance.look();
    let (says, next) = (view::says(&look), view::what_next(&look));
    let faults = view::overdue(&look, &view::embargoes(&look));
    let run = look.life.record.run.is_some();
    let back = run.then(|| view::way_back(look.life, None, &view::measured(look.lines)));
    let streams = &mut *scene.streams;
    if streams.json {
        let mode = glance.life.state.mode();
        return streams.document_line(
            "changeover.standing/v1",
            Standing { mode, says, next, faults, way_back: back },
        );
    }
    if !streams.screen {
        for fault in faults {
            streams.answer(&format!("FAULT: {fault}"))?;
        }
        streams.answer(&says)?;
        if let Some(back) = back {
            streams.answer(&format!("way back: {}", back.says))?;
        }
        let command = next.command.map(|it| format!(": {it}")).unwrap_or_default();
        streams.hint(&format!("next: {}{command}", next.sentence));
    }
    Ok(())
}
