//! Who has agreed, and whether that is enough: the guards of the gate before the swap.

use crate::machine::record::Record;
use crate::machine::rules::{GateRule, Rules};

/// Whether enough people agree once this approval, if one is given, stands too.
///
/// One person counts once: somebody who is in two groups fills a place in one of them, whichever
/// helps. So the places of all groups must be filled by different people.
pub(super) fn enough(rules: &Rules, record: &Record, more: Option<(&str, &[String])>) -> bool {
    let Some(gate) = &rules.gate else { return true };
    let mut people: Vec<(&str, &[String])> =
        record.approvals.iter().map(|it| (it.by.as_str(), it.groups.as_slice())).collect();
    if let Some(new) = more.filter(|new| people.iter().all(|it| it.0 != new.0)) {
        people.push(new);
    }
    let places: Vec<&str> = gate
        .approvers
        .iter()
        .flat_map(|(group, count)| std::iter::repeat_n(group.as_str(), usize::from(*count)))
        .collect();
    // A gate that names nobody is a mistake of the workflow and lets nobody through.
    let mut taken = vec![None; people.len()];
    !places.is_empty() && (0..places.len()).all(|place| seat(place, &places, &people, &mut taken))
}

/// Finds a person for this place, moving others to other places where that helps.
fn seat(
    place: usize,
    places: &[&str],
    people: &[(&str, &[String])],
    taken: &mut [Option<usize>],
) -> bool {
    let mut asked = vec![false; people.len()];
    seat_asking(place, places, people, taken, &mut asked)
}

fn seat_asking(
    place: usize,
    places: &[&str],
    people: &[(&str, &[String])],
    taken: &mut [Option<usize>],
    asked: &mut [bool],
) -> bool {
    for (person, (_, groups)) in people.iter().enumerate() {
        if asked[person] || !groups.iter().any(|it| it == places[place]) {
            continue;
        }
        asked[person] = true;
        let free = match taken[person] {
            None => true,
            Some(other) => seat_asking(other, places, people, taken, asked),
        };
        if free {
            taken[person] = Some(place);
            return true;
        }
    }
    false
}

/// Whether the swap may begin: enough people agreed to what is shown now.
pub fn approved(rules: &Rules, record: &Record) -> bool {
    rules.gate.is_none() || record.packet.is_some() && enough(rules, record, None)
}

/// Whether this person's word counts at this gate at all.
pub(super) fn may_approve(rules: &Rules, record: &Record, by: &str, groups: &[String]) -> bool {
    let requester = record.run.as_ref().is_some_and(|run| run.requester == by);
    let named = |gate: &GateRule| groups.iter().any(|it| gate.approvers.contains_key(it));
    rules.gate.as_ref().is_some_and(|gate| (gate.requester_may || !requester) && named(gate))
}
