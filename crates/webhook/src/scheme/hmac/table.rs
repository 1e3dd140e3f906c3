//! The `[verify]` table of the scheme in a provider file, and what must hold in it.

use super::{
    Hmac,
    content::{Content, Part},
    key::{Algorithm, Encoding, KeyEncoding, KeyForm},
    presented::{Signature, Stamp, StampAt, Unit},
};
use crate::{
    identity::is_path,
    provider::Problems,
    scheme::{Headers, Names, Tolerance},
};
use headgate_event::Span;
use serde::Deserialize;
use std::collections::BTreeSet;
use toml::Spanned;

/// The table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::scheme) struct HmacTable {
    #[serde(rename = "scheme")]
    pub(in crate::scheme) _scheme: String,
    pub(in crate::scheme) algorithm: Algorithm,
    pub(in crate::scheme) encoding: Encoding,
    #[serde(default)]
    pub(in crate::scheme) key: KeyTable,
    pub(in crate::scheme) signed: Spanned<String>,
    pub(in crate::scheme) signature: SignatureTable,
    pub(in crate::scheme) timestamp: Option<Spanned<TimestampTable>>,
    pub(in crate::scheme) id: Option<Spanned<IdTable>>,
}

/// How a secret becomes a key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::scheme) struct KeyTable {
    pub(in crate::scheme) encoding: KeyEncoding,
    pub(in crate::scheme) prefix: Option<String>,
    pub(in crate::scheme) bytes_min: usize,
    pub(in crate::scheme) bytes_max: usize,
}

/// Where signatures are, and how they are written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::scheme) struct SignatureTable {
    pub(in crate::scheme) header: Spanned<Names>,
    pub(in crate::scheme) prefix: Option<String>,
    pub(in crate::scheme) items: Option<char>,
    pub(in crate::scheme) fields: Option<char>,
    #[serde(default = "no_labels")]
    pub(in crate::scheme) labels: Spanned<Vec<String>>,
}

/// Where the signed time is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::scheme) struct TimestampTable {
    pub(in crate::scheme) header: Option<Spanned<Names>>,
    pub(in crate::scheme) field: Option<String>,
    pub(in crate::scheme) json: Option<String>,
    pub(in crate::scheme) unit: Unit,
    pub(in crate::scheme) past: Span,
    pub(in crate::scheme) future: Span,
}

/// Where the signed id is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::scheme) struct IdTable {
    pub(in crate::scheme) header: Spanned<Names>,
}

fn no_labels() -> Spanned<Vec<String>> {
    Spanned::new(0..0, Vec::new())
}

impl Default for KeyTable {
    fn default() -> Self {
        Self { encoding: KeyEncoding::Utf8, prefix: None, bytes_min: 1, bytes_max: usize::MAX }
    }
}

impl HmacTable {
    /// The scheme, when all of the table fits together.
    pub(super) fn checked(self, problems: &mut Problems) -> Option<Hmac> {
        let before = problems.len();
        let content = Content::parse(self.signed.get_ref())
            .map_err(|message| problems.add(self.signed.span(), message))
            .ok();
        if let Some(content) = &content {
            self.check_signed(content, problems);
        }
        self.check_labels(problems);
        let signature = Signature {
            header: Headers::read(&self.signature.header, problems)?,
            prefix: self.signature.prefix,
            items: self.signature.items,
            fields: self.signature.fields,
            labels: self.signature.labels.into_inner(),
        };
        let stamp = match self.timestamp {
            Some(table) => Some(stamp(table, problems)?),
            None => None,
        };
        let id = match self.id {
            Some(table) => Some(Headers::read(&table.get_ref().header, problems)?),
            None => None,
        };
        let key = KeyForm {
            encoding: self.key.encoding,
            prefix: self.key.prefix,
            bytes_min: self.key.bytes_min,
            bytes_max: self.key.bytes_max,
        };
        let (algorithm, encoding) = (self.algorithm, self.encoding);
        let hmac = Hmac { algorithm, encoding, key, content: content?, signature, stamp, id };
        (problems.len() == before).then_some(hmac)
    }

    /// A time and an id count only when they are signed, and what is signed has to come from
    /// somewhere.
    fn check_signed(&self, content: &Content, problems: &mut Problems) {
        // A time in the body is signed with the body.
        let apart = self.timestamp.as_ref().filter(|table| table.get_ref().json.is_none());
        let timestamp = apart.map(Spanned::span);
        let id = self.id.as_ref().map(Spanned::span);
        for (name, part, table) in [("timestamp", Part::Timestamp, timestamp), ("id", Part::Id, id)]
        {
            match (content.has(&part), table) {
                (true, None) => problems.add(
                    self.signed.span(),
                    format!("`{{{name}}}` is signed, but `verify.{name}` does not say where it is"),
                ),
                (false, Some(at)) => problems.add(
                    at,
                    format!("`verify.{name}` is given, but `signed` does not have `{{{name}}}`"),
                ),
                _ => {}
            }
        }
    }

    fn check_labels(&self, problems: &mut Problems) {
        let labels = &self.signature.labels;
        let at = || match labels.span() {
            none if none.is_empty() => self.signature.header.span(),
            span => span,
        };
        if self.signature.fields.is_some() == labels.get_ref().is_empty() {
            problems.add(at(), "expected `fields` and `labels` together");
        }
        let field = self.timestamp.as_ref().and_then(|table| table.get_ref().field.as_ref());
        if field.is_some() && (self.signature.fields.is_none() || self.signature.items.is_none()) {
            problems.add(at(), "`timestamp.field` needs `items` and `fields`");
        }
        if self.signature.items.is_some() && self.signature.items == self.signature.fields {
            problems.add(at(), "expected `items` and `fields` to differ");
        }
        let mut seen = BTreeSet::new();
        for label in labels.get_ref().iter().chain(field) {
            if !seen.insert(label) {
                problems.add(at(), format!("label `{label}` stands for two things"));
            }
        }
    }
}

fn stamp(table: Spanned<TimestampTable>, problems: &mut Problems) -> Option<Stamp> {
    let at = table.span();
    let table = table.into_inner();
    let place = match (table.header, table.field, table.json) {
        (Some(names), None, None) => StampAt::Header(Headers::read(&names, problems)?),
        (None, Some(label), None) => StampAt::Field(label),
        (None, None, Some(path)) if is_path(&path) => StampAt::Json(path),
        (None, None, Some(path)) => {
            problems.add(at, format!("expected a dotted path, found `{path}`"));
            return None;
        }
        _ => {
            problems.add(at, "expected one of `header`, `field` and `json`");
            return None;
        }
    };
    let tolerance = Tolerance { past: table.past.0, future: table.future.0 };
    Some(Stamp { at: place, unit: table.unit, tolerance })
}
