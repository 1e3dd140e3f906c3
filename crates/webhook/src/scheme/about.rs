//! What a scheme looks at in a request, for people who ask why one is refused.

use super::Tolerance;
use headgate_event::Timestamp;
use http::HeaderName;

/// What a scheme looks at in one request. It holds no secret and no expected signature.
#[derive(Clone, Debug, Default)]
pub(crate) struct About {
    /// What the scheme does, such as `HMAC-SHA256`.
    pub(crate) scheme: String,
    /// Where the proof is, when it is in no header.
    pub(crate) place: String,
    /// The headers of which one carries the proof.
    pub(crate) proof: Vec<HeaderName>,
    /// What the proof looks like.
    pub(crate) form: String,
    /// The labels that are believed, and what ends one.
    pub(crate) labels: Vec<String>,
    /// What separates proofs, and what separates a label from its proof.
    pub(crate) separators: (Option<char>, Option<char>),
    /// The template of what is signed; none when nothing is.
    pub(crate) signed: Option<String>,
    /// The parts of what is signed beside the body: the name of each, and what was sent for it.
    pub(crate) parts: Vec<(&'static str, Option<String>)>,
    /// The signed time, and how far it may be from ours; none when no time is signed.
    pub(crate) time: Option<(Option<Timestamp>, Tolerance)>,
}
