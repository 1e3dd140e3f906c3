//! The limits of what is fetched from senders: certificates, keys, confirmations; and of
//! handshakes.

use std::time::Duration;

/// Fetches: how long what came is taken as it is.
pub const FETCHED_FRESH: Duration = Duration::from_secs(6 * 3600);
/// Fetches: what is known may be fetched again after this time, whatever else is: a set of keys
/// that lacks the one that is asked for, a certificate that is no longer fresh.
pub const FETCHED_AGAIN_AFTER: Duration = Duration::from_secs(60);
/// Fetches: the most things that are kept for each channel; the oldest goes first.
pub const FETCHED_COUNT_MAX: usize = 64;
/// Fetches: the most that begin within a minute for each channel, of what was not known before.
pub const FETCHES_PER_MINUTE_MAX: usize = 60;
/// Fetches: the largest answer, in bytes.
pub const FETCHED_BYTES_MAX: usize = 256 << 10;
/// Fetches: how long one may take, with looking up the name and shaking hands.
pub const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// Handshakes: the largest body, in bytes.
pub const HANDSHAKE_BYTES_MAX: usize = 1 << 20;
/// Handshakes: the longest challenge that is answered, in bytes.
pub const CHALLENGE_BYTES_MAX: usize = 1024;
/// Handshakes: the most values that are kept of one channel for its operator.
pub const CAPTURES_MAX: usize = 8;
