//! What a run changes and must put back: closing pays it, on every way out.

use crate::fault;
use crate::model::{Phase, Role};
use crate::workflow::draft::{Draft, Placed};
use crate::workflow::report::Report;
use crate::workflow::step::Params;

pub(super) fn check(draft: &Draft<'_>, report: &mut Report) {
    let pays = |phases: &[Phase], wanted: &dyn Fn(&Placed<'_>, &Params) -> bool| {
        draft.steps.iter().any(|it| {
            phases.contains(&it.phase)
                && it.params.as_ref().is_some_and(|params| wanted(it, params))
        })
    };
    let mut told = vec![];
    for placed in &draft.steps {
        let debt = placed.params.as_ref().and_then(|params| debt(draft, params, &pays));
        if let Some(debt) = debt.filter(|it| !told.contains(&it.what)) {
            let message = format!("`{}` {}", placed.step.id, debt.what);
            report.key(&placed.path, &fault::E1023, message, format!("add {}", debt.payer));
            told.push(debt.what);
        }
    }
}

/// What this step leaves behind that nobody pays.
fn debt(draft: &Draft<'_>, params: &Params, pays: &Pays<'_>) -> Option<Debt> {
    if let Params::JobOff(off) = params {
        job(draft, &off.job, pays)
    } else if matches!(params, Params::EmbargoOn(_)) {
        embargo(pays)
    } else if matches!(params, Params::GitlabVariables(_)) {
        let paid = pays(&[Phase::Renew], &|_, it| matches!(it, Params::GitlabVariables(_)));
        (!paid).then(|| Debt {
            what: "sets the standby's variables, and closing never sets those of the next one"
                .to_owned(),
            payer: "a `gitlab.variables` step on the standby to `closing.renew`".to_owned(),
        })
    } else {
        None
    }
}

/// Something without a payer.
struct Debt {
    what: String,
    payer: String,
}

type Pays<'a> = dyn Fn(&[Phase], &dyn Fn(&Placed<'_>, &Params) -> bool) -> bool + 'a;

/// A sync is on again when everything else is done, a backup job as soon as there is a production to back up.
fn job(draft: &Draft<'_>, name: &str, pays: &Pays<'_>) -> Option<Debt> {
    let sync = draft.workflow.jobs.get(name).is_some_and(|it| it.sync.is_some());
    let (phases, place): (&[Phase], _) =
        if sync { (&[Phase::SyncOn], "sync_on") } else { (&[Phase::Lift, Phase::SyncOn], "lift") };
    let paid = pays(phases, &|_, it| matches!(it, Params::JobOn(on) if on.job == name));
    (!paid).then(|| Debt {
        what: format!("switches the job `{name}` off, and closing never switches it on"),
        payer: format!("`action: job.on` with `job: {name}` to `closing.{place}`"),
    })
}

/// Production may be written to again at `lift`, whichever site that is then; the other one once its data is replaced.
fn embargo(pays: &Pays<'_>) -> Option<Debt> {
    let off = |phases: &[Phase], role: Role| {
        pays(phases, &|it, params| {
            matches!(params, Params::EmbargoOff(_)) && it.step.on == Some(role)
        })
    };
    let production = off(&[Phase::Lift], Role::Production);
    let standby = off(&[Phase::Renew, Phase::SyncOn], Role::Standby);
    // After an accepted release the embargo lies on the site that is the standby now.
    let (role, place) = match (production, standby) {
        (true, true) => return None,
        (false, _) => ("production", "lift"),
        (true, false) => ("standby", "renew"),
    };
    Some(Debt {
        what: format!(
            "lays an embargo, and closing never lifts the one that lies on the site that is {role} then"
        ),
        payer: format!("`action: embargo.off` with `on: {role}` to `closing.{place}`"),
    })
}
