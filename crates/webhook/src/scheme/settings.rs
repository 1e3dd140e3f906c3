//! What a channel says beside its secrets, and by what it is checked in all.

use super::Tolerance;
use crate::Fetched;
use headgate_event::Secret;
use std::{collections::BTreeMap, sync::Arc};

/// The settings of a channel by name: what its provider asks for beside secrets, such as a token to
/// compare with or an account that may send. They may be secret, so they are kept as secrets are.
pub type Settings = BTreeMap<String, Secret>;

/// What the requests of a channel are checked by.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// The secrets, of which any may have signed.
    pub secrets: Vec<Secret>,
    /// How far a signed time may be from ours; what the provider's file says when none is given.
    pub tolerance: Option<Tolerance>,
    /// What the provider asks for beside secrets.
    pub settings: Settings,
    /// The URL before the path by which senders reach us, for senders that sign theirs.
    pub public_url: Option<String>,
    /// What was fetched of keys and certificates.
    pub fetched: Arc<Fetched>,
}

impl Terms {
    /// Nothing but secrets.
    #[must_use]
    pub fn of(secrets: &[Secret]) -> Self {
        Self { secrets: secrets.to_vec(), ..Self::default() }
    }
}

/// The URL by which a sender reached a path, with the query as it was sent.
pub(super) fn url(public_url: Option<&str>, path: &str, query: &str) -> String {
    let base = public_url.unwrap_or_default().trim_end_matches('/');
    match query {
        "" => format!("{base}{path}"),
        query => format!("{base}{path}?{query}"),
    }
}

/// A setting as text; empty when there is none.
pub(crate) fn text<'a>(settings: &'a Settings, name: &str) -> &'a str {
    let bytes = settings.get(name).map_or(&b""[..], Secret::expose);
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// Whether a value is one of those that a setting lists between commas. One that ends in `*` is the
/// beginning of values.
pub(crate) fn lists(settings: &Settings, name: &str, value: &str) -> bool {
    let mut listed = text(settings, name).split(',').map(str::trim).filter(|item| !item.is_empty());
    listed.any(|item| match item.strip_suffix('*') {
        Some(start) => value.starts_with(start),
        None => item == value,
    })
}
