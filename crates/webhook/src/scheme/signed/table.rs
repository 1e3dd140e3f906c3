//! The `[verify]` table of the scheme in a provider file, and what must hold in it.

use super::{
    Signer,
    certificate::CertificateTable,
    content::{Content, Part},
    expect::ExpectTable,
    key::{Algorithm, Encoding, Hash, KeyEncoding, KeyForm},
    presented::{Signature, SignatureAt, Stamp, StampAt, Unit},
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
pub(in crate::scheme) struct SignedTable {
    pub(in crate::scheme) scheme: Spanned<String>,
    pub(in crate::scheme) algorithm: Option<Spanned<Hash>>,
    pub(in crate::scheme) encoding: Encoding,
    #[serde(default)]
    pub(in crate::scheme) key: KeyTable,
    pub(in crate::scheme) signed: Spanned<String>,
    pub(in crate::scheme) signature: SignatureTable,
    pub(in crate::scheme) timestamp: Option<Spanned<TimestampTable>>,
    pub(in crate::scheme) id: Option<Spanned<IdTable>>,
    #[serde(default)]
    pub(in crate::scheme) ports: Ports,
    pub(in crate::scheme) body_digest: Option<String>,
    pub(in crate::scheme) single: Option<String>,
    pub(in crate::scheme) inner: Option<String>,
    pub(in crate::scheme) covers: Option<OnlyToken>,
    pub(in crate::scheme) certificate: Option<CertificateTable>,
    #[serde(default)]
    pub(in crate::scheme) expect: Vec<ExpectTable>,
    pub(in crate::scheme) detail: Option<String>,
}

/// The word of a provider file that the body is not covered, which has to be said.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::scheme) enum OnlyToken {
    Token,
}

/// What is done about the port of a URL that is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::scheme) enum Ports {
    /// It is as in the public URL.
    #[default]
    AsConfigured,
    /// The usual port of the scheme may be written or left out.
    Either,
}

/// How a secret becomes a key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::scheme) struct KeyTable {
    pub(in crate::scheme) encoding: KeyEncoding,
    pub(in crate::scheme) prefix: Option<String>,
    pub(in crate::scheme) private_prefix: Option<String>,
    pub(in crate::scheme) bytes_min: usize,
    pub(in crate::scheme) bytes_max: usize,
}

/// Where signatures are, and how they are written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::scheme) struct SignatureTable {
    pub(in crate::scheme) header: Option<Spanned<Names>>,
    #[serde(default)]
    pub(in crate::scheme) also: Vec<Spanned<String>>,
    pub(in crate::scheme) json: Option<Spanned<String>>,
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
        Self {
            encoding: KeyEncoding::Utf8,
            prefix: None,
            private_prefix: None,
            bytes_min: 1,
            bytes_max: usize::MAX,
        }
    }
}

impl SignedTable {
    /// The scheme of this name, when all of the table fits together.
    pub(super) fn checked(self, scheme: &str, problems: &mut Problems) -> Option<Signer> {
        let before = problems.len();
        let algorithm = self.algorithm(scheme, problems);
        let content = Content::parse(self.signed.get_ref())
            .map_err(|message| problems.add(self.signed.span(), message))
            .ok();
        if let Some(content) = &content {
            self.check_signed(content, scheme, problems);
        }
        self.signature.check_labels(self.timestamp.as_ref(), self.scheme.span(), problems);
        let at = self.scheme.span();
        let signature = self.signature.signature(at, problems)?;
        let stamp = match self.timestamp {
            Some(table) => Some(stamp(table, problems)?),
            None => None,
        };
        let id = match self.id {
            Some(table) => Some(Headers::read(&table.get_ref().header, problems)?),
            None => None,
        };
        if (scheme == "rsa-cert") != self.certificate.is_some() {
            problems.add(self.scheme.span(), "expected a `certificate` beside `rsa-cert` alone");
        }
        let certificate = match self.certificate {
            Some(table) => Some(table.checked(problems)?),
            None => None,
        };
        let expect = self.expect.into_iter().map(|table| table.checked(problems));
        let expect = expect.collect::<Vec<_>>().into_iter().collect::<Option<_>>()?;
        let signer = Signer {
            algorithm: algorithm?,
            encoding: self.encoding,
            key: self.key.form(algorithm?),
            content: content?,
            signature,
            stamp,
            id,
            ports: self.ports,
            body_digest: self.body_digest,
            single: self.single,
            inner: self.inner,
            certificate,
            expect,
            detail: self.detail,
        };
        (problems.len() == before).then_some(signer)
    }

