//! Webhooks: who sent a request, what it is called, and the event it becomes.
//!
//! A provider is data: a file in `providers/` says how it signs, where it names its events and
//! what their prompts say. Code knows schemes, not providers. A request goes through
//! [`WebhookSource::answer`]: its channel is found, its body taken, its proof checked, its event
//! made and stored, and only then it is answered.
//!
//! This crate opens no socket and reads no clock, file or environment.

mod scheme;
pub use scheme::{SecretError, Settings, Terms, Tolerance};

mod fetched;
pub use fetched::{Fetch, FetchError, Fetched, Wanted};

mod provider;
pub use provider::{AnswerBody, AnswerKind, Provider, ProviderError, Sender, Setting};

mod providers;
pub use providers::Providers;

mod identity;

mod handshake;

mod content;

mod headers;

mod render;

mod channel;
pub use channel::{ChannelSpec, ChannelSpecError, ChannelSpecErrorKind, DedupePolicy};

pub use headgate_http::{RateLimit, RateLimitError};

mod source;
pub use source::{AgeRule, CaptureSink, Captured, NotKept, NotReleased, Ports, WebhookSource};

mod explain;
pub use explain::{Explanation, OtherChannel, Step};

mod preview;

mod carrier;
pub use carrier::{Carrier, Shaken};

mod verifier;
pub use verifier::Verifier;

mod sample;
pub use sample::{Sample, SampleFile};
