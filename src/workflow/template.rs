//! Templates: `{{ a.b.c }}` in a text is replaced by the value of that name. Names only: no filters, no
//! defaults, no expressions, so that what a run will do can be read from the file.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::model::{Kind, SiteName};
use crate::workflow::types::Workflow;

/// A part of a text with templates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// As it stands.
    Text(&'a str),
    /// The value of this name; `offset` is where `{{` stands, in characters.
    Name { path: &'a str, offset: usize },
    /// This is not a name.
    Broken { why: &'static str, offset: usize },
}

/// The parts of a text.
pub(super) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = vec![];
    let mut rest = text;
    while let Some(at) = rest.find("{{") {
        let offset = text[..text.len() - rest.len() + at].chars().count();
        if at > 0 {
            parts.push(Part::Text(&rest[..at]));
        }
        let inside = &rest[at + 2..];
        let Some(end) = inside.find("}}") else {
            parts.push(Part::Broken { why: "`{{` is never closed by `}}`", offset });
            return parts;
        };
        let path = inside[..end].trim();
        parts.push(if is_name(path) {
            Part::Name { path, offset }
        } else {
            Part::Broken { why: "only a name such as `production.region` may stand here", offset }
        });
        rest = &inside[end + 2..];
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    parts
}

fn is_name(path: &str) -> bool {
    let letter = |it: char| it.is_ascii_alphanumeric() || it == '_' || it == '-';
    path.split('.').all(|word| !word.is_empty() && word.chars().all(letter))
}

/// A name in a template that has no value here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The name, for example `run.stamp`; the text itself if it is not a name.
    pub path: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` has no value here", self.path)
    }
}

impl std::error::Error for Missing {}

/// The names that templates may use, with their values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope(BTreeMap<String, String>);

/// What a run adds to the file's own names. Roles are those the phase means.
#[derive(Clone, Copy, Debug)]
pub struct RunNames<'a> {
    /// The run where names are wanted: letters, digits, hyphens.
    pub id: &'a str,
    /// What it is for.
    pub kind: Kind,
    /// The stamp of its latest backup.
    pub stamp: Option<&'a str>,
    /// The release it brings; without one, `release.version` is production's release.
    pub version: Option<&'a str>,
    /// The site meant by `production`.
    pub production: &'a SiteName,
    /// The site meant by `standby`.
    pub standby: &'a SiteName,
    /// What each site answers with.
    pub releases: &'a BTreeMap<SiteName, String>,
    /// The addresses each site owns, by record id.
    pub addresses: &'a BTreeMap<SiteName, BTreeMap<String, String>>,
}

impl Scope {
    /// The names inside per-site definitions: `site.name`, `site.region`, `site.profile` and the site's
    /// variables.
    pub fn for_site(workflow: &Workflow, site: &SiteName) -> Self {
        let mut scope = Self::default();
        scope.site("site", workflow, site);
        scope
    }

    /// The names inside the steps of a run.
    pub fn for_run(workflow: &Workflow, run: RunNames<'_>) -> Self {
        let mut scope = Self::default();
        scope.set("run.id", Some(run.id));
        scope.set("run.kind", Some(run.kind.name()));
        scope.set("run.stamp", run.stamp);
        let at_production = run.releases.get(run.production).map(String::as_str);
        scope.set("release.version", run.version.or(at_production));
        for (role, site) in [("production", run.production), ("standby", run.standby)] {
            scope.site(role, workflow, site);
            scope.set(&format!("{role}.release"), run.releases.get(site).map(String::as_str));
            scope.set(&format!("{role}.rds"), workflow.rds(site).ok().as_deref());
            for (record, address) in run.addresses.get(site).into_iter().flatten() {
                scope.set(&format!("{role}.eip.{record}"), Some(address));
            }
        }
        scope
    }

    fn site(&mut self, prefix: &str, workflow: &Workflow, site: &SiteName) {
        self.set(&format!("{prefix}.name"), Some(site.as_str()));
        let Some(own) = workflow.sites.get(site) else { return };
        self.set(&format!("{prefix}.region"), Some(&own.aws.region));
        self.set(&format!("{prefix}.profile"), Some(&own.aws.profile));
        for (name, value) in &own.vars {
            self.set(&format!("{prefix}.{name}"), Some(value));
        }
    }

    fn set(&mut self, path: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.0.insert(path.to_owned(), value.to_owned());
        }
    }

    /// The value of a name.
    pub fn get(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// All names that have a value.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// The text with every template replaced.
///
/// # Errors
/// The first name without a value.
pub fn render(text: &str, scope: &Scope) -> Result<String, Missing> {
    let missing = |path: &str| Missing { path: path.to_owned() };
    parts(text)
        .into_iter()
        .map(|part| match part {
            Part::Text(text) => Ok(text),
            Part::Name { path, .. } => scope.get(path).ok_or_else(|| missing(path)),
            Part::Broken { .. } => Err(missing(text)),
        })
        .collect()
}

/// The value with every template in its texts replaced; keys stay as they are.
///
/// # Errors
/// The first name without a value.
pub fn render_value(value: &Value, scope: &Scope) -> Result<Value, Missing> {
    Ok(match value {
        Value::String(text) => Value::String(render(text, scope)?),
        Value::Array(list) => {
            Value::Array(list.iter().map(|it| render_value(it, scope)).collect::<Result<_, _>>()?)
        }
        Value::Object(map) => {
            let pair = |(key, it): (&String, &Value)| Ok((key.clone(), render_value(it, scope)?));
            Value::Object(map.iter().map(pair).collect::<Result<_, Missing>>()?)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        Scope([("a.b".to_owned(), "{{ x }}".to_owned()), ("c".to_owned(), "ü".to_owned())].into())
    }

    #[test]
    fn names_are_replaced_once() {
        let rendered = render("ü {{a.b}}-{{ c }}.", &scope());
        assert_eq!(rendered.as_deref(), Ok("ü {{ x }}-ü."));
    }

    #[test]
    fn what_has_no_value_is_named() {
        assert_eq!(render("{{ c }}{{ a.z }}", &scope()).unwrap_err().path, "a.z");
        assert!(render("{{ c", &scope()).is_err());
        assert!(render("{{ c | upper }}", &scope()).is_err());
        assert!(render("{{ }}", &scope()).is_err());
    }

    #[test]
    fn offsets_count_characters() {
        let broken = Part::Broken { why: "`{{` is never closed by `}}`", offset: 8 };
        assert_eq!(parts("ü{{ c }}{{").pop(), Some(broken));
    }

    #[test]
    fn values_are_rendered_inside() {
        let value = serde_json::json!({"k": ["{{ c }}", 1, null, {"{{ c }}": "{{ c }}"}]});
        let wanted = serde_json::json!({"k": ["ü", 1, null, {"{{ c }}": "ü"}]});
        assert_eq!(render_value(&value, &scope()), Ok(wanted));
    }
}
