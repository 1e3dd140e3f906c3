//! The limits of what is kept of refused requests.

use super::{BODIES_IN_FLIGHT_BYTES_MAX, BODY_BYTES_MAX, HEAD_BYTES_MAX};
use std::time::Duration;

/// The refused requests that the quarantine keeps unless the configuration says otherwise.
pub const QUARANTINE_COUNT_DEFAULT: u64 = 10_000;
/// The most refused requests that the quarantine may be told to keep.
pub const QUARANTINE_COUNT_MAX: u64 = 1_000_000;
/// What the quarantine holds unless the configuration says otherwise, in bytes.
pub const QUARANTINE_BYTES_DEFAULT: u64 = 256 << 20;
/// The least and the most that the quarantine may be told to hold, in bytes.
pub const QUARANTINE_BYTES_MIN: u64 = 1 << 20;
/// See [`QUARANTINE_BYTES_MIN`].
pub const QUARANTINE_BYTES_MAX: u64 = 1 << 40;
/// How long a refused request is kept unless the configuration says otherwise.
pub const QUARANTINE_AGE_DEFAULT: Duration = Duration::from_secs(7 * 24 * 3600);
/// The longest that a refused request may be kept.
pub const QUARANTINE_AGE_MAX: Duration = Duration::from_secs(366 * 24 * 3600);
/// A refused request that takes more than the bytes of the quarantine divided by this is kept
/// without its body.
pub const QUARANTINE_PARTS: u64 = 8;
/// The most refused requests that wait to be written; one channel has at most half of it.
pub const QUARANTINE_WAITING_MAX: usize = 512;
/// The refused requests that wait to be written, in bytes; one channel has at most half of it.
pub const QUARANTINE_WAITING_BYTES_MAX: usize = 128 << 20;
/// The most refused requests that are written with one commit.
pub const QUARANTINE_BATCH_MAX: usize = 128;
/// How fast refused requests are written, in requests a second: a flood has no more of the disk.
pub const QUARANTINE_WRITES_PER_SECOND_MAX: u32 = 1_000;
/// How fast refused requests are written, in bytes a second.
pub const QUARANTINE_WRITE_BYTES_PER_SECOND_MAX: u32 = 8 << 20;
/// How often what is too old is looked for while nothing is refused.
pub const QUARANTINE_EXPIRE_EVERY: Duration = Duration::from_secs(60);
/// How long a look into the quarantine waits for what was refused before it.
pub const QUARANTINE_SETTLE_WAIT: Duration = Duration::from_secs(2);

const _: () = assert!(BODY_BYTES_MAX + HEAD_BYTES_MAX <= QUARANTINE_WAITING_BYTES_MAX / 2);
const _: () = assert!(QUARANTINE_WAITING_BYTES_MAX <= BODIES_IN_FLIGHT_BYTES_MAX / 2);
const _: () = assert!(QUARANTINE_COUNT_DEFAULT <= QUARANTINE_COUNT_MAX);
const _: () = assert!(QUARANTINE_BYTES_MIN / QUARANTINE_PARTS >= HEAD_BYTES_MAX as u64);
