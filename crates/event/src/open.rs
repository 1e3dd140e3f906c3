//! Words of a set that later versions add to.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, IntoDeserializer, Visitor, value},
};
use std::{borrow::Cow, fmt, marker::PhantomData};

/// A word on the wire: one that this version knows, or one that a later gateway added.
///
/// Compares with a known word as that word does: `event.channel().kind == ChannelType::Slack`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(untagged)]
pub enum Open<T> {
    /// A word that this version knows.
    Known(T),
    /// Another one, as it came.
    Other(String),
}

impl<T> Open<T> {
    /// The word, when this version knows it.
    #[must_use]
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(word) => Some(word),
            Self::Other(_) => None,
        }
    }
}

impl<T> From<T> for Open<T> {
    fn from(word: T) -> Self {
        Self::Known(word)
    }
}

impl<T: Default> Default for Open<T> {
    fn default() -> Self {
        Self::Known(T::default())
    }
}

impl<T: PartialEq> PartialEq<T> for Open<T> {
    fn eq(&self, word: &T) -> bool {
        self.known() == Some(word)
    }
}

impl<T: fmt::Display> fmt::Display for Open<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(word) => word.fmt(f),
            Self::Other(word) => f.write_str(word),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Open<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Word(PhantomData))
    }
}

struct Word<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Word<T> {
    type Value = Open<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a word")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Open<T>, E> {
        let known: Result<T, value::Error> = T::deserialize(text.into_deserializer());
        Ok(known.map_or_else(|_| Open::Other(text.to_owned()), Open::Known))
    }
}

/// The schema names what is written; a reader bears more.
impl<T: JsonSchema> JsonSchema for Open<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ChannelType;

    fn read(json: &str) -> Result<Open<ChannelType>, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn a_word_that_nobody_knows_is_kept_as_it_came() {
        let word = read("\"fa\\u0078\"").expect("a word");
        assert_eq!(word, Open::Other("fax".to_owned()));
        assert_eq!((word.to_string(), word.known()), ("fax".to_owned(), None));
        assert_eq!(serde_json::to_string(&word).expect("JSON"), "\"fax\"");
        assert!(word != ChannelType::Webhook);
    }

    #[test]
    fn a_word_that_is_known_is_that_word() {
        let word = read("\"slack\"").expect("a word");
        assert!(word == ChannelType::Slack && word != ChannelType::Cron);
        assert_eq!(serde_json::to_string(&word).expect("JSON"), "\"slack\"");
    }

    #[test]
    fn what_is_no_word_is_refused() {
        for json in ["5", "null", "[]", "{\"slack\":null}"] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
