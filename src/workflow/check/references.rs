//! What one part of the file says of another: hosts, jobs, webhooks and sections that must exist.

use crate::fault;
use crate::model::{Phase, Role};
use crate::workflow::counter::Counter;
use crate::workflow::draft::{Draft, Placed};
use crate::workflow::enforced::Enforced;
use crate::workflow::path::Path;
use crate::workflow::report::Report;
use crate::workflow::step::Params;
use crate::workflow::step::params::Proves;
use crate::workflow::suggest;
use crate::workflow::types::{Job, Workflow};

pub(super) fn check(draft: &Draft<'_>, report: &mut Report) {
    let workflow = draft.workflow;
    if let Some(database) = &workflow.database {
        host(workflow, &Path::of("database.host"), &database.host, report);
        if database.client.is_empty() {
            let message = "the query program is missing";
            report.value(
                &Path::of("database.client"),
                &fault::E1008,
                message,
                "for example `[psql, -XAtc]`",
            );
        }
    }
    for (name, it) in &workflow.scripts {
        host(workflow, &Path::of("scripts").key(name).key("host"), &it.host, report);
    }
    if let Some(embargo) = &workflow.embargo {
        enforced(workflow, embargo, report);
    }
    counter(workflow, report);
    for (name, it) in &workflow.jobs {
        job(workflow, &Path::of("jobs").key(name), name, it, report);
    }
    for placed in &draft.steps {
        if let Some(params) = &placed.params {
            step(workflow, placed, params, report);
            sections(workflow, placed, params, report);
        }
    }
}

/// What a rejoin, or a drill, leaves out is a check of the phases it shares with a release.
pub(super) fn drops(draft: &Draft<'_>, report: &mut Report) {
    let workflow = draft.workflow;
    let rejoin = workflow.rejoin.iter().map(|it| ("rejoin.drops", &it.drops, Phase::Lift));
    let drill = workflow.drill.iter().map(|it| ("drill.drops", &it.drops, Phase::Swap));
    for (list, ids, other) in rejoin.chain(drill) {
        let checks = || {
            let both = draft.phase(Phase::Preflight).chain(draft.phase(other));
            both.filter(|it| it.step.is_check()).map(|it| it.step.id.as_str())
        };
        for (at, id) in ids.iter().enumerate() {
            if !checks().any(|it| it == id.as_str()) {
                let place = Path::of(list).index(at);
                let hint = suggest::hint(id.as_str(), checks().collect::<Vec<_>>());
                let message =
                    format!("neither `preflight` nor `{}` has a check `{id}`", other.name());
                report.value(&place, &fault::E1016, message, hint);
            }
        }
    }
}

/// A role that the database has, and a server that can be stopped.
fn enforced(workflow: &Workflow, embargo: &Enforced, report: &mut Report) {
    let place = Path::of("embargo");
    if workflow.database.is_none() {
        let message = "an embargo is laid on a database, and the file has none";
        report.key(&place, &fault::E1016, message, "add the section `database`");
    }
    if embargo.role.trim().is_empty() {
        let hint = "the role with which the site writes";
        report.value(&place.key("role"), &fault::E1008, "the role is missing", hint);
    }
    let Some(ftp) = &embargo.ftp else { return };
    let place = place.key("ftp");
    host(workflow, &place.key("host"), &ftp.host, report);
    for (key, argv) in [("stop", &ftp.stop), ("start", &ftp.start), ("running", &ftp.running)] {
        if argv.is_empty() {
            let hint = "program and arguments, for example `[docker, compose, stop, ftpd]`";
            report.value(&place.key(key), &fault::E1008, "the program is missing", hint);
        }
    }
}

fn host(workflow: &Workflow, place: &Path, name: &str, report: &mut Report) {
    if !workflow.hosts.contains_key(name) {
        let hint = suggest::hint(name, workflow.hosts.keys());
        report.value(place, &fault::E1016, format!("there is no host `{name}` in `hosts`"), hint);
    }
}

fn counter(workflow: &Workflow, report: &mut Report) {
    let place = Path::of("counter");
    match &workflow.counter {
        None => (),
        Some(Counter::Command(it)) => {
            let place = place.key("command");
            host(workflow, &place.key("host"), &it.host, report);
            if it.argv.is_empty() {
                let hint = "for example `[/usr/local/bin/site_requests]`";
                report.value(&place.key("argv"), &fault::E1008, "no program is named", hint);
            }
        }
        Some(Counter::Page(it)) => {
            let records = workflow.cloudflare().records.iter().map(|it| it.id.as_str());
            let records: Vec<&str> = records.collect();
            if let Some(at) = it.at.as_ref().filter(|at| !records.contains(&at.as_str())) {
                let hint = suggest::hint(at.as_str(), records);
                let message = format!("the switch has no record `{at}`");
                report.value(&place.key("page").key("at"), &fault::E1016, message, hint);
            }
        }
    }
}

fn job(workflow: &Workflow, place: &Path, name: &str, job: &Job, report: &mut Report) {
    host(workflow, &place.key("host"), &job.host, report);
    let mut say = |path: &Path, message: String, hint: &str| {
        report.key(path, &fault::E1022, message, hint);
    };
    match (&job.sync, &job.backup) {
        (Some(sync), None) => {
            if sync.from == sync.to || [sync.from, sync.to].contains(&Role::Quarantined) {
                let message = format!("job `{name}` does not copy from one role to the other");
                say(&place.key("sync"), message, "write `{ from: production, to: standby }`");
            }
        }
        (None, Some(_)) => (),
        (Some(_), Some(_)) => {
            say(
                place,
                format!("job `{name}` is a sync and a backup at once"),
                "give exactly one of `sync` and `backup`",
            );
        }
        (None, None) => {
            let hint = "add `sync: { from: production, to: standby }` or `backup: database`";
            say(place, format!("job `{name}` is neither a sync nor a backup"), hint);
        }
    }
    if job.runs_on == Role::Quarantined {
        say(
            &place.key("runs_on"),
            format!("job `{name}` runs on a role that does no work"),
            "`production` or `standby`",
        );
    }
    if job.line.contains('\n')
        || job.marker.contains('\n')
        || job.line.trim().is_empty()
        || job.marker.trim().is_empty()
    {
        say(
            &place.key("line"),
            format!("job `{name}` needs one line and one marker"),
            "a crontab entry is one line",
        );
    }
}

