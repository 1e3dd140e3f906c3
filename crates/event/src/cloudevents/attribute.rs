//! The attributes of a CloudEvent: their names, their types, and what each may hold.

use super::{CloudData, CloudEvent, CloudEventError, VERSION, shown};
use crate::{
    Timestamp,
    limits::{CLOUD_EXTENSIONS_MAX, CLOUD_NAME_BYTES_MAX, CLOUD_VALUE_BYTES_MAX},
};
use serde::Serialize;
use std::{collections::BTreeMap, fmt};

/// The value of an attribute. URIs, times and binary values are texts in every format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Attribute {
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number of 32 bits.
    Integer(i32),
    /// A text.
    Text(String),
}

/// The attributes that were read, before it is known what each of them means.
#[derive(Debug, Default)]
pub(super) struct Attributes(BTreeMap<String, Attribute>);

impl Attributes {
    /// Takes one more attribute when its name and its value may be (3.1).
    pub(super) fn add(&mut self, name: &str, value: Attribute) -> Result<(), CloudEventError> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if !(1..=CLOUD_NAME_BYTES_MAX).contains(&name.len()) || !name.bytes().all(fits) {
            return Err(CloudEventError::Name { name: shown(name) });
        }
        if let Attribute::Text(text) = &value {
            let expected = "a text without control characters";
            let found = match text.chars().find(|c| c.is_control() || is_noncharacter(*c)) {
                Some(character) => format!("one with U+{:04X}", u32::from(character)),
                None if text.len() > CLOUD_VALUE_BYTES_MAX => format!("{} bytes", text.len()),
                None => String::new(),
            };
            if !found.is_empty() {
                return Err(wrong(name, expected, found));
            }
        }
        self.0.insert(name.to_owned(), value);
        Ok(())
    }

    /// The event of these attributes.
    pub(super) fn event(mut self, data: CloudData) -> Result<CloudEvent, CloudEventError> {
        let version = self.required("specversion")?;
        if version != VERSION {
            return Err(wrong("specversion", "`1.0`", format!("`{}`", shown(&version))));
        }
        let event = CloudEvent {
            id: self.required("id")?,
            source: self
                .checked("source", "a URI reference", is_reference)?
                .ok_or(missing("source"))?,
            event_type: self.required("type")?,
            subject: self
                .checked("subject", "a text that is not empty", |text| !text.is_empty())?,
            time: self.time()?,
            datacontenttype: self.checked("datacontenttype", "a media type", is_media_type)?,
            dataschema: self.checked("dataschema", "a URI with a scheme", is_absolute)?,
            extensions: self.0,
            data,
        };
        if event.extensions.len() > CLOUD_EXTENSIONS_MAX {
            return Err(CloudEventError::TooMany { most: CLOUD_EXTENSIONS_MAX });
        }
        Ok(event)
    }

    fn text(&mut self, name: &'static str) -> Result<Option<String>, CloudEventError> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(Attribute::Text(text)) => Ok(Some(text)),
            Some(other) => Err(wrong(name, "a text", format!("`{other}`"))),
        }
    }

    fn required(&mut self, name: &'static str) -> Result<String, CloudEventError> {
        let text = self.text(name)?.ok_or(missing(name))?;
        if text.is_empty() {
            return Err(wrong(name, "a text that is not empty", "an empty one".to_owned()));
        }
        Ok(text)
    }

    fn checked(
        &mut self,
        name: &'static str,
        expected: &'static str,
        fits: fn(&str) -> bool,
    ) -> Result<Option<String>, CloudEventError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let found = || format!("`{}`", shown(&text));
        if fits(&text) { Ok(Some(text)) } else { Err(wrong(name, expected, found())) }
    }

    fn time(&mut self) -> Result<Option<Timestamp>, CloudEventError> {
        let Some(text) = self.text("time")? else { return Ok(None) };
        let expected = "an RFC 3339 time with an offset";
        let time = text.parse().map_err(|_| wrong("time", expected, format!("`{}`", shown(&text))));
        time.map(Some)
    }
}

fn missing(name: &'static str) -> CloudEventError {
    CloudEventError::Missing { name }
}

pub(super) fn wrong(name: &str, expected: &'static str, found: String) -> CloudEventError {
    CloudEventError::Value { name: shown(name), expected, found }
}

/// U+FDD0..U+FDEF and the last two of each plane are no characters (3.1, String).
fn is_noncharacter(character: char) -> bool {
    let code = u32::from(character);
    (0xFDD0..=0xFDEF).contains(&code) || code & 0xFFFE == 0xFFFE
}

/// RFC 3986, 4.1: what no URI reference holds is blanks, quotes and brackets of markup.
fn is_reference(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || "<>\"{}|\\^`".contains(c))
}

/// RFC 3986, 4.3: it begins with a scheme.
fn is_absolute(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    scheme.bytes().next().is_some_and(|first| first.is_ascii_alphabetic())
        && scheme.bytes().all(fits)
        && !rest.is_empty()
        && is_reference(text)
}

/// RFC 2045, 5.1: a type, a subtype, and parameters that are not looked at.
fn is_media_type(text: &str) -> bool {
    let essence = text.split(';').next().unwrap_or_default().trim();
    let token = |part: &str| {
        let fits = |byte: u8| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&byte);
        !part.is_empty() && part.bytes().all(fits)
    };
    let visible = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    visible && essence.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype))
}

/// Whether a media type says that what has it is JSON (JF 3.1).
#[must_use]
pub fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let subtype = essence.split_once('/').map_or("", |(_, subtype)| subtype);
    subtype == "json" || subtype.ends_with("+json")
}

/// Whether a media type says that what has it is text.
pub(super) fn is_text(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.starts_with("text/") || essence.ends_with("/xml") || essence.ends_with("+xml")
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(truth) => write!(f, "{truth}"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}
