//! Mail that a provider received and hands over by HTTP: as the message itself, or as what the
//! provider made of it.
//!
//! Each provider is one file below: how it proves itself, what its requests hold, and which answer
//! it takes for a final no. All of them give a message (`Handed`), so that what an event says of
//! it is read by [`Message`](crate::Message) alone, whoever received it. Where a provider gives
//! parts instead of the message, `compose` puts them together again.
//!
//! Where somebody else carries the messages, the proof is theirs (`carrier`); where a provider
//! keeps what is in them, it is fetched (`held`).
//!
//! A proof is the provider's. Who wrote the message is another question: see
//! [`Authenticator`](crate::Authenticator).

mod provider;
pub use provider::{SecretError, is_carried, provider_names};

mod raw;

mod postmark;

mod mailgun;

mod sendgrid;

mod cloudmailin;

mod postal;

mod resend;

mod ses;

mod carrier;
pub use carrier::{Carrier, CarrierTerms, Carriers, HandshakeAnswer};

mod held;
pub use held::{FetchHeld, Had, NotHad, Wanted};

mod proof;

mod form;

mod json;

mod compose;

mod channel;
pub use channel::{InboundSpec, InboundSpecError, InboundSpecErrorKind};

mod source;
pub use source::{AgeRule, InboundPorts, InboundSource, NotReleased};

mod sign;
pub use sign::{RawSignature, sign_raw};
