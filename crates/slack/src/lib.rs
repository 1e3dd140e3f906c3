//! Slack: every event that it sends, proved, and the event it becomes here.
//!
//! A delivery is a [`Payload`] with what is known of it, a [`Receipt`]; [`draft`] makes the event
//! of it, whichever way it came. Over HTTP that is [`SlackSource::answer`]: the channel is found,
//! the body taken, the signature checked, the event stored, and only then it is answered.
//!
//! For those without a public URL there is Socket Mode ([`socket`]): connections that we open, and
//! the same events over them. But for those this crate opens no socket, and it reads no clock, file
//! or environment.

mod verify;
pub use verify::{ClientCertificate, SigningSecret, sign};

mod explain;
pub use explain::{Explained, Proofs, explain};

mod payload;
pub use payload::{Payload, PayloadKind};

mod mapping;

mod identity;

mod interaction;

mod directory;

mod text;

mod sentence;

mod channel;
pub use channel::{
    SelfEvents, SlackChannel, SlackChannelSpec, SlackChannelSpecError, SlackChannelSpecErrorKind,
};

mod draft;
pub use draft::{Drafted, Receipt, Transport, draft};

mod merge;
pub use merge::Merges;

mod sample;
pub use sample::Sample;

mod source;
pub use source::{AgeRule, NotReleased, Ports, SlackSource};

pub mod socket;

#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
