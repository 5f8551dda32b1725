//! Gates: there is one where people decide, it exists, and enough people can open it.

use std::collections::{BTreeMap, BTreeSet};

use crate::fault;
use crate::model::Phase;
use crate::workflow::draft::{Draft, path_of};
use crate::workflow::path::Path;
use crate::workflow::people::Gate;
use crate::workflow::report::Report;
use crate::workflow::step::Step;
use crate::workflow::suggest;
use crate::workflow::types::Workflow;

pub(super) fn check(draft: &Draft<'_>, report: &mut Report) {
    used(draft, report);
    for (name, gate) in &draft.workflow.gates {
        declared(draft.workflow, &Path::of("gates").key(name), name, gate, report);
    }
}

fn used(draft: &Draft<'_>, report: &mut Report) {
    let last = draft.phase(Phase::Validate).last().map(|it| it.path.clone());
    let mut asked = false;
    for placed in &draft.steps {
        let Some(name) = &placed.step.gate else { continue };
        let place = placed.path.key("gate");
        if !draft.workflow.gates.contains_key(name) {
            let hint = suggest::hint(name, draft.workflow.gates.keys());
            report.value(
                &place,
                &fault::E1016,
                format!("there is no gate `{name}` in `gates`"),
                hint,
            );
        }
        if placed.phase != Phase::Validate {
            let message = format!("a gate does not belong in `{}`", placed.phase.name());
            report.key(&place, &fault::E1024, message, "people are asked at the end of `validate`");
        } else if Some(&placed.path) != last.as_ref() {
            let message = "steps follow the gate: people would approve before these were seen";
            report.key(&place, &fault::E1024, message, "make the gate the last step of `validate`");
        }
        asked |= placed.phase == Phase::Validate;
    }
    // A step without its verb was reported, and may be the gate.
    let named = |it: &Step| it.is_check() || it.is_gate() || it.action.is_some();
    let mut steps = draft.phase(Phase::Validate).peekable();
    if !asked && steps.peek().is_some() && steps.all(|it| named(it.step)) {
        let message = "nobody is asked before users are moved";
        let hint = "end `validate` with `{ id: approve, gate: NAME }`";
        report.key(&path_of(Phase::Validate), &fault::E1024, message, hint);
    }
}

fn declared(workflow: &Workflow, place: &Path, name: &str, gate: &Gate, report: &mut Report) {
    let place = place.key("approvers");
    let mut known = true;
    for group in gate.approvers.keys().filter(|it| !workflow.people.contains_key(*it)) {
        known = false;
        let hint = suggest::hint(group, workflow.people.keys());
        report.key(
            &place.key(group),
            &fault::E1016,
            format!("there is no group `{group}` in `people`"),
            hint,
        );
    }
    if gate.approvers.values().all(|it| *it == 0) {
        let message = format!("gate `{name}` asks nobody");
        report.key(&place, &fault::E1024, message, "name a group and how many of it must agree");
    } else if known && !enough(&gate.approvers, &workflow.people) {
        let message = format!(
            "gate `{name}` can never open: one person counts once, and the groups have too few"
        );
        report.key(&place, &fault::E1024, message, "ask for fewer, or name more people");
    }
}

/// Whether each wanted approval can come from another person.
fn enough(wanted: &BTreeMap<String, u8>, people: &BTreeMap<String, Vec<String>>) -> bool {
    let seats = wanted.iter().flat_map(|(group, count)| (0..*count).map(move |_| group));
    let mut given: BTreeMap<&str, usize> = BTreeMap::new();
    let seats: Vec<&[String]> = seats.map(|it| people.get(it).map_or(&[][..], |it| it)).collect();
    (0..seats.len()).all(|seat| place(seat, &seats, &mut given, &mut BTreeSet::new()))
}

/// Finds somebody for this seat, moving others to another seat where needed.
fn place<'a>(
    seat: usize,
    seats: &[&'a [String]],
    given: &mut BTreeMap<&'a str, usize>,
    tried: &mut BTreeSet<&'a str>,
) -> bool {
    for person in seats[seat] {
        if !tried.insert(person) {
            continue;
        }
        let free = given.get(person.as_str()).copied();
        if free.is_none_or(|other| place(other, seats, given, tried)) {
            given.insert(person, seat);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_fills_one_seat() {
        let people = |groups: &[(&str, &[&str])]| -> BTreeMap<String, Vec<String>> {
            let own = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect();
            groups.iter().map(|(group, names)| ((*group).to_owned(), own(names))).collect()
        };
        let wanted: BTreeMap<String, u8> = [("a".to_owned(), 1), ("b".to_owned(), 1)].into();
        assert!(enough(&wanted, &people(&[("a", &["x", "y"]), ("b", &["x"])])));
        assert!(!enough(&wanted, &people(&[("a", &["x"]), ("b", &["x"])])));
        assert!(!enough(&wanted, &people(&[("a", &["x"]), ("b", &[])])));
    }
}
