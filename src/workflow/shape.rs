//! Reads plain data into types and reports every place that does not fit, not only the first.
//!
//! The typed reader stops at its first error. So that a person sees all of them, what was reported is
//! repaired as it was most likely meant (a misspelt key is renamed, a wrong or missing value is replaced by
//! a harmless one) and the reader is asked again. The result of a repaired reading is never used for work.

use serde_json::{Map, Value};

use crate::fault::{self, Code};
use crate::workflow::path::{Path, Turn};
use crate::workflow::report::Report;
use crate::workflow::suggest;

/// More mistakes than this are not reported at once.
const REPAIRS_MAX: usize = 300;

type Reading<T> = Result<T, serde_path_to_error::Error<serde_json::Error>>;
/// Reads the whole piece; `None` if nobody knows how.
type Attempt<'a, T> = dyn Fn(&Value) -> Option<Reading<T>> + 'a;

/// What is read, what it should look like, and where it stands in the file.
pub(super) struct Piece<'a> {
    pub(super) value: Value,
    /// The JSON Schema it should fit.
    pub(super) schema: &'a Value,
    /// The definitions that the schema names.
    pub(super) definitions: &'a Map<String, Value>,
    pub(super) base: Path,
}

/// What the typed reader complains about. Values are never repeated: they could be secrets.
enum Mistake {
    Unknown { name: String, expected: Vec<String> },
    Missing { name: String },
    Wrong { expected: String },
    Said { message: String },
}

impl Mistake {
    fn of(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let quoted = |text: &str| -> Vec<String> {
            text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
        };
        let mut names = quoted(&text).into_iter();
        let expected = text.split_once(", expected ").map(|(_, it)| it.to_owned());
        if text.starts_with("unknown field") {
            Self::Unknown { name: names.next().unwrap_or_default(), expected: names.collect() }
        } else if text.starts_with("missing field") {
            Self::Missing { name: names.next().unwrap_or_default() }
        } else if let Some(expected) = expected {
            Self::Wrong { expected: plain(&expected) }
        } else {
            Self::Said { message: text }
        }
    }
}

/// The typed reader's words in ours.
fn plain(expected: &str) -> String {
    match expected {
        "u8" => format!("a whole number up to {}", u8::MAX),
        "u16" => format!("a whole number up to {}", u16::MAX),
        "u32" => "a whole number".to_owned(),
        "f64" => "a number".to_owned(),
        "a string" => "text".to_owned(),
        "a boolean" => "`true` or `false`".to_owned(),
        "a sequence" => "a list".to_owned(),
        other if other.starts_with("struct ") || other.starts_with("a map") => "a map".to_owned(),
        other => other.to_owned(),
    }
}

/// Reads the piece; `None` and reports if it does not fit. The ways of what was repaired beyond a guess are
/// added to `repaired`.
pub(super) fn read<T>(
    piece: &mut Piece<'_>,
    report: &mut Report,
    repaired: &mut Vec<Path>,
    attempt: &Attempt<'_, T>,
) -> Option<T> {
    let mut last = None;
    for _ in 0..REPAIRS_MAX {
        let error = match attempt(&piece.value)? {
            Ok(read) => return Some(read),
            Err(error) => error,
        };
        let path = Path::from(error.path());
        let this = (path.clone(), error.inner().to_string());
        if last.as_ref() == Some(&this) {
            // The repair did not help: give up what is around it.
            let up = path.up();
            piece.replace(&up);
            repaired.push(piece.base.join(&up));
            continue;
        }
        last = Some(this);
        match Mistake::of(error.inner()) {
            Mistake::Unknown { name, expected } => {
                piece.unknown(&path, &name, &expected, report, repaired);
            }
            Mistake::Missing { name } => piece.missing(&path, &name, report, repaired),
            Mistake::Wrong { expected } => {
                let message = format!("{} is not {expected}", piece.call(&path));
                piece.wrong(&path, message, report, repaired);
            }
            Mistake::Said { message } => piece.wrong(&path, message, report, repaired),
        }
    }
    None
}

