//! The JSON format: one object, or an array of them.

use super::{
    Attribute, CloudData, CloudEvent, CloudEventError,
    attribute::{Attributes, is_json, wrong},
    shown,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Serialize, Serializer, de::DeserializeOwned, ser::SerializeMap};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

const OBJECT: &str = "a JSON object";

/// Reads one CloudEvent in JSON.
pub fn from_json(text: &[u8]) -> Result<CloudEvent, CloudEventError> {
    let members: BTreeMap<String, Box<RawValue>> = read(text, OBJECT)?;
    let (mut attributes, mut data, mut encoded) = (Attributes::default(), None, None);
    for (name, value) in members {
        match name.as_str() {
            "data" => data = Some(value),
            "data_base64" => encoded = Some(value),
            // An attribute that is not set may be null (JF 2.2).
            _ if value.get() == "null" => {}
            _ => attributes.add(&name, attribute(&name, &value)?)?,
        }
    }
    let mut event = attributes.event(CloudData::None)?;
    event.data = match (data, encoded.filter(|value| value.get() != "null")) {
        (Some(_), Some(_)) => return Err(CloudEventError::TwoData),
        (Some(value), None) => data_of(value, event.datacontenttype.as_deref()),
        (None, Some(value)) => decoded(&value)?,
        (None, None) => CloudData::None,
    };
    Ok(event)
}

/// Reads a batch of CloudEvents; an error comes with its place in the batch.
pub fn from_json_batch(text: &[u8]) -> Result<Vec<CloudEvent>, (Option<usize>, CloudEventError)> {
    let expected = "a JSON array of objects";
    let members: Vec<Box<RawValue>> = read(text, expected).map_err(|error| (None, error))?;
    let one = |(place, member): (usize, Box<RawValue>)| {
        from_json(member.get().as_bytes()).map_err(|error| (Some(place), error))
    };
    members.into_iter().enumerate().map(one).collect()
}

fn read<T: DeserializeOwned>(text: &[u8], expected: &'static str) -> Result<T, CloudEventError> {
    serde_json::from_slice(text)
        .map_err(|error| CloudEventError::Json { expected, found: error.to_string() })
}

/// JF 2.2: texts, truths and whole numbers of 32 bits.
fn attribute(name: &str, value: &RawValue) -> Result<Attribute, CloudEventError> {
    let text = value.get();
    let known = match text.as_bytes().first() {
        Some(b'"') => serde_json::from_str(text).ok().map(Attribute::Text),
        Some(b't' | b'f') => serde_json::from_str(text).ok().map(Attribute::Boolean),
        _ => serde_json::from_str(text).ok().map(Attribute::Integer),
    };
    let expected = "a text, a truth or a whole number of 32 bits";
    known.ok_or_else(|| wrong(name, expected, format!("`{}`", shown(text))))
}

/// JF 3.1: a JSON string is text where the media type says that the data is not JSON.
fn data_of(value: Box<RawValue>, media_type: Option<&str>) -> CloudData {
    let text = media_type.filter(|media_type| !is_json(media_type));
    match text.and_then(|_| serde_json::from_str(value.get()).ok()) {
        Some(text) => CloudData::Text(text),
        None => CloudData::Json(value),
    }
}

fn decoded(value: &RawValue) -> Result<CloudData, CloudEventError> {
    let text: Option<String> = serde_json::from_str(value.get()).ok();
    let bytes = text.and_then(|text| STANDARD.decode(text).ok());
    let found = || format!("`{}`", shown(value.get()));
    let bytes = bytes.ok_or_else(|| wrong("data_base64", "base64 in a text", found()))?;
    Ok(CloudData::Binary(bytes.into()))
}

/// As one object of the JSON format.
impl Serialize for CloudEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("specversion", super::VERSION)?;
        object.serialize_entry("id", &self.id)?;
        object.serialize_entry("source", &self.source)?;
        object.serialize_entry("type", &self.event_type)?;
        for (name, text) in [
            ("subject", &self.subject),
            ("datacontenttype", &self.datacontenttype),
            ("dataschema", &self.dataschema),
        ] {
            if let Some(text) = text {
                object.serialize_entry(name, text)?;
            }
        }
        if let Some(time) = self.time {
            object.serialize_entry("time", &time)?;
        }
        for (name, value) in &self.extensions {
            object.serialize_entry(name, value)?;
        }
        match &self.data {
            CloudData::None => {}
            CloudData::Json(value) => object.serialize_entry("data", value)?,
            CloudData::Text(text) => object.serialize_entry("data", text)?,
            CloudData::Binary(bytes) => {
                object.serialize_entry("data_base64", &STANDARD.encode(bytes))?;
            }
        }
        object.end()
    }
}
