//! A request whose body was not taken, with all that its answer needs.

use crate::{Answer, Reject, RequestId};

/// Why a body was not taken.
#[derive(Clone, Debug)]
pub struct Refusal {
    reject: Reject,
    request_id: RequestId,
    sender_gone: bool,
}

impl Refusal {
    pub(crate) fn new(reject: Reject, request_id: RequestId) -> Self {
        Self { reject, request_id, sender_gone: false }
    }

    /// The sender went away before its body was whole: there is nobody to answer.
    pub(crate) fn sender_gone(cause: &str, request_id: RequestId) -> Self {
        let message = "the body ended before it was whole";
        let reject = Reject::bad_request("body_incomplete", message).with_cause(cause);
        Self { reject, request_id, sender_gone: true }
    }

    /// What is wrong.
    #[must_use]
    pub fn reject(&self) -> &Reject {
        &self.reject
    }

    /// The id of the request.
    #[must_use]
    pub fn request_id(&self) -> &RequestId {
        &self.request_id
    }

    /// Whether the sender went away mid-body. The answer then reaches only a sender that closed
    /// no more than its own half of the connection.
    #[must_use]
    pub fn is_sender_gone(&self) -> bool {
        self.sender_gone
    }

    /// The answer to the sender.
    #[must_use]
    pub fn answer(&self) -> Answer {
        self.reject.answer(&self.request_id)
    }
}
