//! The catalog: which types of events an application may emit.
//!
//! Without one any dotted name in lower case is taken. With one the set is closed, so that a slip
//! of the hand is refused and not stored as a type that nobody waits for.

use crate::{EmissionError, Form};
use headgate_event::{
    EventKind, EventType,
    limits::{
        CATALOG_DESCRIPTION_BYTES_MAX, CATALOG_NEAREST_MAX, CATALOG_TYPES_MAX, EVENT_TYPE_BYTES_MAX,
    },
};
use serde::Serialize;
use std::collections::BTreeMap;

/// The types that may be emitted; empty, any may.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalog(BTreeMap<String, CatalogType>);

/// What a catalog says of a type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CatalogType {
    /// What it means, for people and models.
    pub description: Option<String>,
    /// Whether it is for the record.
    pub audit: Audit,
}

/// Whether a type is for the record: a limit on rates never refuses it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Audit {
    /// It is not.
    #[default]
    No,
    /// It is.
    Yes,
}

/// Why a type cannot be in a catalog.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    /// Only Headgate's own sources make events of this type.
    #[error("`{name}` is a type of Headgate's own sources, which no application emits")]
    Reserved {
        /// The type.
        name: String,
    },
    /// It is no name of a type.
    #[error("expected a name such as `proposal.received`, found `{name}`")]
    Name {
        /// What was found.
        name: String,
    },
    /// Two entries have one name.
    #[error("expected a type of its own, found `{name}` a second time")]
    Repeated {
        /// The name.
        name: String,
    },
    /// The description is no line that a prompt can show.
    #[error(
        "expected a description of 1 to {CATALOG_DESCRIPTION_BYTES_MAX} bytes without control \
         characters"
    )]
    Description,
    /// There are too many types.
    #[error("expected at most {CATALOG_TYPES_MAX} types, found more")]
    TooMany,
}

impl Catalog {
    /// Adds a type.
    pub fn add(&mut self, name: &str, entry: CatalogType) -> Result<(), CatalogError> {
        let shown = || name.chars().take(80).collect::<String>();
        let event_type: EventType =
            name.parse().map_err(|_| CatalogError::Name { name: shown() })?;
        if event_type.is_source() {
            return Err(CatalogError::Reserved { name: shown() });
        }
        let fits = |text: &String| {
            (1..=CATALOG_DESCRIPTION_BYTES_MAX).contains(&text.len())
                && !text.chars().any(char::is_control)
        };
        if !entry.description.iter().all(fits) {
            return Err(CatalogError::Description);
        }
        if self.0.contains_key(name) {
            return Err(CatalogError::Repeated { name: shown() });
        }
        if self.0.len() == CATALOG_TYPES_MAX {
            return Err(CatalogError::TooMany);
        }
        self.0.insert(name.to_owned(), entry);
        Ok(())
    }

    /// Whether any type may be emitted.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.is_empty()
    }

    /// The types by name, with what is said of them.
    pub fn types(&self) -> impl ExactSizeIterator<Item = (&str, &CatalogType)> {
        self.0.iter().map(|(name, entry)| (name.as_str(), entry))
    }

    /// What is said of a type.
    #[must_use]
    pub fn of(&self, event_type: &EventType) -> Option<&CatalogType> {
        self.0.get(event_type.as_str())
    }

    /// The type of this name, when an application may emit it in this shape.
    pub fn admit(&self, name: &str, form: Form) -> Result<EventType, EmissionError> {
        let event_type: EventType = name.parse().map_err(|error| match form {
            Form::Own if name.len() <= EVENT_TYPE_BYTES_MAX => not_dotted(name),
            _ => EmissionError { code: "invalid_event", message: format!("`type`: {error}") },
        })?;
        if event_type.is_source() {
            let message = format!(
                "`type`: `{name}` is a type of Headgate's own sources, which no application emits"
            );
            return Err(EmissionError { code: "reserved_type", message });
        }
        let known = self.0.contains_key(name) || is_envelope(name);
        match form {
            _ if known => Ok(event_type),
            _ if !self.is_open() => Err(self.unknown(name)),
            Form::Own if !is_dotted(name) => Err(not_dotted(name)),
            Form::Own | Form::Envelope | Form::CloudEvent => Ok(event_type),
        }
    }

    fn unknown(&self, name: &str) -> EmissionError {
        let mut near: Vec<_> =
            self.0.keys().map(|known| (strsim::osa_distance(name, known), known)).collect();
        near.sort();
        let near = near.iter().take(CATALOG_NEAREST_MAX).map(|(_, known)| format!("`{known}`"));
        let near: Vec<String> = near.collect();
        let message = format!(
            "`type`: expected one of the {} types of the catalog, found `{name}`; the nearest: {}",
            self.0.len(),
            near.join(", ")
        );
        EmissionError { code: "unknown_type", message }
    }
}

fn not_dotted(name: &str) -> EmissionError {
    let expected = "a dotted name in lower case such as `proposal.received`";
    EmissionError::field("type", expected, format!("`{name}`"))
}

/// The types of envelopes are always known.
fn is_envelope(name: &str) -> bool {
    let kinds = [EventKind::Created, EventKind::Updated, EventKind::Deleted];
    kinds.into_iter().any(|kind| kind.event_type() == name)
}

/// Segments of `a-z`, `0-9`, `_` and `-` with dots between them, beginning with a letter.
fn is_dotted(name: &str) -> bool {
    let fits =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
    name.bytes().next().is_some_and(|first| first.is_ascii_lowercase())
        && name.split('.').all(|part| !part.is_empty() && part.bytes().all(fits))
}
