//! The limits of Slack's Socket Mode, a part of the one place.

use super::{DRAIN_TIMEOUT, FRAME_BYTES_MAX, SLACK_BODY_BYTES_MAX};
use std::time::Duration;

/// Socket Mode: connections that are kept open, of different ages.
pub const SOCKET_CONNECTIONS: usize = 2;
/// Socket Mode: most connections at one time, with those that open and those that close.
pub const SOCKET_CONNECTIONS_MAX: usize = 4;
/// Socket Mode: how long asking for a URL and the handshake may take together.
pub const SOCKET_OPEN_TIMEOUT: Duration = Duration::from_secs(10);
/// Socket Mode: how long an open connection may keep its `hello` back.
pub const SOCKET_HELLO_TIMEOUT: Duration = Duration::from_secs(10);
/// Socket Mode: how often a connection is pinged.
pub const SOCKET_PING_EVERY: Duration = Duration::from_secs(3);
/// Socket Mode: a connection whose ping is unanswered for so long is half open.
pub const SOCKET_PONG_TIMEOUT: Duration = Duration::from_secs(6);
/// Socket Mode: how long a connection that is being closed may wait for the other side.
pub const SOCKET_CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// Socket Mode: how long no connection may listen before it is said to be deaf.
pub const SOCKET_DEAF_GRACE: Duration = Duration::from_secs(4);
/// Socket Mode: how long a connection lives whose `hello` does not say it.
pub const SOCKET_LIFE_DEFAULT: Duration = Duration::from_secs(18_060);
/// Socket Mode: shortest life that is believed.
pub const SOCKET_LIFE_MIN: Duration = Duration::from_secs(10);
/// Socket Mode: longest life that is believed.
pub const SOCKET_LIFE_MAX: Duration = Duration::from_secs(24 * 3600);
/// Socket Mode: a connection is replaced after this part of its life, in percent.
pub const SOCKET_LIFE_PERCENT: u32 = 90;
/// Socket Mode: how long after its life, or after it was told to go, a replaced connection is
/// still read when the other side does not close it.
pub const SOCKET_LEAVING_MAX: Duration = Duration::from_secs(60);
/// Socket Mode: a connection that listened for so long was none that only came and went.
pub const SOCKET_SETTLED_AFTER: Duration = Duration::from_secs(30);
/// Socket Mode: pause after the first attempt that failed; it doubles with each.
pub const SOCKET_PAUSE_FIRST: Duration = Duration::from_secs(1);
/// Socket Mode: longest pause between attempts that failed.
pub const SOCKET_PAUSE_LONGEST: Duration = Duration::from_secs(60);
/// Socket Mode: shortest pause when the app has too many connections.
pub const SOCKET_CROWDED_PAUSE: Duration = Duration::from_secs(30);
/// Socket Mode: shortest pause when only a person can mend what is wrong.
pub const SOCKET_HALTED_PAUSE: Duration = Duration::from_secs(300);
/// Socket Mode: pause of a rate limit that names none.
pub const SOCKET_RATE_LIMIT_DEFAULT: Duration = Duration::from_secs(30);
/// Socket Mode: longest pause that a rate limit may ask for.
pub const SOCKET_RATE_LIMIT_MAX: Duration = Duration::from_secs(3600);
/// Socket Mode: largest message, in bytes. A connection that brings a larger one is closed.
pub const SOCKET_MESSAGE_BYTES_MAX: usize = 4 << 20;
/// Socket Mode: largest acknowledgement, in bytes; Slack drops those of 20 KB without a word.
pub const SOCKET_ACK_BYTES_MAX: usize = 20_000 - 1;
/// Socket Mode: longest id of an envelope, in bytes; a longer one cannot be acknowledged.
pub const SOCKET_ENVELOPE_ID_BYTES_MAX: usize = 256;
/// Socket Mode: most envelopes that are being stored; further ones are left to Slack's retries.
pub const SOCKET_STORING_MAX: usize = 256;
/// Socket Mode: what they may have together, in bytes.
pub const SOCKET_STORING_BYTES_MAX: usize = 64 << 20;
/// Socket Mode: how long a stop waits for what is being stored.
pub const SOCKET_STOP_TIMEOUT: Duration = Duration::from_secs(3);
/// Socket Mode: largest answer to the request for a URL, in bytes.
pub const SOCKET_URL_ANSWER_BYTES_MAX: usize = 64 << 10;

/// The longest secret that is read from a file, in bytes.
pub const SECRET_BYTES_MAX: usize = 64 << 10;
/// The shortest key of the API, in bytes.
pub const API_KEY_BYTES_MIN: usize = 12;

const _: () = assert!(SOCKET_CONNECTIONS < SOCKET_CONNECTIONS_MAX);
const _: () = assert!(SOCKET_PING_EVERY.as_secs() + SOCKET_PONG_TIMEOUT.as_secs() < 10);
const _: () = assert!(
    SOCKET_PING_EVERY.as_secs() + SOCKET_PONG_TIMEOUT.as_secs() + SOCKET_DEAF_GRACE.as_secs() < 15
);
const _: () = assert!(SLACK_BODY_BYTES_MAX < SOCKET_MESSAGE_BYTES_MAX);
const _: () = assert!(SOCKET_MESSAGE_BYTES_MAX <= SOCKET_STORING_BYTES_MAX);
const _: () = assert!(SOCKET_MESSAGE_BYTES_MAX < FRAME_BYTES_MAX);
const _: () = assert!(
    SOCKET_STOP_TIMEOUT.as_secs() + SOCKET_CLOSE_TIMEOUT.as_secs() < DRAIN_TIMEOUT.as_secs()
);
