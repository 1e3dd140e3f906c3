//! E-mail: a message becomes one event that says who sent it, what is new in it and what hangs on
//! it.
//!
//! [`MailSource`] takes what the SMTP receiver ([`smtp`]) hands it: it asks an [`Authenticator`]
//! who sent it, makes the events and stores them.
//!
//! [`Message::read`] reads the bytes once, whatever they are; [`Message::draft`] makes the event of
//! it for each channel that takes it, with a [`Receipt`] of how it came and who is believed to have
//! sent it. [`attachment_bytes`] reads an attachment out of the stored message.
//!
//! This crate reads no clock, file or environment: times and keys come in as arguments.

pub mod smtp;

mod receipt;
pub use receipt::{Matched, Receipt, verification};

mod proof;
pub use proof::{Authenticator, Claimed, Met, Require};

mod terms;
pub use terms::{Taken, Terms, Unproven};

mod source;
pub use source::{MailPorts, MailSource, NotReleased, Room};

mod auth;
pub use auth::{Asked, DnsSetUp, DomainRecords, Exchange, MailAuth, dns_servers};

pub mod inbound;

mod message;
pub use message::{Message, attachment_bytes};

mod draft;

mod sheet;

mod head;

mod structure;

mod parser;

mod transfer;

mod flowed;

mod html;

mod reply;

mod filename;

mod calendar;

mod tnef;

#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;

/// The SHA-256 of several values, in hex; none of them can pass for the end of another.
fn digest(values: &[&[u8]]) -> String {
    use sha2::{Digest, Sha256};
    let mut digest = Sha256::new();
    for value in values {
        digest.update((value.len() as u64).to_be_bytes());
        digest.update(value);
    }
    hex::encode(digest.finalize())
}
