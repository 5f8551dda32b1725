//! What a step needs of the workflow's texts: templates filled in for a site or for a call.
//!
//! To be replaced by the workflow's own resolver; nothing else in this folder knows the brackets.

use crate::model::SiteName;
use crate::port::Call;
use crate::workflow::Workflow;

/// This text with `{{ site.… }}` filled in.
///
/// # Errors
/// One sentence that names the path without a value.
pub(super) fn for_site(workflow: &Workflow, site: &SiteName, text: &str) -> Result<String, String> {
    fill(text, |path| value_of(workflow, site, path.strip_prefix("site.")?))
}

/// This text with `{{ production.… }}`, `{{ standby.… }}`, `{{ run.… }}` and `{{ release.version }}` filled in.
///
/// # Errors
/// One sentence that names the path without a value.
pub(super) fn for_call(call: &Call, text: &str) -> Result<String, String> {
    fill(text, |path| match path.split_once('.')? {
        ("production", rest) => value_of(&call.workflow, &call.production, rest),
        ("standby", rest) => value_of(&call.workflow, &call.standby, rest),
        ("run", "stamp") => call.run.stamp.clone(),
        ("run", "id") => Some(call.run.id.clone()),
        ("release", "version") => call.run.version.clone(),
        _ => None,
    })
}

/// A variable of a site.
///
/// # Errors
/// One sentence that names it.
pub(super) fn variable(workflow: &Workflow, site: &SiteName, name: &str) -> Result<String, String> {
    value_of(workflow, site, name).ok_or_else(|| format!("site {site} has no variable `{name}`"))
}

fn value_of(workflow: &Workflow, name: &SiteName, path: &str) -> Option<String> {
    let site = workflow.sites.get(name)?;
    match path {
        "name" => Some(name.to_string()),
        "region" => Some(site.aws.region.clone()),
        _ => site.vars.get(path).cloned(),
    }
}

fn fill(text: &str, value: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (path, after) =
            after.split_once("}}").ok_or_else(|| format!("`{text}` has no closing brackets"))?;
        let path = path.trim();
        filled.push_str(before);
        filled.push_str(&value(path).ok_or_else(|| format!("`{path}` has no value here"))?);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn fills_and_refuses() {
        let value = |path: &str| (path == "site.owner").then(|| "gigadb".to_owned());
        assert_eq!(fill("a-{{ site.owner }}-{{site.owner}}", value).unwrap(), "a-gigadb-gigadb");
        assert_eq!(fill("plain", value).unwrap(), "plain");
        assert!(fill("{{ site.other }}", value).unwrap_err().contains("site.other"));
        assert!(fill("{{ site.owner", value).is_err());
    }
}
