//! Who carries messages and proves them: Amazon SES hands its mail to Amazon SNS, whose proof is a
//! webhook provider's. What knows that proof is brought by the program around this crate.

use super::AgeRule;
use headgate_event::{BoxFuture, Secret, Timestamp};
use headgate_http::{Answer, RawRequest, Reject, Verified, Verify};
use std::{collections::BTreeMap, sync::Arc};

/// Opens the carriers of channels.
pub trait Carriers: Send + Sync {
    /// The carrier of this name for one channel, or why there is none.
    fn open(&self, carrier: &str, terms: CarrierTerms<'_>) -> Result<Arc<dyn Carrier>, String>;
}

/// The proof of what a carrier brings to one channel.
pub trait Carrier: Verify + Send + Sync {
    /// Fetches what the proof of a request needs and is not at hand; 503 where it cannot be had.
    fn bring<'a>(
        &'a self,
        request: &'a RawRequest,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), Reject>>;

    /// The handshake that a proved request is; none where it carries something.
    fn shake<'a>(
        &'a self,
        verified: &'a Verified,
        now: Timestamp,
    ) -> BoxFuture<'a, Option<Result<HandshakeAnswer, Reject>>>;
}

/// On which terms a channel takes what is carried.
#[derive(Clone, Copy, Debug)]
pub struct CarrierTerms<'a> {
    /// The id of the channel.
    pub channel: &'a str,
    /// What the channel says, such as whose topics may send to it.
    pub settings: &'a BTreeMap<String, Secret>,
    /// What is said of the age of a signed time.
    pub age: AgeRule,
}

/// What a carrier is answered that asks whether it may send.
#[derive(Debug)]
pub struct HandshakeAnswer {
    /// The handshake's name, by which it is counted.
    pub handshake: String,
    /// The answer.
    pub answer: Answer,
}
