//! JSON as providers send it, read leniently: a field of another type counts as left out.

use super::provider::Unreadable;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

/// Reads a body.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Unreadable> {
    serde_json::from_slice(body).map_err(other_form)
}

/// Reads a part of a body.
pub(super) fn value<T: DeserializeOwned>(value: Value) -> Result<T, Unreadable> {
    serde_json::from_value(value).map_err(other_form)
}

fn other_form(error: serde_json::Error) -> Unreadable {
    Unreadable::NoMessage(format!("expected JSON of the provider's form, found: {error}"))
}

/// A text, also from a number; nothing from anything else.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    })
}

/// Texts, also from one text; nothing from anything else.
pub(super) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(strings(&Value::deserialize(deserializer)?))
}

/// The texts in a value: itself, or what is in its list.
pub(super) fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(list) => {
            list.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect()
        }
        _ => Vec::new(),
    }
}

/// A text that says something.
pub(super) fn filled(text: String) -> Option<String> {
    Some(text).filter(|text| !text.trim().is_empty())
}
