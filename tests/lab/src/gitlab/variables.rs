//! CI/CD variables: one value for each key and environment scope.

use serde_json::{Map, Value, json};

use super::view;
use super::{Project, Variable};
use crate::front::{Ask, Reply};
use crate::text;

/// What a request may say of a variable.
const FIELDS: [&str; 10] = [
    "key",
    "value",
    "variable_type",
    "protected",
    "masked",
    "masked_and_hidden",
    "raw",
    "environment_scope",
    "description",
    "filter",
];

/// Adds a variable.
pub(super) fn create(project: &mut Project, ask: &Ask) -> Reply {
    let body = match fields(ask) {
        Ok(body) => body,
        Err(reply) => return reply,
    };
    let text_of = |name: &str| body.get(name).and_then(Value::as_str);
    let (Some(key), Some(value)) = (text_of("key"), text_of("value")) else {
        return wrong("key is missing, value is missing");
    };
    let fine = (1..=255).contains(&key.len())
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !fine {
        return Reply::json(
            400,
            &json!({"message": {"key": ["can contain only letters, digits and '_'."]}}),
        );
    }
    let mut variable = Variable {
        key: key.to_owned(),
        value: value.to_owned(),
        scope: "*".to_owned(),
        kind: "env_var".to_owned(),
        protected: false,
        masked: false,
        hidden: false,
        raw: false,
        description: None,
    };
    change(&mut variable, &body);
    let same = |other: &Variable| other.key == variable.key && other.scope == variable.scope;
    if project.variables.iter().any(same) {
        return taken(&variable.key);
    }
    let shown = view::variable(&variable);
    project.variables.push(variable);
    Reply::json(201, &shown).applied()
}

/// Reads, changes or removes the one variable of a key that the filter leaves.
pub(super) fn one(project: &mut Project, ask: &Ask, key: &str) -> Reply {
    let body = match fields(ask) {
        Ok(body) => body,
        Err(reply) => return reply,
    };
    let query = ask.pairs();
    let inside = body.get("filter").and_then(|filter| filter.get("environment_scope"));
    let scope =
        text::value(&query, "filter[environment_scope]").or_else(|| inside.and_then(Value::as_str));
    let found: Vec<usize> = (0..project.variables.len())
        .filter(|at| project.variables[*at].key == key)
        .filter(|at| scope.is_none_or(|scope| project.variables[*at].scope == scope))
        .collect();
    let at = match found.as_slice() {
        [] => return Reply::json(404, &json!({"message": "404 Variable Not Found"})),
        [at] => *at,
        _ => {
            let text = "There are multiple variables with provided parameters. \
                        Please use 'filter[environment_scope]'";
            return Reply::json(409, &json!({"message": text}));
        }
    };
    match ask.method.as_str() {
        "GET" => Reply::json(200, &view::variable(&project.variables[at])),
        "DELETE" => {
            project.variables.remove(at);
            Reply { headers: Vec::new(), ..Reply::text(204, "text/plain", "") }.applied()
        }
        _ => {
            if !body.get("value").is_some_and(Value::is_string) {
                return wrong("value is missing");
            }
            let mut changed = project.variables[at].clone();
            change(&mut changed, &body);
            let taken_by =
                |(i, v): (usize, &Variable)| i != at && v.key == key && v.scope == changed.scope;
            if project.variables.iter().enumerate().any(taken_by) {
                return taken(key);
            }
            let shown = view::variable(&changed);
            project.variables[at] = changed;
            Reply::json(200, &shown).applied()
        }
    }
}

fn change(variable: &mut Variable, body: &Map<String, Value>) {
    let set = |name: &str, field: &mut String| {
        if let Some(value) = body.get(name).and_then(Value::as_str) {
            value.clone_into(field);
        }
    };
    let flag = |name: &str, field: &mut bool| {
        if let Some(value) = body.get(name).and_then(Value::as_bool) {
            *field = value;
        }
    };
    set("value", &mut variable.value);
    set("environment_scope", &mut variable.scope);
    set("variable_type", &mut variable.kind);
    flag("protected", &mut variable.protected);
    flag("masked", &mut variable.masked);
    flag("raw", &mut variable.raw);
    flag("masked_and_hidden", &mut variable.hidden);
    variable.masked |= variable.hidden;
    if let Some(text) = body.get("description") {
        variable.description = text.as_str().map(str::to_owned);
    }
}

/// The body's fields, which may be JSON or a form.
fn fields(ask: &Ask) -> Result<Map<String, Value>, Reply> {
    if ask.body.is_empty() {
        return Ok(Map::new());
    }
    let form = ask.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www"));
    let body = if form {
        let pairs = text::pairs(&String::from_utf8_lossy(&ask.body));
        pairs.into_iter().map(|(key, value)| (key, Value::String(value))).collect()
    } else if let Some(Value::Object(body)) = ask.json() {
        body
    } else {
        return Err(wrong("the body is no object"));
    };
    match body.keys().find(|key| !FIELDS.contains(&key.as_str())) {
        Some(unknown) => Err(wrong(&format!("{unknown} is unknown"))),
        None => Ok(body),
    }
}

fn wrong(error: &str) -> Reply {
    Reply::json(400, &json!({"error": error}))
}

fn taken(key: &str) -> Reply {
    Reply::json(400, &json!({"message": {"key": [format!("({key}) has already been taken")]}}))
}
