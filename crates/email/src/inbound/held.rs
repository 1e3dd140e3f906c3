//! What a provider keeps of a message until somebody asks for it with a key. What opens connections
//! is brought by the program around this crate.

use bytes::Bytes;
use headgate_event::{BoxFuture, Secret};
use headgate_http::{BodyBound, CountedHold};
use std::collections::BTreeMap;

/// Fetches over `https`, from public addresses alone, and follows no redirect.
pub trait FetchHeld: Send + Sync {
    /// The body of a 200 answer.
    fn fetch_held<'a>(&'a self, wanted: Wanted<'a>) -> BoxFuture<'a, Result<Had, NotHad>>;
}

/// What is to be fetched.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// Where it is.
    pub url: &'a str,
    /// The key that opens it, as `Authorization: Bearer`; none where the URL itself does.
    pub key: Option<&'a Secret>,
    /// The largest answer, in bytes.
    pub bytes_max: usize,
    /// The memory that the answer counts against.
    pub bound: BodyBound,
}

/// What was fetched.
#[derive(Debug)]
pub struct Had {
    /// The body.
    pub bytes: Bytes,
    /// The memory it holds.
    pub hold: CountedHold,
}

/// Why something could not be fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotHad {
    /// It has more bytes than were wanted.
    #[error("it has more than {0} bytes")]
    TooLarge(usize),
    /// Our fault, the network's or the provider's, and it may pass.
    #[error("{0}")]
    Failed(String),
}

/// By what a channel has things fetched.
pub(super) struct Held<'a> {
    pub(super) fetch: Option<&'a dyn FetchHeld>,
    pub(super) settings: &'a BTreeMap<String, Secret>,
    /// The largest message that the channel takes, in bytes.
    pub(super) message_bytes_max: usize,
    pub(super) bound: BodyBound,
}

impl Held<'_> {
    /// Fetches something.
    pub(super) async fn fetch(
        &self,
        url: &str,
        key: Option<&Secret>,
        bytes_max: usize,
    ) -> Result<Had, NotHad> {
        let nobody = || NotHad::Failed("nothing is fetched here".to_owned());
        let fetch = self.fetch.ok_or_else(nobody)?;
        fetch.fetch_held(Wanted { url, key, bytes_max, bound: self.bound.clone() }).await
    }
}
