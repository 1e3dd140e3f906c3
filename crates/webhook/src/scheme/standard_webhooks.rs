//! Standard Webhooks (and Svix, from which it comes): `v1` signatures by HMAC-SHA256.
//!
//! It is the `hmac` scheme with every primitive given, under one name, because many senders use it
//! as it is. The asymmetric `v1a` signatures are not taken: their label is not accepted.

use super::{
    Names, Scheme, Tolerance,
    hmac::{
        self, Algorithm, Encoding, HmacTable, IdTable, KeyEncoding, KeyTable, SignatureTable,
        TimestampTable, Unit,
    },
};
use crate::provider::{Problems, ProviderText, VerifyTable};
use headgate_event::Span;
use serde::Deserialize;
use std::{ops::Range, time::Duration};
use toml::Spanned;

/// What the specification asks for, both ways.
pub(super) const TOLERANCE: Duration = Duration::from_secs(300);
/// The specification asks for 24 bytes, but senders in use have given out keys of 18; below 128
/// bits a key can be guessed.
const KEY_BYTES_MIN: usize = 16;
const KEY_BYTES_MAX: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StandardTable {
    scheme: Spanned<String>,
    past: Option<Span>,
    future: Option<Span>,
}

/// Reads the table: at most other tolerances than 300 s both ways.
pub(super) fn read(text: &ProviderText<'_>, problems: &mut Problems) -> Option<Box<dyn Scheme>> {
    let table = text.table::<VerifyTable<StandardTable>>(problems)?.verify;
    let tolerance = Tolerance {
        past: table.past.map_or(TOLERANCE, |span| span.0),
        future: table.future.map_or(TOLERANCE, |span| span.0),
    };
    build(tolerance, &table.scheme.span(), problems)
}

/// The scheme with a tolerance; `at` is the place in the file that stands for it.
pub(super) fn build(
    Tolerance { past, future }: Tolerance,
    at: &Range<usize>,
    problems: &mut Problems,
) -> Option<Box<dyn Scheme>> {
    let hmac = HmacTable {
        _scheme: String::new(),
        algorithm: Algorithm::Sha256,
        encoding: Encoding::Base64,
        key: KeyTable {
            encoding: KeyEncoding::Base64,
            prefix: Some("whsec_".to_owned()),
            bytes_min: KEY_BYTES_MIN,
            bytes_max: KEY_BYTES_MAX,
        },
        signed: Spanned::new(at.clone(), "{id}.{timestamp}.{body}".to_owned()),
        signature: SignatureTable {
            header: names("signature", at),
            prefix: None,
            items: Some(' '),
            fields: Some(','),
            labels: Spanned::new(at.clone(), vec!["v1".to_owned()]),
        },
        timestamp: Some(Spanned::new(
            at.clone(),
            TimestampTable {
                header: Some(names("timestamp", at)),
                field: None,
                json: None,
                unit: Unit::Seconds,
                past: Span(past),
                future: Span(future),
            },
        )),
        id: Some(Spanned::new(at.clone(), IdTable { header: names("id", at) })),
    };
    hmac::build(hmac, problems)
}

/// The header's name, and its older one.
fn names(what: &str, at: &Range<usize>) -> Spanned<Names> {
    let names = vec![format!("webhook-{what}"), format!("svix-{what}")];
    Spanned::new(at.clone(), Names(names))
}
