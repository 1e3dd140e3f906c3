//! The shape in which a caller gets events: ours, the envelope, or a CloudEvent.

use crate::{
    error::ApiError,
    parameters::{Parameters, invalid},
};
use headgate_event::{Event, cloudevents, envelope_of};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use std::borrow::Cow;

/// The parameter that names a shape.
pub(crate) const PARAMETER: &str = "format";

/// The shape in which a caller gets events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum View {
    /// Headgate's own.
    #[default]
    Own,
    /// `{id, kind, payload, timestamp}`.
    Envelope,
    /// A structured CloudEvent.
    CloudEvent,
}

/// An event in the shape in which its caller wants it.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) event: Event,
    pub(crate) view: View,
}

impl View {
    /// The shape that a call asks for.
    pub(crate) fn of(parameters: &Parameters) -> Result<Self, ApiError> {
        match parameters.one(PARAMETER)? {
            None => Ok(Self::Own),
            Some("envelope") => Ok(Self::Envelope),
            Some("cloudevents") => Ok(Self::CloudEvent),
            Some(other) => {
                let shown: String = other.chars().take(40).collect();
                let why = format!("expected `envelope` or `cloudevents`, found `{shown}`");
                Err(invalid(PARAMETER, why))
            }
        }
    }

    /// The media type of one event.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Own | Self::Envelope => "application/json",
            Self::CloudEvent => cloudevents::MEDIA_TYPE,
        }
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.view {
            View::Own => self.event.serialize(serializer),
            View::Envelope => envelope_of(&self.event).serialize(serializer),
            View::CloudEvent => cloudevents::of_event(&self.event).serialize(serializer),
        }
    }
}

/// Any of the shapes.
impl JsonSchema for Shown {
    fn schema_name() -> Cow<'static, str> {
        "EventInAShape".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let event = generator.subschema_for::<Event>();
        schemars::json_schema!({
            "description": "An event; with `format`, an envelope or a CloudEvent.",
            "anyOf": [
                event,
                {"type": "object", "required": ["id", "kind", "payload", "timestamp"]},
                {"type": "object", "required": ["specversion", "id", "source", "type"]}
            ]
        })
    }
}
