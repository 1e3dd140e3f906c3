//! The cursor of a list: where the next page begins, for these filters and no others.
//!
//! It names a place in the queue's order and not a number of events to skip, so a list stays what
//! it is while events arrive. Callers may keep it but not read it: 21 bytes in base64url, which
//! are a version, the place, a digest of the filters, and a checksum that tells a cut or mistyped
//! cursor from one of another list.

pub(crate) mod named;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use headgate_event::Timestamp;
use headgate_quarantine::Filter;
use headgate_queue::{ListQuery, Seq};
use sha2::{Digest, Sha256};

const VERSION: u8 = 1;
const BYTES: usize = 21;

/// Why a text is not a cursor of this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CursorError {
    /// No list gave it.
    #[error("expected the `next_cursor` of an earlier page, found something else")]
    Unknown,
    /// Another list gave it.
    #[error("it belongs to a list with other filters: repeat the filters of its first page")]
    OtherFilters,
}

/// The cursor for the page of a list that begins before `place`.
pub(crate) fn write(place: Seq, list: ListDigest) -> String {
    let mut bytes = Vec::with_capacity(BYTES);
    bytes.push(VERSION);
    bytes.extend(place.to_be_bytes());
    bytes.extend(list.0);
    bytes.extend(checksum(&bytes));
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The place of a cursor that this list gave.
pub(crate) fn read(text: &str, list: ListDigest) -> Result<Seq, CursorError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| CursorError::Unknown)?;
    let bytes: [u8; BYTES] = bytes.try_into().map_err(|_| CursorError::Unknown)?;
    let [VERSION, p0, p1, p2, p3, p4, p5, p6, p7, ..] = bytes else {
        return Err(CursorError::Unknown);
    };
    let (content, sum) = bytes.split_at(BYTES - 4);
    if sum != checksum(content) {
        return Err(CursorError::Unknown);
    }
    if !content.ends_with(&list.0) {
        return Err(CursorError::OtherFilters);
    }
    Ok(Seq::from_be_bytes([p0, p1, p2, p3, p4, p5, p6, p7]))
}

/// A digest of what decides whether something is in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ListDigest([u8; 8]);

impl ListDigest {
    /// A list of events; its limit does not count.
    pub(crate) fn of_events(query: &ListQuery) -> Self {
        let mut digest = Sha256::new();
        let mut add = |label: &str, values: &[&str]| {
            for value in values {
                digest.update(format!("{label}:{}:{value};", value.len()));
            }
        };
        let selection = &query.selection;
        add("type", &selection.types.iter().map(|it| it.as_str()).collect::<Vec<_>>());
        add("channel", &selection.channels.iter().map(String::as_str).collect::<Vec<_>>());
        add("provider", &selection.providers.iter().map(String::as_str).collect::<Vec<_>>());
        for (name, values) in &selection.keys {
            add(name.as_str(), &values.iter().map(String::as_str).collect::<Vec<_>>());
        }
        add("filter", &selection.filter.iter().map(|it| it.as_str()).collect::<Vec<_>>());
        let time = |time: Option<Timestamp>| time.map(|it| it.to_string());
        add("since", &time(query.since).iter().map(|it| &**it).collect::<Vec<_>>());
        add("until", &time(query.until).iter().map(|it| &**it).collect::<Vec<_>>());
        Self(first_bytes(digest))
    }

    /// The list of the dead letters of a subscription.
    pub(crate) fn of_dead_letters(subscription: &str) -> Self {
        let digest = Sha256::new_with_prefix("headgate dead letters");
        Self(first_bytes(digest.chain_update(subscription)))
    }

    /// A list of rejections, or the order in which they are released.
    pub(crate) fn of_rejections(purpose: &str, filter: &Filter) -> Self {
        let digest = Sha256::new_with_prefix("headgate rejections");
        Self(first_bytes(digest.chain_update(format!("{purpose} {filter:?}"))))
    }
}

fn checksum(content: &[u8]) -> [u8; 4] {
    first_bytes(Sha256::new_with_prefix("headgate cursor").chain_update(content))
}

fn first_bytes<const N: usize>(digest: Sha256) -> [u8; N] {
    let whole: [u8; 32] = digest.finalize().into();
    std::array::from_fn(|at| whole.get(at).copied().unwrap_or_default())
}
