//! Reading and writing of a phase: a list of steps, or `{skip: "reason"}`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::workflow::step::Step;
use crate::workflow::types::PhaseSpec;

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Skip {
    /// Why this phase does nothing.
    skip: String,
}

impl Serialize for PhaseSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Steps(steps) => steps.serialize(serializer),
            Self::Skip(reason) => Skip { skip: reason.clone() }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for PhaseSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = PhaseSpec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of steps or `{skip: \"reason\"}`")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<PhaseSpec, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(PhaseSpec::Steps)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PhaseSpec, A::Error> {
                let skip = Skip::deserialize(MapAccessDeserializer::new(map))?;
                Ok(PhaseSpec::Skip(skip.skip))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for PhaseSpec {
    fn schema_name() -> Cow<'static, str> {
        "Phase".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (steps, skip) =
            (generator.subschema_for::<Vec<Step>>(), generator.subschema_for::<Skip>());
        json_schema!({ "anyOf": [steps, skip] })
    }
}
