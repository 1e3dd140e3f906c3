//! A signed HTTP request, from the socket to the check that proves it, and the answer to it.
//!
//! Bytes become a [`RawRequest`] by [`Intake::receive`], a [`RawRequest`] becomes [`Verified`] by
//! the one check that passes, and what goes wrong on the way is a [`Reject`] that knows its answer.
//! The server loop around it, [`serve`], serves any `tower` service. What a body means is not known
//! here.

mod request;
pub use request::{Arrival, RawRequest, RequestId};

mod answer;
pub use answer::{Answer, empty_answer, json_answer, text_answer};

mod reject;
pub use reject::Reject;

mod refusal;
pub use refusal::Refusal;

mod intake;
pub use intake::{
    Arriving, BodyBound, BodyHold, Counted, CountedHold, Exhausted, Intake, IntakeOptions, Pace,
    PaceLimits, Slow,
};

mod decoded;
pub use decoded::{Decoded, EncodingDefect};

mod proxies;
pub use ipnet::IpNet;
pub use proxies::{Origin, TrustedProxies};

mod hosts;
pub use hosts::Hosts;

mod verified;
pub use verified::{Refused, Verified, Verify};

mod rejection;
pub use rejection::{Rejection, RejectionSink};

mod refusal_log;
pub use refusal_log::RefusalLog;

mod rate;
pub use rate::{Rate, RateLimit, RateLimitError};

mod server;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub use server::fuzzing;
pub use server::{
    DrainReport, Exempt, Handler, Network, Renewal, ServerOptions, Tls, TlsError, TlsFiles, serve,
};
