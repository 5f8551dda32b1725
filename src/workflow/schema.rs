//! The JSON Schema of the file, generated from the types, with the parameters of each kind of step.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::workflow::step::Params;
use crate::workflow::types::Workflow;

/// Schemas of a kind's parameters, by kind, and the definitions they name.
type Parameters = (BTreeMap<&'static str, Value>, Map<String, Value>);

/// The schema of the whole file (draft-07), as committed at `workflows/workflow.schema.json`.
pub fn schema() -> &'static Value {
    static WHOLE: LazyLock<Value> = LazyLock::new(whole);
    &WHOLE
}

/// The schemas of each kind's parameters.
pub(super) fn parameters() -> &'static Parameters {
    static PARAMETERS: LazyLock<Parameters> = LazyLock::new(|| {
        let mut generator = SchemaSettings::draft07().into_generator();
        let kinds = Params::schemas(&mut generator);
        let kinds = kinds.into_iter().map(|(name, _, schema)| (name, schema.to_value())).collect();
        (kinds, generator.take_definitions(false))
    });
    &PARAMETERS
}

fn whole() -> Value {
    let mut root =
        SchemaSettings::draft07().into_generator().into_root_schema_for::<Workflow>().to_value();
    let (_, own) = parameters();
    if let Some(definitions) = root.get_mut("definitions").and_then(Value::as_object_mut) {
        for (name, schema) in own {
            definitions.entry(name).or_insert_with(|| schema.clone());
        }
        definitions.sort_keys();
    }
    set(&mut root, "/properties/sites", &json!({ "minProperties": 2, "maxProperties": 2 }));
    set(&mut root, "/definitions/Phase/anyOf/0", &json!({ "minItems": 1, "maxItems": 64 }));
    set(&mut root, "/definitions/Step", &steps());
    set(&mut root, "/definitions/Step/properties/check", &kinds(true));
    set(&mut root, "/definitions/Step/properties/action", &kinds(false));
    root
}

/// Adds these keys to the schema at this place.
fn set(root: &mut Value, at: &str, more: &Value) {
    let place = root.pointer_mut(at).and_then(Value::as_object_mut);
    if let (Some(place), Some(more)) = (place, more.as_object()) {
        place.extend(more.clone());
    }
}

fn kinds(checks: bool) -> Value {
    let names: Vec<_> = Params::KINDS.iter().filter(|it| it.0 == checks).map(|it| it.1).collect();
    json!({ "type": "string", "enum": names })
}

/// Exactly one of check, action, gate; `with` as the kind wants it.
fn steps() -> Value {
    let one = ["check", "action", "gate"].map(|it| json!({ "required": [it] }));
    let rule = |(is_check, kind): &(bool, &'static str)| {
        let verb = if *is_check { "check" } else { "action" };
        let with = parameters().0.get(kind).cloned().unwrap_or_default();
        let mut then = json!({ "properties": { "with": with } });
        if requires(&with) {
            set(&mut then, "", &json!({ "required": ["with"] }));
        }
        json!({ "if": { "properties": { verb: { "const": kind } }, "required": [verb] }, "then": then })
    };
    json!({ "oneOf": one, "allOf": Params::KINDS.iter().map(rule).collect::<Vec<_>>() })
}

fn requires(with: &Value) -> bool {
    let name = with.get("$ref").and_then(Value::as_str).and_then(|it| it.rsplit('/').next());
    let schema = name.and_then(|it| parameters().1.get(it)).unwrap_or(with);
    schema.get("required").and_then(Value::as_array).is_some_and(|it| !it.is_empty())
}
