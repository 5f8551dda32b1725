//! One step: exactly one of check, action, gate; a known kind; its parameters; what it may carry.

use serde_json::{Map, Value};

use crate::fault;
use crate::model::Role;
use crate::workflow::path::Path;
use crate::workflow::report::Report;
use crate::workflow::schema;
use crate::workflow::shape::{self, Piece};
use crate::workflow::step::{Expect, Params, Step};
use crate::workflow::suggest;

/// Reads the step's parameters.
pub(super) fn read(
    report: &mut Report,
    path: &Path,
    step: &Step,
    repaired: &mut Vec<Path>,
) -> Option<Params> {
    let verbs = [("check", &step.check), ("action", &step.action), ("gate", &step.gate)];
    let given: Vec<&str> = verbs.iter().filter(|it| it.1.is_some()).map(|it| it.0).collect();
    if given.len() != 1 {
        let message = match given[..] {
            [] => format!("step `{}` is neither a check, an action nor a gate", step.id),
            _ => format!("step `{}` is {} at once", step.id, given.join(" and ")),
        };
        report.key(path, &fault::E1012, message, "give exactly one of `check`, `action`, `gate`");
        return None;
    }
    if step.is_gate() {
        gate(report, path, step);
        return None;
    }
    kind(report, path, step)?;
    carried(report, path, step);
    let params = parameters(report, path, step, repaired)?;
    side(report, path, step, &params);
    Some(params)
}

/// Whether the kind exists and is what the step calls it.
fn kind(report: &mut Report, path: &Path, step: &Step) -> Option<()> {
    let verb = if step.is_check() { "check" } else { "action" };
    let here = path.key(verb);
    let kind = step.kind();
    match Params::KINDS.iter().find(|(_, name)| *name == kind) {
        Some((is_check, _)) if *is_check == step.is_check() => return Some(()),
        Some((is_check, _)) => {
            let real = if *is_check { "check" } else { "action" };
            let message = format!("`{kind}` is no {verb}");
            report.key(&here, &fault::E1012, message, format!("write `{real}: {kind}`"));
        }
        None => {
            let own = Params::KINDS.iter().filter(|it| it.0 == step.is_check()).map(|it| it.1);
            let hint = suggest::hint(kind, own.collect::<Vec<_>>());
            report.value(&here, &fault::E1011, format!("there is no {verb} `{kind}`"), hint);
        }
    }
    None
}

fn parameters(
    report: &mut Report,
    path: &Path,
    step: &Step,
    repaired: &mut Vec<Path>,
) -> Option<Params> {
    let kind = step.kind();
    let with = if step.with.is_null() { Value::Object(Map::new()) } else { step.with.clone() };
    let (schemas, definitions) = schema::parameters();
    let schema = schemas.get(kind).unwrap_or(&Value::Null);
    let mut piece = Piece { value: with, schema, definitions, base: path.key("with") };
    shape::read(&mut piece, report, repaired, &|value| Params::read(kind, value))
}

/// What a gate may not carry.
fn gate(report: &mut Report, path: &Path, step: &Step) {
    let set = [
        ("on", step.on.is_some()),
        ("with", !step.with.is_null()),
        ("wait", step.wait.is_some()),
        ("timeout", step.timeout.is_some()),
        ("retry", step.retry.is_some()),
        ("failover", step.failover.is_some()),
        ("expect", step.expect != Expect::Pass),
        ("skippable", step.skippable),
        ("together", step.together.is_some()),
    ];
    for (key, _) in set.into_iter().filter(|it| it.1) {
        let message = format!("`{key}` means nothing on a gate");
        report.key(
            &path.key(key),
            &fault::E1027,
            message,
            "remove it; who and how long stand in `gates`",
        );
    }
}

/// What only a check, or only an action, may carry.
fn carried(report: &mut Report, path: &Path, step: &Step) {
    let set = [
        ("wait", step.wait.is_some(), true),
        ("expect", step.expect != Expect::Pass, true),
        ("retry", step.retry.is_some(), false),
    ];
    for (key, set, of_checks) in set {
        if set && of_checks != step.is_check() {
            let (own, other) =
                if of_checks { ("checks", "an action") } else { ("actions", "a check") };
            let message = format!("`{key}` belongs to {own}, this is {other}");
            report.key(&path.key(key), &fault::E1027, message, "remove it");
        }
    }
    if step.retry == Some(0) {
        let hint = "`retry` counts all attempts: 1 is one attempt";
        report.value(&path.key("retry"), &fault::E1027, "an action is tried at least once", hint);
    }
}

/// Whether the step says whose site it uses, where it must.
fn side(report: &mut Report, path: &Path, step: &Step, params: &Params) {
    match step.on {
        Some(Role::Quarantined) => {
            let message = "`on` is `production` or `standby`; a quarantined site is the standby of its rejoin";
            report.value(&path.key("on"), &fault::E1013, message, "write `on: standby`");
        }
        Some(Role::Production | Role::Standby) => (),
        None if needs_side(params) => {
            let message = format!("step `{}` does not say on which role's site", step.id);
            report.key(path, &fault::E1013, message, "add `on: standby` or `on: production`");
        }
        None => (),
    }
}

/// Kinds that use one site's account or host.
const fn needs_side(params: &Params) -> bool {
    match params {
        Params::AwsRds(_)
        | Params::DatabaseRows(_)
        | Params::HostImage(_)
        | Params::DatabaseTarget(_)
        | Params::GitlabVariables(_)
        | Params::GitlabPlay(_)
        | Params::EmbargoOn(_)
        | Params::EmbargoOff(_)
        | Params::JobOff(_)
        | Params::JobOn(_)
        | Params::AwsRdsSnapshot(_)
        | Params::HostRun(_)
        | Params::TlsGroup(_)
        | Params::AwsEip(_) => true,
        Params::AwsIdentity(_)
        | Params::SwitchWhole(_)
        | Params::SwitchConfirm(_)
        | Params::Traffic(_)
        | Params::Drained(_)
        | Params::DnsTtl(_)
        | Params::DnsDelegated(_)
        | Params::Tls(_)
        | Params::GitlabTag(_)
        | Params::GitlabPipeline(_)
        | Params::GitlabIdle(_)
        | Params::HostFile(_)
        | Params::Closed(_)
        | Params::JobsOff(_)
        | Params::Http(_)
        | Params::BackupWhole(_)
        | Params::DatabaseEqual(_)
        | Params::DnsRecords(_)
        | Params::DnsProxied(_)
        | Params::DnsAged(_)
        | Params::DnsDnssec(_)
        | Params::CloudflareToken(_)
        | Params::SiteMarker(_)
        | Params::SiteWarm(_)
        | Params::SiteNames(_)
        | Params::AwsRdsPending(_)
        | Params::AwsRdsWindows(_)
        | Params::AwsDaily(_)
        | Params::AwsQuota(_)
        | Params::JobsPlaced(_)
        | Params::GitlabSigned(_)
        | Params::GitlabRunner(_)
        | Params::GitlabRights(_)
        | Params::HostDisk(_)
        | Params::HostMounted(_)
        | Params::EmbargoHolds(_)
        | Params::Announce(_)
        | Params::BackupCopy(_)
        | Params::Move(_)
        | Params::StatusRender(_) => false,
    }
}
