//! A refused request as its source hands it on: the seam to whoever keeps it.
//!
//! Only what could be genuine is handed on: a request for a channel that exists, read whole, whose
//! proof was missing or did not hold. What never got so far has nothing in it to mend.

use crate::{RawRequest, Reject};
use headgate_event::Channel;
use std::sync::Arc;

/// A request that did not prove itself, with everything that came.
#[derive(Clone, Debug)]
pub struct Rejection {
    /// The channel that it was for.
    pub channel: Arc<Channel>,
    /// Its path, with what may be secret in it masked.
    pub shown_path: String,
    /// The request as it came. Its hold on the memory for bodies goes with it.
    pub request: RawRequest,
    /// Why it was refused.
    pub reject: Reject,
}

/// Where sources hand refused requests.
pub trait RejectionSink: Send + Sync {
    /// Takes a rejection without waiting for anything. Whether it is kept is no matter of the
    /// sender's: its answer does not depend on it.
    fn keep(&self, rejection: Rejection);
}