fn step(workflow: &Workflow, placed: &Placed<'_>, params: &Params, report: &mut Report) {
    let with = placed.path.key("with");
    if let Some(name) = host_of(params) {
        host(workflow, &with.key("host"), name, report);
    }
    for (place, name) in jobs_of(&with, params) {
        let Some(job) = workflow.jobs.get(name) else {
            let hint = suggest::hint(name, workflow.jobs.keys());
            report.value(
                &place,
                &fault::E1016,
                format!("there is no job `{name}` in `jobs`"),
                hint,
            );
            continue;
        };
        // A job of no working role was reported where it is declared; where a way back has left one, it is
        // taken out before the standby is renewed.
        let left_behind = matches!(params, Params::JobOff(_)) && placed.phase == Phase::Renew;
        let judged = !placed.step.is_check() && !left_behind && job.runs_on != Role::Quarantined;
        if judged && placed.step.on.is_some_and(|on| on != job.runs_on) {
            let message = format!("job `{name}` runs on the other role's host");
            let hint = "`on` is the role that `runs_on` names";
            report.value(&placed.path.key("on"), &fault::E1022, message, hint);
        }
    }
    if let Params::Announce(it) = params
        && !workflow.webhooks.contains_key(&it.to)
    {
        let hint = suggest::hint(&it.to, workflow.webhooks.keys());
        let message = format!("there is no webhook `{}` in `webhooks`", it.to);
        report.value(&with.key("to"), &fault::E1016, message, hint);
    }
    if let Params::HostRun(it) = params
        && it.argv.is_empty()
    {
        report.value(
            &with.key("argv"),
            &fault::E1008,
            "no program is named",
            "for example `[/usr/local/bin/s3backup]`",
        );
    }
}

/// Kinds that work on a section of the file that may be absent.
fn sections(workflow: &Workflow, placed: &Placed<'_>, params: &Params, report: &mut Report) {
    for section in needs(workflow, params) {
        let message =
            format!("`{}` needs the section `{section}`, which the file lacks", params.kind());
        report.key(
            &placed.path,
            &fault::E1016,
            message,
            format!("add `{section}:` at the top level"),
        );
    }
    let written =
        if let Params::GitlabVariables(it) = params { Some(("as", it.r#as)) } else { None };
    let compared = if let Params::Http(it) = params { it.same_as } else { None };
    if let Some((key, Role::Quarantined)) = written.or_else(|| compared.map(|it| ("same_as", it))) {
        let message = format!("`{key}` is `production` or `standby`");
        report.value(
            &placed.path.key("with").key(key),
            &fault::E1008,
            message,
            "a quarantined site answers nobody",
        );
    }
}

fn host_of(params: &Params) -> Option<&String> {
    if let Params::HostImage(it) = params {
        Some(&it.host)
    } else if let Params::HostFile(it) = params {
        Some(&it.host)
    } else if let Params::HostDisk(it) = params {
        Some(&it.host)
    } else if let Params::HostMounted(it) = params {
        Some(&it.host)
    } else if let Params::DatabaseTarget(it) = params {
        Some(&it.host)
    } else if let Params::HostRun(it) = params {
        Some(&it.host)
    } else {
        None
    }
}

fn jobs_of<'a>(with: &Path, params: &'a Params) -> Vec<(Path, &'a String)> {
    if let Params::JobOff(it) = params {
        vec![(with.key("job"), &it.job)]
    } else if let Params::JobOn(it) = params {
        vec![(with.key("job"), &it.job)]
    } else if let Params::JobsOff(it) = params {
        it.jobs.iter().enumerate().map(|(at, job)| (with.key("jobs").index(at), job)).collect()
    } else {
        vec![]
    }
}

/// The sections that this kind works on and the file lacks.
fn needs(workflow: &Workflow, params: &Params) -> Vec<&'static str> {
    let proves = if let Params::HostRun(it) = params { it.proves } else { None };
    let backup =
        matches!(params, Params::BackupWhole(_) | Params::BackupCopy(_) | Params::AwsDaily(_))
            || matches!(proves, Some(Proves::Backup(_)));
    let rds = matches!(params, Params::AwsRdsPending(_) | Params::AwsRdsWindows(_));
    let database =
        rds || matches!(
            params,
            Params::DatabaseEqual(_) | Params::DatabaseTarget(_) | Params::DatabaseRows(_)
        ) || matches!(proves, Some(Proves::Counts(_)));
    let all = [
        ("backup", backup && workflow.backup.is_none()),
        ("database", database && workflow.database.is_none()),
        (
            "variables",
            matches!(params, Params::GitlabVariables(_) | Params::SiteNames(_))
                && workflow.variables.is_empty(),
        ),
        (
            "counter",
            matches!(params, Params::Traffic(_) | Params::Drained(_)) && workflow.counter.is_none(),
        ),
        ("closed", matches!(params, Params::Closed(_)) && workflow.closed.is_empty()),
    ];
    all.into_iter().filter(|(_, missing)| *missing).map(|(section, _)| section).collect()
}
