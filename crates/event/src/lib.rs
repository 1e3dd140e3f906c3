//! What an event is: its wire shape, its ids, how it was verified, the text a model reads of it,
//! and the [`Sink`] it goes to.
//!
//! This crate is pure. It opens no socket and no file, reads no clock and no environment: the time
//! and the keys come in as arguments. Every other crate of Headgate depends on it, and it depends
//! on none of them.

pub mod limits;

mod time;
pub use time::{Clock, Timestamp, TimestampError};

mod clock_watch;
pub use clock_watch::{Belief, ClockWatch, Moment};

mod span;
pub use span::{Span, SpanError};

mod size;
pub use size::{Size, SizeError};

mod id;
pub use id::{EventId, EventIdError};

mod secret;
pub use secret::Secret;

mod open;
pub use open::Open;

mod channel;
pub use channel::{Channel, ChannelError, ChannelType, is_name};

mod event_type;
pub use event_type::{EventType, EventTypeError};

mod verification;
pub use verification::{Covers, Verdict, Verification};

mod correlation;
pub use correlation::Correlation;

pub mod data;

mod delivery;
pub use delivery::{Delivery, Origin};

mod coding;
pub use coding::{Coded, Coding, CodingError, Codings, DecodeError};

mod body;
pub use body::{BodyEncoding, DataText, Fill};

mod event;
pub use event::{Event, SCHEMA};

mod draft;
pub use draft::{Dedupe, Draft};

mod app_identity;
pub use app_identity::{AppContent, AppIdentity, SentContent};

mod stored;
pub use stored::{StoredError, StoredEvent};

mod restored;
pub use restored::RestoreError;

mod sink;
pub use sink::{Accepted, BoxFuture, Sink, StoreError};

mod envelope;
pub use envelope::{
    EnvelopeError, EnvelopeView, EventEnvelope, EventKind, create_event, envelope_of,
};

pub mod cloudevents;

pub mod json;
pub mod prompt;
