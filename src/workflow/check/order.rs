//! Data is replaced only after what will replace it was proven, and where it is meant.

use crate::fault;
use crate::model::Phase;
use crate::workflow::draft::{Draft, Placed, path_of};
use crate::workflow::report::Report;
use crate::workflow::step::Params;
use crate::workflow::types::PhaseSpec;

pub(super) fn check(draft: &Draft<'_>, report: &mut Report) {
    for (at, placed) in draft.steps.iter().enumerate() {
        if matches!(&placed.params, Some(Params::HostRun(it)) if it.destructive) {
            load(&draft.steps[..at], placed, report);
            stamped(placed, report);
            declared(draft, placed, report);
            compared(&draft.steps[at + 1..], placed, report);
        }
    }
    for phase in [Phase::SyncOff, Phase::Embargo, Phase::Backup] {
        let skipped = matches!(draft.workflow.phase(phase), Some(PhaseSpec::Skip(_)));
        let loads = draft.phase(Phase::Reset).next().is_some();
        if skipped && loads {
            let message = format!("`reset` replaces data, so `{}` cannot be skipped", phase.name());
            let place = path_of(phase);
            report.key(&place, &fault::E1032, message, "write its steps, or skip `reset` too");
        }
    }
}

/// Scripts take any text for a date: the run's stamp goes to them as an argument of its own, and nothing else.
fn stamped(placed: &Placed<'_>, report: &mut Report) {
    let argv = placed.step.with.get("argv").and_then(serde_json::Value::as_array);
    let given = argv.into_iter().flatten().skip(1).filter_map(serde_json::Value::as_str);
    let is_stamp = |it: &str| {
        let inner = it.trim().strip_prefix("{{").and_then(|it| it.strip_suffix("}}"));
        inner.is_some_and(|it| it.trim() == "run.stamp")
    };
    if !given.into_iter().any(is_stamp) {
        let message = format!("`{}` is not told which backup to load", placed.step.id);
        let hint = "give it `\"{{ run.stamp }}\"` as an argument: `latest` and free text load something else";
        report.value(&placed.path.key("with").key("argv"), &fault::E1032, message, hint);
    }
}

/// Without these nothing can be proven just before a load.
fn declared(draft: &Draft<'_>, placed: &Placed<'_>, report: &mut Report) {
    let workflow = draft.workflow;
    for (key, there) in
        [("database", workflow.database.is_some()), ("backup", workflow.backup.is_some())]
    {
        if !there {
            let message = format!(
                "`{}` replaces data, and the file has no `{key}` to prove it by",
                placed.step.id
            );
            report.key(&placed.path, &fault::E1032, message, format!("add the section `{key}`"));
        }
    }
}

/// What was loaded is compared afterwards.
fn compared(after: &[Placed<'_>], placed: &Placed<'_>, report: &mut Report) {
    let compares = |it: &&Placed<'_>| {
        it.phase == placed.phase && matches!(it.params, Some(Params::DatabaseEqual(_)))
    };
    if after.iter().find(compares).is_none() {
        let message =
            format!("`{}` replaces data, and nobody compares it afterwards", placed.step.id);
        let hint = "put a `database.equal` check after it, in the same phase";
        report.key(&placed.path, &fault::E1032, message, hint);
    }
}

/// A destructive load, and the steps before it.
fn load(before: &[Placed<'_>], placed: &Placed<'_>, report: &mut Report) {
    let source = if placed.phase == Phase::Renew { Phase::Renew } else { Phase::Backup };
    let seen = |phase: Phase, wanted: fn(&Params) -> bool| {
        before.iter().any(|it| {
            it.phase == phase
                && it.step.on.is_none_or(|on| Some(on) == placed.step.on)
                && it.params.as_ref().is_some_and(wanted)
        })
    };
    if !seen(placed.phase, |it| matches!(it, Params::DatabaseTarget(_))) {
        let message =
            format!("`{}` replaces data without looking where it would go", placed.step.id);
        let hint = "put a `database.target` check on the same role before it, in the same phase";
        report.key(&placed.path, &fault::E1032, message, hint);
    }
    if !seen(source, |it| matches!(it, Params::AwsRdsSnapshot(_)))
        && !seen(placed.phase, |it| matches!(it, Params::AwsRdsSnapshot(_)))
    {
        let message = format!("`{}` replaces data of which no copy was made", placed.step.id);
        let hint = format!(
            "put an `aws.rds.snapshot` action of the standby's instance before it, in `{}`",
            source.name()
        );
        report.key(&placed.path, &fault::E1032, message, hint);
    }
    if !seen(source, |it| matches!(it, Params::BackupWhole(_))) {
        let message =
            format!("`{}` replaces data with a backup that nobody looked at", placed.step.id);
        let hint = format!("put a `backup.whole` check before it, in `{}`", source.name());
        report.key(&placed.path, &fault::E1032, message, hint);
    }
}
