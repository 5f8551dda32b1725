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
    if !seen(source, |it| matches!(it, Params::BackupWhole(_))) {
        let message =
            format!("`{}` replaces data with a backup that nobody looked at", placed.step.id);
        let hint = format!("put a `backup.whole` check before it, in `{}`", source.name());
        report.key(&placed.path, &fault::E1032, message, hint);
    }
}
