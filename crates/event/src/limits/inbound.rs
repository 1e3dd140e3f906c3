//! The limits of finding out who sent a message, and of what providers hand over.

use super::{BODY_BYTES_MAX, MAIL_BYTES_MAX, MAIL_HEADERS_MAX};
use std::time::Duration;

/// Mail: how long finding out who sent a message may take unless the configuration says otherwise.
pub const MAIL_AUTH_TIMEOUT_DEFAULT: Duration = Duration::from_secs(5);
/// Mail: the longest that it may take. The sender waits for its answer meanwhile.
pub const MAIL_AUTH_TIMEOUT_MAX: Duration = Duration::from_secs(60);
/// Mail: the shortest time for it.
pub const MAIL_AUTH_TIMEOUT_MIN: Duration = Duration::from_millis(100);
/// Mail: large messages that are hashed for their signatures at one time.
pub const MAIL_AUTH_AT_ONCE_MAX: usize = 8;
/// Mail: the most DNS servers.
pub const DNS_SERVERS_MAX: usize = 8;
/// Mail: the answers of the DNS that are kept.
pub const DNS_ANSWERS_KEPT: u64 = 16_384;
/// Mail: the questions that one DNS server is asked at one time.
pub const DNS_QUESTIONS_AT_ONCE_MAX: usize = 512;
/// SPF: the most terms that ask the DNS (RFC 7208, 4.6.4).
pub const SPF_LOOKUPS_MAX: usize = 10;
/// SPF: the most of them that find nothing (RFC 7208, 4.6.4).
pub const SPF_VOID_LOOKUPS_MAX: usize = 2;
/// SPF: the most names of an MX or PTR answer (RFC 7208, 4.6.4).
pub const SPF_NAMES_MAX: usize = 10;
/// DKIM: the most signatures of a message that are looked at.
pub const DKIM_SIGNATURES_MAX: usize = 10;
/// DKIM: the most fields that a signature is over.
pub const DKIM_SIGNED_HEADERS_MAX: usize = 200;

/// Inbound mail: the largest body of a provider's request, in bytes.
pub const INBOUND_BODY_BYTES_MAX: usize = BODY_BYTES_MAX;
/// Inbound mail: the most fields of a form.
pub const INBOUND_FORM_FIELDS_MAX: usize = 2_000;
/// Inbound mail: how far a signed time may be from ours, both ways, unless a provider's retries
/// bear the time of the first attempt.
pub const INBOUND_SIGNED_AGE_MAX: Duration = Duration::from_secs(300);
/// Inbound mail: how old a signed time may be where they do. Mailgun tries again for eight hours.
pub const INBOUND_RETRIED_AGE_MAX: Duration = Duration::from_secs(12 * 3600);
/// Inbound mail: the same of SendGrid, which tries again for three days.
pub const SENDGRID_RETRIED_AGE_MAX: Duration = Duration::from_secs(73 * 3600);
/// Inbound mail: the largest answer of a provider that is asked for the content of a message and
/// tells of it, in bytes. The message itself is bounded by its channel.
pub const INBOUND_NOTE_BYTES_MAX: usize = 16 << 20;
/// Inbound mail: how long one fetch of what a provider keeps may take. Two make a message, and its
/// sender waits for the answer meanwhile: those who sign as Svix does for 15 seconds.
pub const INBOUND_FETCH_TIMEOUT: Duration = Duration::from_secs(6);

const _: () = assert!(MAIL_BYTES_MAX <= INBOUND_BODY_BYTES_MAX);
const _: () = assert!(INBOUND_FETCH_TIMEOUT.as_secs() * 2 < 15);
const _: () = assert!(INBOUND_SIGNED_AGE_MAX.as_secs() <= INBOUND_RETRIED_AGE_MAX.as_secs());
const _: () = assert!(DKIM_SIGNED_HEADERS_MAX <= MAIL_HEADERS_MAX);
const _: () = assert!(MAIL_AUTH_TIMEOUT_DEFAULT.as_millis() <= MAIL_AUTH_TIMEOUT_MAX.as_millis());
