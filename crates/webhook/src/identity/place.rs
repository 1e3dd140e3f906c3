//! One place in a request where something is said.

use super::Reading;
use crate::{provider::Problems, scheme::Scheme};
use headgate_event::json::Node;
use http::{HeaderMap, HeaderName};
use serde::Deserialize;
use std::{borrow::Cow, ops::Range};
use toml::Spanned;

/// A place as a provider file names it: one of `header`, `json` and `pattern`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlaceTable {
    /// A header.
    header: Option<String>,
    /// A dotted path into the JSON.
    json: Option<String>,
    /// Text with dotted paths in braces, `{repository.full_name}#{number}`.
    pattern: Option<String>,
    /// Only a value that begins so counts.
    prefix: Option<String>,
}

/// A place.
#[derive(Debug)]
pub(super) struct Place {
    at: At,
    prefix: String,
}

#[derive(Debug)]
enum At {
    Header { name: HeaderName, proved: bool },
    Pattern(Vec<Piece>),
}

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Path(String),
}

impl Place {
    pub(super) fn read(
        table: Spanned<PlaceTable>,
        scheme: Option<&dyn Scheme>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let span = table.span();
        let PlaceTable { header, json, pattern, prefix } = table.into_inner();
        let at = match (header, json, pattern) {
            (Some(name), None, None) => {
                let name = problems.header(&name, span)?;
                let proved = scheme.is_some_and(|scheme| scheme.covers_header(&name));
                At::Header { name, proved }
            }
            (None, Some(path), None) => At::of(pieces(&format!("{{{path}}}")), span, problems)?,
            (None, None, Some(pattern)) => At::of(pieces(&pattern), span, problems)?,
            _ => {
                problems.add(span, "expected one of `header`, `json` and `pattern`");
                return None;
            }
        };
        Some(Self { at, prefix: prefix.unwrap_or_default() })
    }

    /// Whether one of its paths is such a one.
    pub(super) fn leads(&self, is: impl Fn(&str) -> bool) -> bool {
        let At::Pattern(pieces) = &self.at else { return false };
        pieces.iter().any(|piece| matches!(piece, Piece::Path(path) if is(path)))
    }

    /// What is there, and whether it is proved as far as the request is.
    pub(super) fn find(&self, reading: Reading<'_>) -> Option<(String, bool)> {
        let (text, proved) = match &self.at {
            At::Header { name, proved } => (header(reading.headers, name)?.to_owned(), *proved),
            At::Pattern(pieces) => (filled(reading.body?, pieces)?, true),
        };
        (!text.is_empty() && text.starts_with(&self.prefix)).then_some((text, proved))
    }
}

impl At {
    fn of(
        pieces: Result<Vec<Piece>, String>,
        span: Range<usize>,
        problems: &mut Problems,
    ) -> Option<Self> {
        pieces.map(Self::Pattern).map_err(|message| problems.add(span, message)).ok()
    }
}

/// A header that came once and is ASCII. Of two, neither is believed.
fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok() }
}

/// The pattern with all of its paths; nothing when one of them leads nowhere.
///
/// Of several patterns of a provider the last path is what tells them apart, so it is looked up
/// first: most patterns fit no event of a kind.
fn filled(body: Node<'_>, pieces: &[Piece]) -> Option<String> {
    let mut parts = Vec::new();
    for piece in pieces.iter().rev() {
        parts.push(match piece {
            Piece::Literal(literal) => Cow::Borrowed(literal.as_str()),
            Piece::Path(path) => body.path(path)?.scalar().filter(|value| !value.is_empty())?,
        });
    }
    parts.reverse();
    Some(parts.concat())
}

fn pieces(pattern: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = pattern;
    while let Some((literal, from)) = rest.split_once('{') {
        let Some((path, after)) = from.split_once('}').filter(|(path, _)| is_path(path)) else {
            return Err(format!("expected a dotted path, found `{}`", from.trim_end_matches('}')));
        };
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal.to_owned()));
        }
        pieces.push(Piece::Path(path.to_owned()));
        rest = after;
    }
    if pieces.is_empty() {
        return Err(format!("expected a path in braces, found `{pattern}`"));
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest.to_owned()));
    }
    Ok(pieces)
}

/// Whether a text is a dotted path.
pub(crate) fn is_path(path: &str) -> bool {
    path.split('.').all(|step| !step.is_empty() && !step.contains(['{', '}', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_text_and_paths() {
        let read = pieces("{repository.full_name}#{number}!").expect("a pattern");
        assert_eq!(
            read,
            [
                Piece::Path("repository.full_name".into()),
                Piece::Literal("#".into()),
                Piece::Path("number".into()),
                Piece::Literal("!".into()),
            ]
        );
    }

    #[test]
    fn a_pattern_without_a_path_is_refused() {
        for pattern in ["", "literal", "{}", "{a..b}", "{a", "{a b}"] {
            assert!(pieces(pattern).is_err(), "{pattern}");
        }
    }
}
