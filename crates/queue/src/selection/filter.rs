//! The filter of a selection: an expression over an event and what is in its `data`.
//!
//! ```text
//! provider == "github" && data.body.action in ["opened", "reopened"]
//! verification != "verified" || exists(data.headers["x-test"])
//! data.body.amount > 100 && !(channel startsWith "test-")
//! data.body.commits[*].author.name == "alice"
//! ```
//!
//! A path with `[*]` leads to a value in every item, and one that passes is enough; `!=` is the
//! opposite of `==` here too. A value that is missing is null. `!=` is the opposite of `==`, whatever the types; `<` and its
//! like compare numbers with numbers and texts with texts, and nothing else. What a filter asks of
//! `data` is found in one pass over its text, which is neither copied nor built up as a tree.

mod evaluate;
mod implied;
mod parse;
mod paths;
mod syntax;
mod token;
mod walk;

pub(super) use implied::Implied;
pub use parse::FilterError;
pub(super) use syntax::Field;

use headgate_event::Event;
use paths::Asked;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{borrow::Cow, fmt, str::FromStr, sync::Arc};
use syntax::Expression;

/// A filter, read. It is written as it was given.
#[derive(Clone)]
pub struct Filter(Arc<Read>);

struct Read {
    text: String,
    expression: Expression,
    /// What it asks of `data`.
    asked: Asked,
}

impl Filter {
    /// Whether an event fits.
    #[must_use]
    pub fn fits(&self, event: &Event) -> bool {
        evaluate::fits(&self.0.expression, &self.0.asked, event)
    }

    /// The text that it was read from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// A filter that is fitted by what fits both.
    pub(crate) fn and(&self, other: &Self) -> Self {
        let text = format!("({}) && ({})", self.as_str(), other.as_str());
        let both = [self.0.expression.clone(), other.0.expression.clone()];
        Self::of(text, Expression::All(both.into()))
    }

    pub(crate) fn expression(&self) -> &Expression {
        &self.0.expression
    }

    fn of(text: String, expression: Expression) -> Self {
        let asked = Asked::of(&expression);
        Self(Arc::new(Read { text, expression, asked }))
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        Ok(Self::of(text.to_owned(), parse::parse(text)?))
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Filter").field(&self.as_str()).finish()
    }
}

impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Filter {}

impl Serialize for Filter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Filter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Filter {
    fn schema_name() -> Cow<'static, str> {
        "Filter".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "An expression over an event, such as \
                `provider == \"github\" && data.body.action in [\"opened\", \"reopened\"]`."
        })
    }
}

#[cfg(test)]
mod tests;
