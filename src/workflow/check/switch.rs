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
        let first = cloudflare.zones.first();
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
