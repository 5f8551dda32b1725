//! What may stand in which phase.

use crate::fault;
use crate::model::{Phase, Role};
use crate::workflow::draft::{Draft, Placed, path_of};
use crate::workflow::path::Path;
use crate::workflow::report::Report;
use crate::workflow::step::{Params, Step};
use crate::workflow::types::PhaseSpec;

/// The machine keeps the steps of a phase as bits of one word.
const STEPS_MAX: usize = 64;

pub(super) fn check(draft: &Draft<'_>, report: &mut Report) {
    for phase in Phase::ALL {
        match draft.workflow.phase(phase) {
            Some(PhaseSpec::Skip(reason)) => skipped(phase, reason, report),
            Some(PhaseSpec::Steps(steps)) => listed(phase, steps, report),
            None => (),
        }
    }
    match draft.workflow.drill.as_ref().map(|it| &it.sanity) {
        Some(PhaseSpec::Steps(steps)) if steps.is_empty() => {
            let hint = "write its checks, or `{ skip: \"why it is not needed\" }`";
            let place = Path::of("drill.sanity");
            report.key(&place, &fault::E1029, "`sanity` has no steps", hint);
        }
        Some(PhaseSpec::Skip(reason)) if reason.trim().is_empty() => {
            let place = Path::of("drill.sanity").key("skip");
            let hint = "say why this system does not need it";
            report.value(&place, &fault::E1029, "`sanity` is skipped without a reason", hint);
        }
        Some(PhaseSpec::Steps(_) | PhaseSpec::Skip(_)) | None => (),
    }
    for placed in &draft.steps {
        if placed.drills() && !placed.step.is_check() {
            let message = format!(
                "`{}` does more than look, and a drill changes nothing but its names",
                placed.step.id
            );
            report.key(
                &placed.path,
                &fault::E1024,
                message,
                "put checks of the drill's names here",
            );
        }
        if let Some(params) = &placed.params {
            belongs(placed, params, report);
            skippable(placed, params, report);
        }
    }
}

fn skipped(phase: Phase, reason: &str, report: &mut Report) {
    let place = path_of(phase);
    if matches!(phase, Phase::Swap | Phase::Validate) {
        let message = format!(
            "`{}` cannot be skipped: users are moved there, after people agreed",
            phase.name()
        );
        report.key(&place, &fault::E1029, message, "write its steps");
    } else if reason.trim().is_empty() {
        let message = format!("`{}` is skipped without a reason", phase.name());
        report.value(
            &place.key("skip"),
            &fault::E1029,
            message,
            "say why this system does not need it",
        );
    }
}

fn listed(phase: Phase, steps: &[Step], report: &mut Report) {
    let place = path_of(phase);
    if steps.is_empty() {
        let message = format!("`{}` has no steps", phase.name());
        let hint = "write its steps, or `{ skip: \"why it is not needed\" }`";
        report.key(&place, &fault::E1029, message, hint);
    }
    if steps.len() > STEPS_MAX {
        let message = format!(
            "`{}` has {} steps, at most {STEPS_MAX} are possible",
            phase.name(),
            steps.len()
        );
        report.value(
            &place.index(STEPS_MAX),
            &fault::E1025,
            message,
            "join steps or move some elsewhere",
        );
    }
    for (at, step) in steps.iter().enumerate() {
        let Some(name) = &step.together else { continue };
        let earlier = steps[..at].iter().rposition(|it| it.together.as_ref() == Some(name));
        if earlier.is_some_and(|it| it + 1 != at) {
            let message = format!("the steps of `together: {name}` do not follow one another");
            report.value(
                &place.index(at).key("together"),
                &fault::E1027,
                message,
                "put them next to each other",
            );
        }
    }
}

