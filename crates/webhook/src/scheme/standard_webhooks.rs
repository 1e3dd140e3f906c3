//! Standard Webhooks (and Svix, from which it comes): `v1` signatures by HMAC-SHA256, and `v1a`
//! signatures by Ed25519.
//!
//! It is the schemes `hmac` and `ed25519` with every primitive given, under one name, because many
//! senders use it as it is. The secret says which of the two is asked for: a public key begins with
//! `whpk_`. Nobody can ask for the other one by the label of a signature.

use super::{
    Names, Scheme, Tolerance,
    by_secret::{self, Way},
    signed::{
        self, Encoding, Hash, IdTable, KeyEncoding, KeyTable, Ports, SignatureTable, SignedTable,
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
/// What a public key begins with, and the private one beside it.
const PUBLIC: &str = "whpk_";
const PRIVATE: &str = "whsk_";

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
    let at = table.scheme.span();
    let public = || keyed("ed25519", tolerance, &at);
    let mut way = |prefix: &str| {
        let scheme = signed::build(public(), "ed25519", problems)?;
        Some(Way { prefix: prefix.to_owned(), scheme })
    };
    let ways = vec![way(PUBLIC)?, way(PRIVATE)?];
    Some(by_secret::build(ways, build(tolerance, &at, problems)?))
}

/// The `v1` signatures with a tolerance; `at` is the place in the file that stands for it.
pub(super) fn build(
    tolerance: Tolerance,
    at: &Range<usize>,
    problems: &mut Problems,
) -> Option<Box<dyn Scheme>> {
    signed::build(keyed("hmac", tolerance, at), "hmac", problems)
}

fn keyed(scheme: &str, Tolerance { past, future }: Tolerance, at: &Range<usize>) -> SignedTable {
    let is_public = scheme == "ed25519";
    let label = if is_public { "v1a" } else { "v1" };
    let prefix = if is_public { PUBLIC } else { "whsec_" };
    SignedTable {
        scheme: Spanned::new(at.clone(), scheme.to_owned()),
        algorithm: (!is_public).then(|| Spanned::new(at.clone(), Hash::Sha256)),
        encoding: Encoding::Base64,
        key: KeyTable {
            encoding: KeyEncoding::Base64,
            prefix: Some(prefix.to_owned()),
            private_prefix: is_public.then(|| PRIVATE.to_owned()),
            bytes_min: KEY_BYTES_MIN,
            bytes_max: KEY_BYTES_MAX,
        },
        signed: Spanned::new(at.clone(), "{id}.{timestamp}.{body}".to_owned()),
        signature: SignatureTable {
            header: Some(names("signature", at)),
            also: Vec::new(),
            json: None,
            prefix: None,
            items: Some(' '),
            fields: Some(','),
            labels: Spanned::new(at.clone(), vec![label.to_owned()]),
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
        ports: Ports::default(),
        body_digest: None,
        single: None,
        inner: None,
        covers: None,
        certificate: None,
        expect: Vec::new(),
        detail: None,
    }
}

/// The header's name, and its older one.
fn names(what: &str, at: &Range<usize>) -> Spanned<Names> {
    let names = vec![format!("webhook-{what}"), format!("svix-{what}")];
    Spanned::new(at.clone(), Names(names))
}
