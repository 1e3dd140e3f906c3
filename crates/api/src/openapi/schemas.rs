//! The JSON Schemas of what is read and what is written.
//!
//! They differ: a field that may be left out of a body is always there in an answer. So there are
//! two generators; a type is either read or written, and its name is in one of them.

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value};

/// Where definitions are in the document.
const PLACE: &str = "/components/schemas";

/// The schemas that a document refers to.
pub(crate) struct Schemas {
    answers: SchemaGenerator,
    bodies: SchemaGenerator,
}

/// Makes the schema of one type.
pub(crate) type Make = fn(&mut SchemaGenerator) -> Schema;

impl Schemas {
    pub(crate) fn new() -> Self {
        let settings = || {
            let mut settings = SchemaSettings::draft2020_12();
            settings.definitions_path = PLACE.into();
            settings
        };
        Self {
            answers: settings().for_serialize().into_generator(),
            bodies: settings().for_deserialize().into_generator(),
        }
    }

    /// How the schema of a type is made, to be given to the two below.
    pub(crate) fn answer<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<T>()
    }

    /// A reference to the schema of what is written.
    pub(crate) fn of_answer(&mut self, make: Make) -> Value {
        make(&mut self.answers).to_value()
    }

    /// A reference to the schema of what is read.
    pub(crate) fn of_body(&mut self, make: Make) -> Value {
        make(&mut self.bodies).to_value()
    }

    /// All that was referred to, by name. What both have, such as ids, is the same in both.
    pub(crate) fn into_definitions(mut self) -> Map<String, Value> {
        let mut all = self.bodies.take_definitions(true);
        all.extend(self.answers.take_definitions(true));
        all
    }
}
