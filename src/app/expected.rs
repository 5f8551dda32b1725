//! How long steps usually take: the median of their durations in the journal.

use std::collections::BTreeMap;

use crate::machine::{Body, Ended, Input, Rules, State, Steps};
use crate::model::{Phase, StepId, Time};
use crate::port::Line;

/// The median duration of each step that ended done, seconds.
pub(super) fn durations(lines: &[Line]) -> BTreeMap<StepId, i64> {
    let mut names: BTreeMap<Phase, Vec<StepId>> = BTreeMap::new();
    let mut begun: BTreeMap<(Phase, u8), Time> = BTreeMap::new();
    let mut took: BTreeMap<StepId, Vec<i64>> = BTreeMap::new();
    for line in lines {
        let Body::Decided { input, from, to, .. } = &line.body else { continue };
        if let Input::Start(begin) = input {
            names = named(&begin.rules);
            begun.clear();
        } else if let Input::Amend { rules, .. } = input {
            names = named(rules);
        }
        if let (Input::Step { step, ended }, State::Doing { at, .. }) = (input, from)
            && let (Some(began), Some(id)) = (
                begun.remove(&(at.phase, *step)),
                names.get(&at.phase).and_then(|it| it.get(usize::from(*step))),
            )
            && *ended == Ended::Done
        {
            took.entry(id.clone()).or_default().push(line.at.seconds_since(began));
        }
        if let State::Doing { at, left, .. } = to {
            let goes_on = matches!(from, State::Doing { at: before, .. } if before == at);
            for step in bits(*left).filter(|_| !goes_on) {
                begun.insert((at.phase, step), line.at);
            }
        }
    }
    took.into_iter()
        .filter_map(|(id, mut all)| {
            all.sort_unstable();
            Some((id, *all.get(all.len() / 2)?))
        })
        .collect()
}

fn named(rules: &Rules) -> BTreeMap<Phase, Vec<StepId>> {
    rules.phases.iter().map(|it| (it.phase, it.steps.clone())).collect()
}

fn bits(steps: Steps) -> impl Iterator<Item = u8> {
    (0..64).filter(move |bit| steps >> bit & 1 == 1)
}