    /// What signs: the scheme says it, and of an HMAC the table says the digest.
    fn algorithm(&self, scheme: &str, problems: &mut Problems) -> Option<Algorithm> {
        let given = self.algorithm.as_ref();
        let fixed = match scheme {
            "ed25519" => Algorithm::Ed25519,
            "ecdsa" => Algorithm::Ecdsa,
            "sha256-concat" => Algorithm::Concat,
            "rsa-cert" => Algorithm::Rsa,
            _ => {
                let Some(hash) = given else {
                    problems.add(self.scheme.span(), "expected an `algorithm`, found none");
                    return None;
                };
                return Some(Algorithm::Hmac(*hash.get_ref()));
            }
        };
        if let Some(hash) = given {
            let message = format!("expected no `algorithm` beside `{scheme}`, found one");
            problems.add(hash.span(), message);
        }
        Some(fixed)
    }

    /// A time and an id count only when they are signed, and what is signed has to come from
    /// somewhere.
    fn check_signed(&self, content: &Content, scheme: &str, problems: &mut Problems) {
        let signed = self.signed.span();
        let timestamp = self.timestamp.as_ref();
        // A time in the body is signed with the body.
        let apart = timestamp
            .filter(|table| table.get_ref().json.is_none() || content.has(&Part::Timestamp));
        let id = self.id.as_ref().map(Spanned::span);
        let parts =
            [("timestamp", Part::Timestamp, apart.map(Spanned::span)), ("id", Part::Id, id)];
        for (name, part, table) in parts {
            match (content.has(&part), table) {
                (true, None) => problems.add(
                    signed.clone(),
                    format!("`{{{name}}}` is signed, but `verify.{name}` does not say where it is"),
                ),
                (false, Some(at)) => problems.add(
                    at,
                    format!("`verify.{name}` is given, but `signed` does not have `{{{name}}}`"),
                ),
                _ => {}
            }
        }
        match (content.covers_body(), self.covers) {
            (false, None) => {
                let message = "expected `{body}` in what is signed, or `covers = \"token\"`";
                problems.add(signed.clone(), message);
            }
            (true, Some(OnlyToken::Token)) => {
                let message = "expected no body in what is signed beside `covers = \"token\"`";
                problems.add(signed.clone(), message);
            }
            _ => {}
        }
        let form = content.has(&Part::Url) && content.has(&Part::SortedForm);
        if scheme == "url-form-hmac" && !form {
            problems.add(signed.clone(), "expected `{url}` and `{sorted_form}` in what is signed");
        }
        if (scheme == "sha256-concat") != content.has(&Part::Secret) {
            let message = "expected `{secret}` in what `sha256-concat` signs, and nowhere else";
            problems.add(signed, message);
        }
    }
}

impl KeyTable {
    /// Public keys have the length of their kind.
    fn form(self, algorithm: Algorithm) -> KeyForm {
        let (least, most) = match algorithm {
            Algorithm::Ed25519 => (32, 32),
            Algorithm::Ecdsa => (91, 91),
            _ => (self.bytes_min, self.bytes_max),
        };
        // The channel has no such key; samples are signed with one in base64.
        let encoding = match algorithm {
            Algorithm::Rsa => KeyEncoding::Base64,
            _ => self.encoding,
        };
        KeyForm {
            encoding,
            prefix: self.prefix,
            private_prefix: self.private_prefix,
            bytes_min: least,
            bytes_max: most,
        }
    }
}

impl SignatureTable {
    fn signature(self, at: std::ops::Range<usize>, problems: &mut Problems) -> Option<Signature> {
        let place = match (self.header, self.json) {
            (Some(header), None) => {
                let also = self.also.iter();
                let also = also.map(|name| problems.header(name.get_ref(), name.span()));
                let also = also.collect::<Vec<_>>().into_iter().collect::<Option<_>>()?;
                SignatureAt::Header { header: Headers::read(&header, problems)?, also }
            }
            (None, Some(path)) if is_path(path.get_ref()) => SignatureAt::Json(path.into_inner()),
            (None, Some(path)) => {
                let message = format!("expected a dotted path, found `{}`", path.get_ref());
                problems.add(path.span(), message);
                return None;
            }
            _ => {
                problems.add(at, "expected one of `signature.header` and `signature.json`");
                return None;
            }
        };
        Some(Signature {
            at: place,
            prefix: self.prefix,
            items: self.items,
            fields: self.fields,
            labels: self.labels.into_inner(),
        })
    }

    fn check_labels(
        &self,
        timestamp: Option<&Spanned<TimestampTable>>,
        scheme: std::ops::Range<usize>,
        problems: &mut Problems,
    ) {
        let labels = &self.labels;
        let header = self.header.as_ref().map(Spanned::span);
        let at = || match labels.span() {
            none if none.is_empty() => header.clone().unwrap_or_else(|| scheme.clone()),
            span => span,
        };
        if self.fields.is_some() == labels.get_ref().is_empty() {
            problems.add(at(), "expected `fields` and `labels` together");
        }
        let field = timestamp.and_then(|table| table.get_ref().field.as_ref());
        if field.is_some() && (self.fields.is_none() || self.items.is_none()) {
            problems.add(at(), "`timestamp.field` needs `items` and `fields`");
        }
        if self.items.is_some() && self.items == self.fields {
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
