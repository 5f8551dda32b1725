//! `drift --watch`: a line when a difference appears, changes or goes; for monitoring.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::app::Drift;
use crate::cli::drift::{screen, status};
use crate::cli::{INTERRUPTED, Outcome, Scene};
use crate::drift::Difference;
use crate::fault::{E2015, Exit, Fault};
use crate::model::{Evidence, SystemName, Time};
use crate::workflow::Lasting;

/// What is left of the time between two looks for what comes after the reading.
const REST: Duration = Duration::from_millis(500);

/// How something changed since the look before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Turn {
    Appeared,
    Changed,
    Settled,
    Unknown,
    Read,
}

/// One change, for programs.
#[derive(Serialize)]
struct Event<'a> {
    at: Time,
    turn: Turn,
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<&'a Difference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown: Option<&'a Evidence>,
}

/// What was seen at the look before.
#[derive(Default)]
struct Before {
    looks: u64,
    differences: BTreeMap<String, Difference>,
    unknown: BTreeMap<String, Evidence>,
}

pub(super) async fn run(
    system: &SystemName,
    (every, lasting, exit_code): (Duration, Option<Lasting>, bool),
    scene: &mut Scene<'_>,
) -> Outcome {
    let mut last = Exit::Done.status();
    let following = follow(system, every, exit_code, &mut last, scene);
    let bounded = async {
        match lasting {
            Some(lasting) => tokio::time::timeout(lasting.0, following).await.ok(),
            None => Some(following.await),
        }
    };
    let ended = tokio::select! {
        ended = bounded => ended,
        pressed = tokio::signal::ctrl_c() => Some(match pressed {
            Ok(()) => Ok(INTERRUPTED),
            Err(error) => Err(Fault::new(&E2015, "the interrupt cannot be heard").because(error)),
        }),
    };
    ended.unwrap_or(Ok(last))
}

async fn follow(
    system: &SystemName,
    every: Duration,
    exit_code: bool,
    last: &mut u8,
    scene: &mut Scene<'_>,
) -> Outcome {
    let mut before = Before::default();
    // From the beginning of one look to the beginning of the next: what appears is named within two.
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let looked = scene.desk.drift(system, Some(every.saturating_sub(REST))).await?;
        *last = status(&looked, exit_code);
        before.tell(&looked, scene)?;
        if scene.streams.gone {
            return Ok(*last);
        }
    }
}

impl Before {
    /// Tells what is new, and remembers this look.
    fn tell(&mut self, looked: &Drift, scene: &mut Scene<'_>) -> Result<(), Fault> {
        let (report, at) = (&looked.report, looked.glance.now);
        let mut differences: BTreeMap<String, Difference> =
            report.differences.iter().map(|it| (key(it), it.clone())).collect();
        let unknown: BTreeMap<String, Evidence> =
            report.unknown.iter().map(|it| (it.source.clone(), it.clone())).collect();
        for it in &report.differences {
            let turn = match self.differences.get(&key(it)) {
                None => Turn::Appeared,
                Some(old) if old.observed != it.observed => Turn::Changed,
                Some(_) => continue,
            };
            say(scene, at, turn, Some(it), None)?;
        }
        for (key, it) in &self.differences {
            if differences.contains_key(key) {
                continue;
            }
            if unknown.is_empty() {
                say(scene, at, Turn::Settled, Some(it), None)?;
            } else {
                // Not seen any more is not the same as settled while something cannot be read.
                differences.insert(key.clone(), it.clone());
            }
        }
        for (_, it) in unknown.iter().filter(|(key, _)| !self.unknown.contains_key(*key)) {
            say(scene, at, Turn::Unknown, None, Some(it))?;
        }
        for (_, it) in self.unknown.iter().filter(|(key, _)| !unknown.contains_key(*key)) {
            say(scene, at, Turn::Read, None, Some(it))?;
        }
        let quiet = differences.is_empty() && unknown.is_empty();
        let turned = !self.differences.is_empty() || !self.unknown.is_empty() || self.looks == 0;
        if quiet && turned && !scene.streams.json {
            scene.streams.answer(&format!("{}  {}", at.screen(), screen::summary(looked)))?;
        }
        *self = Self { looks: self.looks + 1, differences, unknown };
        Ok(())
    }
}

fn key(it: &Difference) -> String {
    format!("{} {:?} {}", it.name.slug(), it.site, it.subject)
}

fn say(
    scene: &mut Scene<'_>,
    at: Time,
    turn: Turn,
    difference: Option<&Difference>,
    unknown: Option<&Evidence>,
) -> Result<(), Fault> {
    if scene.streams.json {
        let event = Event { at, turn, difference, unknown };
        return scene.streams.document_line("changeover.drift-event/v1", event);
    }
    let word = match turn {
        Turn::Appeared => "DRIFT  ",
        Turn::Changed => "CHANGED",
        Turn::Settled => "SETTLED",
        Turn::Unknown => "UNKNOWN",
        Turn::Read => "READ   ",
    };
    let says = match (turn, difference, unknown) {
        (Turn::Settled, Some(it), _) => format!("{}: {}", it.name.title(), it.subject),
        (Turn::Read, _, Some(it)) => format!("{} can be read again", it.source),
        (_, Some(it), _) => {
            let run = it.command.as_ref().map_or_else(String::new, |it| format!(" | run: {it}"));
            let name = it.name.title();
            format!("{name}: {}: {} | settle: {}{run}", it.subject, it.observed, it.settle)
        }
        (_, None, Some(it)) => format!("{}: {}", it.source, it.says),
        (_, None, None) => String::new(),
    };
    scene.streams.answer(&format!("{}  {word}  {says}", at.screen()))
}