/// The phases in which an action may stand, and why only there.
#[expect(clippy::too_many_lines, reason = "one line a kind, all of them")]
const fn home(params: &Params) -> Option<(&'static [Phase], &'static str)> {
    use Phase::{
        Assess, Backup, Deploy, Embargo, Fence, Lift, Renew, Reset, Sanity, Swap, SyncOff, SyncOn,
        Validate,
    };
    const NOT_PREFLIGHT: &[Phase] = &[
        Deploy, Embargo, SyncOff, Backup, Reset, Validate, Assess, Fence, Swap, Sanity, Lift,
        Renew, SyncOn,
    ];
    const WORK: &[Phase] =
        &[Deploy, Embargo, SyncOff, Backup, Reset, Fence, Sanity, Lift, Renew, SyncOn];
    Some(match params {
        Params::GitlabVariables(_) | Params::GitlabPlay(_) => (
            &[Deploy, Renew],
            "only the standby is ever deployed, before it is validated or renewed",
        ),
        Params::EmbargoOn(_) => (
            &[Embargo, Reset, Fence],
            "production refuses writes from `embargo` on, the standby from the end of `reset`",
        ),
        Params::EmbargoOff(_) => (&[Lift, Renew, SyncOn], "writes are allowed when the run closes"),
        Params::JobOff(_) => {
            (&[Deploy, SyncOff, Backup, Assess, Fence, Renew], "jobs are off before data is copied")
        }
        Params::JobOn(_) => (&[Lift, Renew, SyncOn], "jobs stay off until the run closes"),
        Params::AwsRdsSnapshot(_) => {
            (&[Deploy, Backup, Reset, Fence, Renew], "a snapshot is taken before data is replaced")
        }
        Params::BackupCopy(_) => (&[Backup, Renew], "a backup is copied where it was made"),
        Params::Move(_) => (&[Swap], "users are moved in `swap`"),
        Params::StatusRender(_) => {
            (&[Sanity, Lift, Renew, SyncOn], "roles are known again after the swap")
        }
        Params::HostRun(it) if it.destructive => {
            (&[Reset, Renew], "data is replaced in `reset` and `renew`")
        }
        Params::HostRun(_) => (
            WORK,
            "preflight, assess and validate change nothing, and in `swap` nothing but the switch moves",
        ),
        Params::Announce(_) => (NOT_PREFLIGHT, "preflight changes nothing"),
        Params::AwsIdentity(_)
        | Params::SwitchWhole(_)
        | Params::SwitchConfirm(_)
        | Params::DnsTtl(_)
        | Params::DnsDelegated(_)
        | Params::Tls(_)
        | Params::AwsEip(_)
        | Params::AwsRds(_)
        | Params::GitlabTag(_)
        | Params::GitlabPipeline(_)
        | Params::GitlabIdle(_)
        | Params::HostImage(_)
        | Params::HostFile(_)
        | Params::Closed(_)
        | Params::JobsOff(_)
        | Params::Http(_)
        | Params::BackupWhole(_)
        | Params::DatabaseTarget(_)
        | Params::Traffic(_)
        | Params::Drained(_)
        | Params::DatabaseRows(_)
        | Params::DnsRecords(_)
        | Params::DnsProxied(_)
        | Params::DnsAged(_)
        | Params::DnsDnssec(_)
        | Params::CloudflareToken(_)
        | Params::SiteMarker(_)
        | Params::SiteWarm(_)
        | Params::SiteNames(_)
        | Params::TlsGroup(_)
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
        | Params::DatabaseEqual(_)
        | Params::EmbargoHolds(_) => return None,
    })
}

fn belongs(placed: &Placed<'_>, params: &Params, report: &mut Report) {
    let (kind, phase) = (params.kind(), placed.phase);
    if let Some((phases, why)) = home(params).filter(|(phases, _)| !phases.contains(&phase)) {
        let names: Vec<&str> = phases.iter().map(|it| it.name()).collect();
        let message = format!("`{kind}` does not belong in `{}`: {why}", phase.name());
        let hint = format!("it may stand in {}", names.join(", "));
        report.key(&placed.path.key("action"), &fault::E1024, message, hint);
    }
    let elsewhere = |wanted: Role| placed.step.on.is_some_and(|it| it != wanted);
    let deploys = matches!(params, Params::GitlabPlay(_) | Params::GitlabVariables(_));
    let loads = matches!(params, Params::HostRun(it) if it.destructive);
    let refuses = matches!(params, Params::EmbargoOn(_)) && phase == Phase::Embargo;
    let allows = matches!(params, Params::EmbargoOff(_)) && phase == Phase::Lift;
    let wrong = if deploys && elsewhere(Role::Standby) {
        Some(("production is never deployed to", "on: standby"))
    } else if loads && elsewhere(Role::Standby) {
        Some(("production's data is never replaced", "on: standby"))
    } else if refuses && elsewhere(Role::Production) {
        Some(("in `embargo` it is production that refuses writes", "on: production"))
    } else if allows && elsewhere(Role::Production) {
        Some((
            "the standby refuses writes until its data is replaced, in `renew`",
            "on: production",
        ))
    } else {
        None
    };
    if let Some((message, hint)) = wrong {
        report.value(&placed.path.key("on"), &fault::E1024, message, format!("write `{hint}`"));
    }
}

/// Never skippable: the switch, interlocks, embargo, `sync_off`, backup, reset.
fn skippable(placed: &Placed<'_>, params: &Params, report: &mut Report) {
    let phase = matches!(
        placed.phase,
        Phase::Embargo | Phase::SyncOff | Phase::Backup | Phase::Reset | Phase::Swap
    );
    let kind = matches!(
        params,
        Params::EmbargoOn(_)
            | Params::EmbargoOff(_)
            | Params::JobOff(_)
            | Params::JobsOff(_)
            | Params::EmbargoHolds(_)
            | Params::DatabaseTarget(_)
            | Params::BackupWhole(_)
    );
    let loads = matches!(params, Params::HostRun(it) if it.destructive);
    if placed.step.skippable && (phase || kind || loads) {
        let message = format!("step `{}` protects data and is never skipped", placed.step.id);
        report.key(&placed.path.key("skippable"), &fault::E1027, message, "remove `skippable`");
    }
}
