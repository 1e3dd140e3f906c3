//! The limits of the SMTP receiver: lines, messages, connections, time.

use super::{BODY_BYTES_MAX, BODY_MEMORY_BYTES_MAX};
use std::time::Duration;

/// The largest message unless the configuration says otherwise, in bytes.
pub const SMTP_MESSAGE_BYTES_DEFAULT: usize = 25 << 20;
/// The most recipients of one message.
pub const SMTP_RECIPIENTS_MAX: usize = 100;
/// The most recipients of one message that a configuration may allow.
pub const SMTP_RECIPIENTS_CONFIGURED_MAX: u32 = 500;
/// The longest command line with its end, in bytes (RFC 5321 asks for 512, extensions for more).
pub const SMTP_COMMAND_BYTES_MAX: usize = 2_048;
/// A command line that is too long is read to its end up to so many bytes; then the connection
/// ends.
pub const SMTP_COMMAND_BYTES_SKIPPED_MAX: usize = 64 << 10;
/// The longest local part of an address, in bytes. RFC 5321 asks for 64; lists make longer ones.
pub const SMTP_LOCAL_PART_BYTES_MAX: usize = 254;
/// The longest domain of an address or of a greeting, in bytes (RFC 5321, section 4.5.3.1.2).
pub const SMTP_DOMAIN_BYTES_MAX: usize = 255;
/// The most `Received` fields of a message; with more it goes round in a loop.
pub const SMTP_RECEIVED_HOPS_MAX: usize = 50;
/// The longest tag of an address that is told of, in bytes.
pub const SMTP_TAG_BYTES_MAX: usize = 254;

/// How long a client may take for one command, from the reply before it.
pub const SMTP_IDLE_TIMEOUT: Duration = Duration::from_secs(300);
/// How long a message may stand still while it arrives (RFC 5321, section 4.5.3.2.5).
pub const SMTP_BODY_IDLE_TIMEOUT: Duration = Duration::from_secs(180);
/// How long a client may take for either while connections are scarce.
pub const SMTP_IDLE_TIMEOUT_UNDER_LOAD: Duration = Duration::from_secs(10);
/// How long a message may arrive before its rate counts.
pub const SMTP_BODY_GRACE_TIMEOUT: Duration = Duration::from_secs(120);
/// The slowest rate of a message beyond its grace, in bytes a second.
pub const SMTP_BODY_BYTES_PER_SECOND_MIN: u64 = 500;
/// How long a client may take to accept replies.
pub const SMTP_REPLY_STALL_TIMEOUT: Duration = Duration::from_secs(30);

/// The most connections at one time.
pub const SMTP_CONNECTIONS_MAX: usize = 2_000;
/// The most connections at one time from one IPv4 address or one /64 of IPv6. Loopback and listed
/// networks have no such limit.
pub const SMTP_CONNECTIONS_PER_NETWORK_MAX: usize = 50;
/// Of the most connections, those beyond this part in 100 make them scarce.
pub const SMTP_LOAD_PERCENT: usize = 80;
/// A connection ends after this many refused commands.
pub const SMTP_ERRORS_MAX: u32 = 20;
/// A connection ends after this many commands in a row that bring no message.
pub const SMTP_COMMANDS_WITHOUT_MESSAGE_MAX: u32 = 1_000;
/// The most messages of one connection.
pub const SMTP_SESSION_MESSAGES_MAX: u32 = 10_000;
/// The most bytes of one connection.
pub const SMTP_SESSION_BYTES_MAX: u64 = 4 << 30;
/// The bytes that are read from a connection at one time.
pub const SMTP_READ_BYTES: usize = 32 << 10;
/// The longest text of a reply that is not ours, in bytes.
pub const SMTP_REPLY_TEXT_BYTES_MAX: usize = 200;
/// The longest PROXY header that is read, in bytes.
pub const PROXY_HEADER_BYTES_MAX: usize = 4 << 10;

const _: () = assert!(SMTP_MESSAGE_BYTES_DEFAULT <= BODY_BYTES_MAX);
const _: () = assert!(SMTP_READ_BYTES < BODY_MEMORY_BYTES_MAX);
const _: () = assert!(SMTP_COMMAND_BYTES_MAX < SMTP_COMMAND_BYTES_SKIPPED_MAX);
const _: () = assert!(2 * SMTP_DOMAIN_BYTES_MAX + 64 < SMTP_COMMAND_BYTES_MAX);
const _: () = assert!(SMTP_RECIPIENTS_CONFIGURED_MAX < SMTP_COMMANDS_WITHOUT_MESSAGE_MAX);
const _: () = assert!(SMTP_MESSAGE_BYTES_DEFAULT as u64 * 2 < SMTP_SESSION_BYTES_MAX);
const _: () = assert!(SMTP_CONNECTIONS_PER_NETWORK_MAX < SMTP_CONNECTIONS_MAX);
const _: () = assert!(SMTP_LOAD_PERCENT < 100);
const _: () = assert!(SMTP_IDLE_TIMEOUT_UNDER_LOAD.as_secs() < SMTP_BODY_IDLE_TIMEOUT.as_secs());
