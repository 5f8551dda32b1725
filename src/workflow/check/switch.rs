//! The switch: names inside declared zones, users' names in the first one, the lever where users are moved.

use crate::fault;
use crate::model::{Phase, RecordId};
use crate::workflow::check::names::all_records;
use crate::workflow::draft::{Draft, path_of};
use crate::workflow::path::Path;
use crate::workflow::report::Report;
use crate::workflow::step::Params;
use crate::workflow::suggest;
use crate::workflow::types::Workflow;

pub(super) fn check(draft: &Draft<'_>, report: &mut Report) {
    let workflow = draft.workflow;
    let cloudflare = workflow.cloudflare();
    for (list, empty) in
        [("zones", cloudflare.zones.is_empty()), ("records", cloudflare.records.is_empty())]
    {
        if empty {
            let place = Path::of("switch.cloudflare").key(list);
            report.key(
                &place,
                &fault::E1021,
                format!("the switch has no {list}"),
                "name at least one",
            );
        }
    }
    for (place, record) in all_records(workflow) {
        for (key, name) in [("production", &record.production), ("standby", &record.standby)] {
            name_fits(workflow, &place.key(key), name, report);
        }
    }
}

/// Users' names lie in the first zone, or the file says why not.
pub(super) fn elsewhere(draft: &Draft<'_>, report: &mut Report) {
    let workflow = draft.workflow;
    for (place, record) in all_records(workflow) {
        let first = workflow.cloudflare().zones.first();
        let zone = workflow.zone_of(&record.production);
        if zone.is_some()
            && zone != first
            && record.elsewhere.as_ref().is_none_or(|it| it.trim().is_empty())
        {
            let name = first.map_or("the first zone", |it| it.name.as_str());
            let message =
                format!("the production name of `{}` lies outside `{name}`", id(&record.id));
            let hint = "say why with `elsewhere: \"reason\"`, or correct the name";
            report.value(&place.key("production"), &fault::E1021, message, hint);
        }
    }
}

/// Half a group on the other site is worse than none: who lists what moves lists all of it.
pub(super) fn group(draft: &Draft<'_>, report: &mut Report) {
    let all: Vec<&str> = draft.workflow.cloudflare().records.iter().map(|it| id(&it.id)).collect();
    for placed in draft.phase(Phase::Swap) {
        let Some(Params::Move(it)) = &placed.params else { continue };
        let place = placed.path.key("with").key("records");
        let left: Vec<String> = all
            .iter()
            .filter(|id| !it.records.iter().any(|own| own == *id))
            .map(|id| format!("`{id}`"))
            .collect();
        if !it.records.is_empty() && !left.is_empty() {
            let message = format!(
                "the swap moves a part of the group: {} would stay behind",
                left.join(", ")
            );
            report.value(
                &place,
                &fault::E1026,
                message,
                "list every record, or leave `records` out",
            );
        }
        for own in it.records.iter().filter(|own| !all.contains(&own.as_str())) {
            let message = format!("there is no record `{own}` in the switch");
            report.value(&place, &fault::E1026, message, suggest::hint(own, all.iter().copied()));
        }
    }
}

fn id(id: &RecordId) -> &str {
    id.as_str()
}

fn name_fits(workflow: &Workflow, place: &Path, name: &str, report: &mut Report) {
    if !is_host(name) {
        let message = format!("`{name}` is not a host name in small letters");
        report.value(
            place,
            &fault::E1021,
            message,
            "letters, digits, hyphens and dots, without a dot at the end",
        );
    } else if workflow.zone_of(name).is_none() {
        let zones = workflow.cloudflare().zones.iter().map(|it| it.name.as_str());
        let message = format!("`{name}` lies in no declared zone");
        report.value(place, &fault::E1021, message, suggest::hint(name, zones.collect::<Vec<_>>()));
    }
}

fn is_host(name: &str) -> bool {
    let label = |it: &str| {
        let letters =
            |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-' || it == '_';
        !it.is_empty()
            && it.len() <= 63
            && it.chars().all(letters)
            && !it.starts_with('-')
            && !it.ends_with('-')
    };
    name.len() <= 253 && name.contains('.') && name.split('.').all(label)
}

/// `swap` moves users once, and then asks every authoritative server.
pub(super) fn lever(draft: &Draft<'_>, report: &mut Report) {
    let mut moves =
        draft.phase(Phase::Swap).filter(|it| matches!(it.params, Some(Params::Move(_))));
    let confirms = |it: &Params| matches!(it, Params::SwitchConfirm(_));
    let last = draft.phase(Phase::Swap).last();
    let place = path_of(Phase::Swap);
    let Some(first) = moves.next() else {
        if draft.phase(Phase::Swap).next().is_some() {
            report.key(
                &place,
                &fault::E1026,
                "`swap` does not move users",
                "add `{ id: switch, action: switch }`",
            );
        }
        return;
    };
    if let Some(second) = moves.next() {
        let message = "`swap` moves users twice";
        report.key(&second.path, &fault::E1026, message, "one `switch` moves all records");
    }
    if first.step.together.is_some() {
        let message = "the switch moves alone";
        report.key(&first.path.key("together"), &fault::E1026, message, "remove `together`");
    }
    if !last.and_then(|it| it.params.as_ref()).is_some_and(confirms) {
        let message = "`swap` does not end with the answer of every authoritative server";
        let hint = "end it with `{ id: confirm, check: switch.confirm }`";
        report.key(&place, &fault::E1026, message, hint);
    }
}
