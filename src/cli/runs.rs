//! Lists and pictures of runs, for `release` and `run`.

use serde::Serialize;

use crate::app::Glance;
use crate::cli::{Outcome, Scene, done};
use crate::fault::{E2012, Fault};
use crate::machine::{Body, Input};
use crate::model::Kind;
use crate::port::Line;
use crate::view::{self, Story, render};

#[derive(Serialize)]
struct Runs {
    runs: Vec<Story>,
}

fn glance(scene: &Scene<'_>) -> Result<Glance, Fault> {
    scene.desk.glance(&scene.desk.pick(None)?)
}

/// All runs, or those of one kind.
pub(super) fn list(kind: Option<Kind>, scene: &mut Scene<'_>) -> Outcome {
    let glance = glance(scene)?;
    let mut runs = view::stories(&glance.lines);
    runs.retain(|story| kind.is_none_or(|kind| story.kind == kind));
    if scene.streams.json {
        scene.streams.document("changeover.runs/v1", Runs { runs })?;
    } else {
        let text = render::runs(&runs, glance.now, scene.streams.paper);
        scene.streams.answer(&text)?;
    }
    done()
}

/// One run against time.
pub(super) fn show(number: Option<u32>, kind: Option<Kind>, scene: &mut Scene<'_>) -> Outcome {
    let glance = glance(scene)?;
    let last = view::stories(&glance.lines);
    let last = last.iter().rev().find(|story| kind.is_none_or(|kind| story.kind == kind));
    let number = number.or_else(|| last.map(|story| story.number)).ok_or_else(|| none(None))?;
    let timeline = view::run(&glance.look(), Some(number)).ok_or_else(|| none(Some(number)))?;
    if scene.streams.json {
        scene.streams.document("changeover.run/v1", timeline)?;
    } else {
        let text = render::timeline(&timeline, glance.now, scene.streams.paper);
        scene.streams.answer(&text)?;
    }
    done()
}

fn none(number: Option<u32>) -> Fault {
    let says =
        number.map_or_else(|| "there is no run".to_owned(), |it| format!("there is no run {it}"));
    Fault::new(&E2012, says).hint("changeover run list")
}

/// The journal's lines of one run.
pub(super) fn logs(number: Option<u32>, step: Option<&str>, scene: &mut Scene<'_>) -> Outcome {
    let glance = glance(scene)?;
    let last = view::stories(&glance.lines).last().map(|story| story.number);
    let number = number.or(last).ok_or_else(|| none(None))?;
    let mut found = false;
    for (line, rules) in view::with_rules(&glance.lines).filter(|it| it.0.run == Some(number)) {
        found = true;
        if step.is_some_and(|step| !concerns(line, rules, step)) {
            continue;
        }
        if scene.streams.json {
            scene.streams.document_line("changeover.line/v1", line)?;
            continue;
        }
        let says = view::log_line(line, rules);
        let paper = scene.streams.paper;
        scene.streams.answer(&render::log(line.seq, line.at, &line.by.name, &says, paper))?;
        if let Body::Decided { evidence, .. } = &line.body {
            for it in evidence {
                scene.streams.answer(&format!("         {}: {}", it.source, it.says))?;
            }
        }
    }
    if found { done() } else { Err(none(Some(number))) }
}

/// Whether a line is about this step.
fn concerns(line: &Line, rules: Option<&crate::machine::Rules>, id: &str) -> bool {
    match &line.body {
        Body::Decided {
            input: Input::Step { step, .. } | Input::Resolve { step, .. },
            from,
            ..
        } => {
            let at = from.at();
            at.and_then(|at| rules?.step(at.phase, *step)).is_some_and(|it| it.as_str() == id)
        }
        Body::Intent(intent) => intent.id.as_str() == id,
        Body::Decided { .. } | Body::Refused { .. } | Body::Note { .. } => false,
    }
}