impl Piece<'_> {
    /// What people call this place.
    fn call(&self, path: &Path) -> String {
        let whole = self.base.join(path);
        if whole.turns().is_empty() { "the file".to_owned() } else { format!("`{whole}`") }
    }

    fn unknown(
        &mut self,
        path: &Path,
        name: &str,
        expected: &[String],
        report: &mut Report,
        repaired: &mut Vec<Path>,
    ) {
        // The way leads to the key in some readers and to the map around it in others.
        let around = if path.last_key() == Some(name) { path.up() } else { path.clone() };
        let here = self.base.join(&around).key(name);
        let hint = suggest::hint(name, expected);
        report.key(
            &here,
            &fault::E1006,
            format!("`{name}` is not a key of {}", self.call(&around)),
            hint,
        );
        let Some(Value::Object(map)) = get(&mut self.value, &around) else { return };
        let taken = map.remove(name).unwrap_or_default();
        if let Some(meant) = suggest::nearest(name, expected).filter(|it| !map.contains_key(*it)) {
            map.insert(meant.to_owned(), taken);
            report.spans.rename(&here, meant);
        } else {
            repaired.push(here);
        }
    }

    fn missing(&mut self, path: &Path, name: &str, report: &mut Report, repaired: &mut Vec<Path>) {
        let here = self.base.join(path);
        let phase = ["release", "closing", "failover"].contains(&here.to_string().as_str());
        let (code, hint): (&'static Code, _) = if phase {
            let hint =
                format!("write its steps, or `{name}: {{ skip: \"why it is not needed\" }}`");
            (&fault::E1009, hint)
        } else {
            (&fault::E1007, format!("add `{name}: …`"))
        };
        let what = if phase { "phase" } else { "key" };
        report.key(&here, code, format!("{} lacks the {what} `{name}`", self.call(path)), hint);
        let below = path.key(name);
        repaired.push(self.base.join(&below));
        let filler = self.filler(&below);
        if let Some(Value::Object(map)) = get(&mut self.value, path) {
            map.insert(name.to_owned(), filler);
        }
    }

    fn wrong(
        &mut self,
        path: &Path,
        message: String,
        report: &mut Report,
        repaired: &mut Vec<Path>,
    ) {
        let here = self.base.join(path);
        let (code, hint): (&'static Code, _) =
            if message.contains("duration") || message.contains("negative") {
                (&fault::E1010, "write a number and a unit: `90s`, `15m`, `1h 30m`")
            } else {
                (&fault::E1008, "`changeover schema` says what may stand here")
            };
        report.value(&here, code, message, hint);
        repaired.push(here);
        self.replace(path);
    }

    fn replace(&mut self, path: &Path) {
        let filler = self.filler(path);
        if let Some(place) = get(&mut self.value, path) {
            *place = filler;
        }
    }

    /// A harmless value that fits at this way.
    fn filler(&self, path: &Path) -> Value {
        let schema =
            path.turns().iter().try_fold(self.schema, |schema, turn| self.below(schema, turn));
        schema.map_or(Value::Null, |it| self.example(it, 0))
    }

    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let named = schema.get("$ref").and_then(Value::as_str).and_then(|it| it.rsplit('/').next());
        named.and_then(|it| self.definitions.get(it)).map_or(schema, |it| self.resolved(it))
    }

    /// The alternatives of a schema, itself if it has none.
    fn choices<'a>(&'a self, schema: &'a Value) -> Vec<&'a Value> {
        let schema = self.resolved(schema);
        let list = ["anyOf", "oneOf", "allOf"].iter().find_map(|it| schema.get(it)?.as_array());
        match list {
            Some(list) if schema.get("properties").is_none() => {
                list.iter().flat_map(|it| self.choices(it)).collect()
            }
            Some(_) | None => vec![schema],
        }
    }

    fn below<'a>(&'a self, schema: &'a Value, turn: &Turn) -> Option<&'a Value> {
        self.choices(schema).into_iter().find_map(|schema| match turn {
            Turn::Index(_) => schema.get("items"),
            Turn::Key(key) => schema
                .get("properties")
                .and_then(|it| it.get(key))
                .or_else(|| schema.get("additionalProperties").filter(|it| it.is_object())),
        })
    }

    fn example(&self, schema: &Value, depth: usize) -> Value {
        let Some(schema) = self.choices(schema).into_iter().next() else { return Value::Null };
        if let Some(value) = schema.get("const").or_else(|| schema.get("enum")?.get(0)) {
            return value.clone();
        }
        let kind = schema.get("type").map(|it| it.get(0).unwrap_or(it));
        match kind.and_then(Value::as_str) {
            Some("string") if schema.get("pattern").is_some() => "1h".into(),
            Some("string") => "x".into(),
            Some("integer" | "number") => 1.into(),
            Some("boolean") => false.into(),
            Some("array") => Value::Array(vec![]),
            Some("object") if depth < 8 => {
                let names = schema.get("required").and_then(Value::as_array).into_iter().flatten();
                let fill = |name: &Value| {
                    let name = name.as_str()?;
                    let below = self.below(schema, &Turn::Key(name.to_owned()))?;
                    Some((name.to_owned(), self.example(below, depth + 1)))
                };
                Value::Object(names.filter_map(fill).collect())
            }
            Some(_) | None => Value::Null,
        }
    }
}

fn get<'a>(value: &'a mut Value, path: &Path) -> Option<&'a mut Value> {
    path.turns().iter().try_fold(value, |value, turn| match turn {
        Turn::Key(key) => value.as_object_mut()?.get_mut(key),
        Turn::Index(index) => value.as_array_mut()?.get_mut(*index),
    })
}
