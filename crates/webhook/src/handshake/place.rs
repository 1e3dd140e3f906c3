//! Where a handshake says something: in the query, a header or the JSON of the body.

use super::Asked;
use crate::{identity::is_path, provider::Problems};
use http::HeaderName;
use serde::Deserialize;
use std::ops::Range;

/// A place as a provider file names it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlaceTable {
    query: Option<String>,
    header: Option<String>,
    json: Option<String>,
    /// What it has to say; anything when that is left out.
    pub(super) is: Option<String>,
    /// The setting of the channel that has to list it.
    pub(super) setting: Option<String>,
}

#[derive(Debug)]
pub(super) enum Place {
    Query(String),
    Header(HeaderName),
    Json(String),
}

impl PlaceTable {
    pub(super) fn read(&self, at: &Range<usize>, problems: &mut Problems) -> Option<Place> {
        match (&self.query, &self.header, &self.json) {
            (Some(name), None, None) => Some(Place::Query(name.clone())),
            (None, Some(name), None) => problems.header(name, at.clone()).map(Place::Header),
            (None, None, Some(path)) if is_path(path) => Some(Place::Json(path.clone())),
            (None, None, Some(path)) => {
                problems.add(at.clone(), format!("expected a dotted path, found `{path}`"));
                None
            }
            _ => {
                problems.add(at.clone(), "expected one of `query`, `header` and `json`");
                None
            }
        }
    }
}

impl Place {
    /// What stands there, decoded; nothing when it is there twice or empty.
    pub(super) fn find(&self, asked: Asked<'_>) -> Option<String> {
        let text = match self {
            Self::Query(name) => {
                let mut found = form_urlencoded::parse(asked.query.as_bytes())
                    .filter(|(known, _)| known == name)
                    .map(|(_, value)| value.into_owned());
                found.next().filter(|_| found.next().is_none())?
            }
            Self::Header(name) => {
                let mut values = asked.headers.get_all(name).iter();
                let value = values.next().filter(|_| values.next().is_none())?;
                value.to_str().ok()?.to_owned()
            }
            Self::Json(path) => asked.body?.path(path)?.scalar()?.into_owned(),
        };
        Some(text).filter(|text| !text.is_empty())
    }

    /// Whether it is in the body.
    pub(super) fn is_in_body(&self) -> bool {
        matches!(self, Self::Json(_))
    }

    pub(super) fn describe(&self) -> String {
        match self {
            Self::Query(name) => format!("query parameter `{name}`"),
            Self::Header(name) => format!("header `{name}`"),
            Self::Json(path) => format!("`{path}` in the body"),
        }
    }
}
