//! What a step needs of the workflow's texts: templates filled in for a site or for a call, by the workflow's own
//! resolver.

use crate::model::SiteName;
use crate::port::Call;
use crate::workflow::Workflow;
use crate::workflow::template::{RunNames, Scope, render};

/// This text with `{{ site.… }}` filled in.
///
/// # Errors
/// One sentence that names the path without a value.
pub(super) fn for_site(workflow: &Workflow, site: &SiteName, text: &str) -> Result<String, String> {
    render(text, &Scope::for_site(workflow, site)).map_err(|missing| missing.to_string())
}

/// This text with the names of a run's steps filled in.
///
/// # Errors
/// One sentence that names the path without a value.
pub(super) fn for_call(call: &Call, text: &str) -> Result<String, String> {
    let names = RunNames {
        id: &call.run.id,
        kind: call.at.kind,
        stamp: call.run.stamp.as_deref(),
        version: call.run.version.as_deref(),
        production: &call.production,
        standby: &call.standby,
        releases: &call.record.releases,
        addresses: &call.record.addresses,
    };
    let scope = Scope::for_run(&call.workflow, names);
    render(text, &scope).map_err(|missing| missing.to_string())
}

/// A variable of a site.
///
/// # Errors
/// One sentence that names it.
pub(super) fn variable(workflow: &Workflow, site: &SiteName, name: &str) -> Result<String, String> {
    let own = workflow.sites.get(site).and_then(|it| it.vars.get(name)).cloned();
    own.ok_or_else(|| format!("site {site} has no variable `{name}`"))
}
