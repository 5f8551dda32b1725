//! How long a failover took, split into its parts: told by the times of the journal's lines alone.

use serde::Serialize;

use crate::machine::{Body, Consent, Ended, Fact, Input, Line, State};
use crate::model::{Phase, Time};
use crate::view::words::took;

/// The parts of a failover, milliseconds; a part that has not ended or that nobody told is absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rto {
    /// The run.
    pub run: u32,
    /// From production being down, as a person said, to the plan being shown.
    pub detect: Option<u64>,
    /// From the plan being shown to the command being given.
    pub decide: Option<u64>,
    /// From the command to the consent being durable: the witnesses are asked again.
    pub approve: Option<u64>,
    /// From the consent to the last batch being seen to have landed.
    pub execute: Option<u64>,
    /// From there to every authoritative server answering so.
    pub propagate: Option<u64>,
    /// From there to production's names having been checked.
    pub verify: Option<u64>,
    /// From the first time that is known to the last one.
    pub whole: Option<u64>,
    /// What was aimed at, seconds.
    pub target: Option<i64>,
    /// The last line that this counts.
    pub line: u64,
}

impl Rto {
    /// The parts with their names, in order.
    pub const fn parts(&self) -> [(&'static str, Option<u64>); 6] {
        [
            ("detect", self.detect),
            ("decide", self.decide),
            ("approve", self.approve),
            ("execute", self.execute),
            ("propagate", self.propagate),
            ("verify", self.verify),
        ]
    }

    /// One sentence: the whole against the target, then each part.
    pub fn says(&self) -> String {
        let known = |ms: Option<u64>| ms.map_or_else(|| "?".to_owned(), took);
        let target = self.target.map_or_else(String::new, |seconds| {
            let ms = u64::try_from(seconds).unwrap_or(0).saturating_mul(1000);
            let met = match self.whole {
                Some(whole) if whole <= ms => "met",
                Some(_) => "missed",
                None => "open",
            };
            format!(" of {} aimed at ({met})", took(ms))
        });
        let parts: Vec<String> =
            self.parts().into_iter().map(|(name, ms)| format!("{name} {}", known(ms))).collect();
        format!("{}{target}: {}", known(self.whole), parts.join(", "))
    }
}

/// The times of the last failover, or of the one that this run is.
pub fn rto(lines: &[Line], run: Option<u32>, target: Option<i64>) -> Option<Rto> {
    let (begun, consent) = lines.iter().enumerate().rev().find_map(|(at, line)| {
        let wanted = run.is_none() || line.run == run;
        consented(line).filter(|_| wanted).map(|consent| (at, consent))
    })?;
    let start = lines.get(begun)?;
    let (mut landed, mut settled, mut checked) = (None, None, None);
    let (mut lever, mut last) = (None, start.seq);
    for line in lines.iter().skip(begun + 1).take_while(|line| line.run == start.run) {
        let seen = |place: &mut Option<Time>, last: &mut u64| {
            if place.is_none() {
                (*place, *last) = (Some(line.at), line.seq);
            }
        };
        if let Body::Intent(intent) = &line.body
            && intent.action == "switch"
        {
            lever = Some(intent.step);
        }
        if let Body::Decided { input, from, to, facts, .. } = &line.body {
            let swap = from.at().is_some_and(|at| at.phase == Phase::Swap);
            let done =
                matches!(input, Input::Step { step, ended: Ended::Done } if Some(*step) == lever);
            if swap && done {
                seen(&mut landed, &mut last);
            }
            if facts.iter().any(|it| matches!(it, Fact::RolesSettled { .. })) {
                seen(&mut settled, &mut last);
            }
            if settled.is_some() && matches!(to, State::Ready { at } if at.phase == Phase::Soak) {
                seen(&mut checked, &mut last);
            }
        }
    }
    let first = consent.down.or(consent.shown).unwrap_or(consent.asked);
    Some(Rto {
        run: start.run.unwrap_or_default(),
        detect: between(consent.down, Some(consent.shown.unwrap_or(consent.asked))),
        decide: between(consent.shown, Some(consent.asked)),
        approve: between(Some(consent.asked), Some(start.at)),
        execute: between(Some(start.at), landed),
        propagate: between(landed, settled),
        verify: between(settled, checked),
        whole: between(Some(first), checked),
        target,
        line: last,
    })
}

fn consented(line: &Line) -> Option<&Consent> {
    let Body::Decided { facts, .. } = &line.body else { return None };
    facts.iter().find_map(|fact| {
        if let Fact::Consented { consent } = fact { Some(&**consent) } else { None }
    })
}

/// Milliseconds from one to the other.
fn between(from: Option<Time>, to: Option<Time>) -> Option<u64> {
    Some(u64::try_from((to?.0 - from?.0) / 1000).unwrap_or(0))
}
