//! How a command goes on, for people, on standard error: live lines on a terminal, else a line a change.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::cli::streams::{Aside, Streams};
use crate::conductor::{NoWatcher, Progress, Watcher};
use crate::machine::{At, Ended};
use crate::model::{Phase, StepId};
use crate::view::render::{Page, Paper, harmless};
use crate::view::words::{Mark, lasting, named, purpose_at, took};

/// A silent job is taken for a dead one by many a CI; seconds.
const HEARTBEAT: i64 = 30;

/// Tells how a command goes on, until it is finished.
pub(super) enum Teller {
    /// Nothing is told.
    Quiet,
    /// A line for each change and a heartbeat.
    Plain(Arc<Plain>, tokio::task::JoinHandle<()>),
    /// A live line for each step.
    Live(Arc<Live>),
}

/// The teller that these streams want.
pub(super) fn teller(streams: &Streams) -> Teller {
    if streams.quiet {
        return Teller::Quiet;
    }
    if streams.live {
        return Teller::Live(Arc::new(Live::new(streams.paper)));
    }
    let plain = Arc::new(Plain::new(streams.aside.clone(), streams.paper.ascii));
    let beating = Arc::clone(&plain);
    let heart = tokio::spawn(async move {
        let mut second = tokio::time::interval(Duration::from_secs(1));
        second.tick().await;
        loop {
            second.tick().await;
            beating.second();
        }
    });
    Teller::Plain(plain, heart)
}

impl Teller {
    /// Who is to be told.
    pub(super) fn watcher(&self) -> Arc<dyn Watcher> {
        match self {
            Self::Quiet => Arc::new(NoWatcher),
            Self::Plain(plain, _) => Arc::clone(plain) as Arc<dyn Watcher>,
            Self::Live(live) => Arc::clone(live) as Arc<dyn Watcher>,
        }
    }

    /// Nothing more is told.
    pub(super) fn finish(self) {
        match self {
            Self::Quiet => (),
            Self::Plain(_, heart) => heart.abort(),
            Self::Live(live) => live.finish(),
        }
    }
}

/// The line that begins a phase.
fn heading(at: At) -> String {
    format!("{}: {}", named(at.phase, at.way), purpose_at(at))
}

/// What ends a step, before what it says: `✔ swap/switch  0.4s  `.
fn ending(at: At, step: &StepId, ended: Ended, ms: u64, ascii: bool) -> String {
    let mark = match ended {
        Ended::Done => Mark::Done,
        Ended::Failed => Mark::Failed,
        Ended::Unknown => Mark::Unknown,
    };
    let name = format!("{}/{step}", at.phase.name());
    format!("{} {name:<22} {:>7}  ", mark.sign(ascii), took(ms))
}

#[derive(Debug)]
struct Going {
    phase: Phase,
    since: i64,
    expected: Option<i64>,
    says: String,
}

#[derive(Debug, Default)]
struct Beats {
    /// Seconds since the command began.
    now: i64,
    /// When a line was written last.
    said: i64,
    going: BTreeMap<StepId, Going>,
}

/// One plain line for each change, and a heartbeat.
#[derive(Debug)]
pub struct Plain {
    aside: Aside,
    ascii: bool,
    beats: Mutex<Beats>,
}

impl Plain {
    /// Tells this.
    pub fn new(aside: Aside, ascii: bool) -> Self {
        Self { aside, ascii, beats: Mutex::default() }
    }

    /// A second has passed.
    pub fn second(&self) {
        let Ok(mut beats) = self.beats.lock() else { return };
        beats.now += 1;
        if beats.going.is_empty() || beats.now - beats.said < HEARTBEAT {
            return;
        }
        beats.said = beats.now;
        for (step, going) in &beats.going {
            let usual = going.expected.map(|it| format!(", usually {}", lasting(it)));
            let says = if going.says.is_empty() { "" } else { ": " };
            self.aside.say(&format!(
                "{} {}/{step} for {}{}{says}{}",
                Mark::Doing.sign(self.ascii),
                going.phase.name(),
                lasting(beats.now - going.since),
                usual.unwrap_or_default(),
                going.says
            ));
        }
    }
}

impl Watcher for Plain {
    fn tell(&self, progress: &Progress) {
        let Ok(mut beats) = self.beats.lock() else { return };
        let line = match progress {
            Progress::Phase { at, .. } => heading(*at),
            Progress::Started { at, step, expected, .. } => {
                let (phase, since, says) = (at.phase, beats.now, String::new());
                let going = Going { phase, since, expected: *expected, says };
                beats.going.insert(step.clone(), going);
                return;
            }
            Progress::Seen { step, says } => {
                if let Some(going) = beats.going.get_mut(step) {
                    going.says.clone_from(says);
                }
                return;
            }
            Progress::Ended { at, step, ended, says, took_ms, .. } => {
                beats.going.remove(step);
                let line = ending(*at, step, *ended, *took_ms, self.ascii) + says;
                line.trim_end().to_owned()
            }
            Progress::Said { says } => says.clone(),
        };
        beats.said = beats.now;
        self.aside.say(&line);
    }
}

/// A live line for each step that is being done.
#[derive(Debug)]
pub(super) struct Live {
    all: MultiProgress,
    paper: Paper,
    going: Mutex<BTreeMap<StepId, ProgressBar>>,
}

impl Live {
    fn new(paper: Paper) -> Self {
        Self { all: MultiProgress::new(), paper, going: Mutex::default() }
    }

    fn bar(&self, at: At, step: &StepId, expected: Option<i64>) -> ProgressBar {
        let bar = self.all.add(ProgressBar::new_spinner());
        let signs = if self.paper.ascii { "|/-\\*" } else { "◐◓◑◒◐" };
        if let Ok(style) =
            ProgressStyle::with_template("{spinner} {prefix:<22} {elapsed:>7}  {wide_msg}")
        {
            bar.set_style(style.tick_chars(signs));
        }
        bar.set_prefix(format!("{}/{step}", at.phase.name()));
        if let Some(expected) = expected {
            bar.set_message(format!("usually {}", lasting(expected)));
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }

    fn say(&self, line: &str) {
        // A terminal that has gone must not end a command that changes the world.
        self.all.println(harmless(line)).unwrap_or_default();
    }

    fn finish(&self) {
        if let Ok(mut going) = self.going.lock() {
            going.values().for_each(ProgressBar::finish_and_clear);
            going.clear();
        }
    }
}

impl Watcher for Live {
    fn tell(&self, progress: &Progress) {
        let Ok(mut going) = self.going.lock() else { return };
        match progress {
            Progress::Phase { at, .. } => self.say(&heading(*at)),
            Progress::Started { at, step, expected, .. } => {
                going.insert(step.clone(), self.bar(*at, step, *expected));
            }
            Progress::Seen { step, says } => {
                if let Some(bar) = going.get(step) {
                    bar.set_message(harmless(&says.replace('\n', " ")));
                }
            }
            Progress::Ended { at, step, ended, says, took_ms, .. } => {
                if let Some(bar) = going.remove(step) {
                    bar.finish_and_clear();
                    self.all.remove(&bar);
                }
                let head = ending(*at, step, *ended, *took_ms, self.paper.ascii);
                let mut page = Page::new(self.paper);
                page.hang(&head, head.chars().count(), says);
                self.say(page.into_text().trim_end());
            }
            Progress::Said { says } => self.say(says),
        }
    }
}
