//! CloudEvents 1.0, read and written: structured, binary and batch.
//!
//! Nothing here knows HTTP but as names and values of headers: who receives or pushes gives them.
//! What is read becomes an app event whose type, id and time are those of the CloudEvent; its other
//! attributes are kept in the event's `metadata`, so that it is given again as it came.
//!
//! Clause numbers are those of the specification's core, of its JSON format (JF) and of its HTTP
//! binding (HB).

mod attribute;
mod binary;
mod structured;
mod view;

pub use attribute::{Attribute, is_json};
pub use binary::{PREFIX, from_headers};
pub use structured::{from_json, from_json_batch};
pub use view::{ContentMode, Encoded, encode, of_event};

use bytes::Bytes;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The version of the specification.
pub const VERSION: &str = "1.0";
/// The media type of one CloudEvent in JSON.
pub const MEDIA_TYPE: &str = "application/cloudevents+json";
/// The media type of several CloudEvents in JSON.
pub const BATCH_MEDIA_TYPE: &str = "application/cloudevents-batch+json";
/// The key of an event's `metadata` under which the attributes are that an event has no place for.
pub const METADATA: &str = "cloudevents";

/// A CloudEvent.
#[derive(Clone, Debug)]
pub struct CloudEvent {
    /// Its id, unique in its source.
    pub id: String,
    /// Where it happened, a URI reference.
    pub source: String,
    /// What happened.
    pub event_type: String,
    /// To what of the source.
    pub subject: Option<String>,
    /// When it happened.
    pub time: Option<crate::Timestamp>,
    /// The media type of the data.
    pub datacontenttype: Option<String>,
    /// The schema of the data, a URI.
    pub dataschema: Option<String>,
    /// All other attributes.
    pub extensions: BTreeMap<String, Attribute>,
    /// The data.
    pub data: CloudData,
}

/// The data of a CloudEvent.
#[derive(Clone, Debug)]
pub enum CloudData {
    /// There is none.
    None,
    /// JSON, token for token.
    Json(Box<RawValue>),
    /// Text.
    Text(String),
    /// Any other bytes.
    Binary(Bytes),
}

/// Why something is no CloudEvent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloudEventError {
    /// The text is no JSON object, or, for a batch, no array of objects.
    #[error("expected {expected}, found {found}")]
    Json {
        /// What was expected.
        expected: &'static str,
        /// What was found, with its place.
        found: String,
    },
    /// An attribute that every CloudEvent has is missing.
    #[error("attribute `{name}` is missing")]
    Missing {
        /// The attribute.
        name: &'static str,
    },
    /// The name of an attribute has other characters than lower-case letters and digits.
    #[error("`{name}` is not the name of an attribute: expected `a-z` and `0-9`")]
    Name {
        /// The name as found.
        name: String,
    },
    /// The value of an attribute is not what it has to be.
    #[error("attribute `{name}`: expected {expected}, found {found}")]
    Value {
        /// The attribute.
        name: String,
        /// What was expected.
        expected: &'static str,
        /// What was found.
        found: String,
    },
    /// There is too much of something.
    #[error("expected at most {most} extension attributes, found more")]
    TooMany {
        /// The limit.
        most: usize,
    },
    /// Data comes once.
    #[error("expected one of `data` and `data_base64`, found both")]
    TwoData,
    /// The data is not what its media type says.
    #[error("the data is not the JSON that its content type says it is: {reason}")]
    NotJson {
        /// What is wrong, with its place.
        reason: String,
    },
}

/// The start of a text from outside, for an error.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}
