//! What bounds pushes and the order of deliveries.

use super::{INDEX_READERS_KEPT, LEASE_DELIVERIES_MAX, LEASE_MS_MAX, RETRY_AFTER_MS_MAX};
use std::time::Duration;

/// The most events of one subscription that wait for an earlier one of their thread; beyond it
/// nothing is leased for the first time until a thread goes on.
pub const HELD_BACK_EVENTS_MAX: usize = 16_384;

/// The memory for events that were leased lately, in bytes: other subscriptions take them from it.
pub const SHELF_BYTES_MAX: usize = 8 << 20;
/// The largest event that is kept there, in bytes.
pub const SHELF_EVENT_BYTES_MAX: usize = 64 << 10;
/// What an event takes there besides its text, in bytes.
pub const SHELF_EVENT_OVERHEAD_BYTES: usize = 1 << 10;
/// The most events that a lease looks at there before it looks again.
pub const SHELF_LOOKS_MAX: usize = 512;
/// The same when it has to look into each of them.
pub const SHELF_LOOKS_INSIDE_MAX: usize = 16;
/// The most leases that read their next event at one time, and the most that look for what they
/// want: more would wait for each other anyway.
pub const LEASE_READS_AT_ONCE_MAX: usize = 4;

/// How long one attempt of a push may take unless it is told otherwise, in milliseconds.
pub const PUSH_TIMEOUT_MS_DEFAULT: u64 = 15_000;
/// The longest that one attempt of a push may take, in milliseconds.
pub const PUSH_TIMEOUT_MS_MAX: u64 = 300_000;
/// How much longer than an attempt its lease lasts, so that its settlement comes in time.
pub const PUSH_LEASE_BEYOND: Duration = Duration::from_secs(60);
/// How many events of one push are on their way at one time unless it is told otherwise.
pub const PUSH_IN_FLIGHT_DEFAULT: u32 = 16;
/// The most attempts a second that a push may be told.
pub const PUSH_RATE_MAX: u64 = 100_000;
/// The attempts of a pushed delivery before it is a dead letter: with the waits between them, more
/// than three days.
pub const PUSH_ATTEMPTS_DEFAULT: u32 = 97;
/// The longest URL of a push, in bytes.
pub const PUSH_URL_BYTES_MAX: usize = 2_048;
/// The most headers that a push may be told to send.
pub const PUSH_HEADERS_MAX: usize = 32;
/// The longest value of such a header, in bytes.
pub const PUSH_HEADER_BYTES_MAX: usize = 4_096;
/// The most secrets that one push signs with.
pub const PUSH_SECRETS_MAX: usize = 8;
/// The shortest secret of a push, in bytes, as Standard Webhooks has it.
pub const PUSH_SECRET_BYTES_MIN: usize = 24;
/// The longest secret of a push, in bytes, as Standard Webhooks has it.
pub const PUSH_SECRET_BYTES_MAX: usize = 64;
/// The largest certificates of a push, in bytes.
pub const PUSH_CA_BYTES_MAX: usize = 64 << 10;
/// What is kept of an endpoint's answer, in bytes.
pub const PUSH_ANSWER_KEPT_BYTES: usize = 1 << 10;
/// How much of an answer is read before its connection is given up, in bytes.
pub const PUSH_ANSWER_READ_BYTES: usize = 64 << 10;
/// The longest wait that an endpoint's `Retry-After` is honoured for.
pub const PUSH_RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3600);
/// So many attempts that fail one after the other open the breaker of an endpoint.
pub const PUSH_BREAKER_FAILURES: u32 = 5;
/// How long a breaker stays open at first; each time that its trial fails, twice as long.
pub const PUSH_BREAKER_FIRST: Duration = Duration::from_secs(1);
/// The longest that a breaker stays open, unless the endpoint asks for more time.
pub const PUSH_BREAKER_LONGEST: Duration = Duration::from_secs(60);
/// How long a push waits for its next event before it asks again.
pub const PUSH_LEASE_WAIT: Duration = Duration::from_secs(30);
/// The most events that a push leases at one time.
pub const PUSH_LEASE_DELIVERIES_MAX: usize = 128;
/// The most attempts of one push that wait for their settlement; beyond it nothing is leased.
pub const PUSH_UNSETTLED_MAX: usize = 512;
/// What the events of one push that are on their way may take of memory without asking for room
/// among all, in bytes. An event counts twice: as it was leased, and as what is posted of it.
pub const PUSH_OWN_BYTES_MAX: usize = 512 << 10;
/// What the events of all pushes may take beyond that together, in bytes.
pub const PUSH_POOL_BYTES_MAX: usize = 256 << 20;
/// What one push may have of it, in bytes; one event that is larger has all of it alone.
pub const PUSH_SHARE_BYTES_MAX: usize = 64 << 20;
/// So many bytes of events are leased at least once there is room for them among all.
pub const PUSH_LEASE_BYTES: usize = 1 << 20;
/// An event with more bytes is written and signed on a thread that may be held up.
pub const PUSH_WRITTEN_INLINE_BYTES_MAX: usize = 64 << 10;
/// How long a push waits when the queue does not answer it.
pub const PUSH_QUEUE_PAUSE: Duration = Duration::from_secs(1);
/// How often it is looked whether there are other pushes, when nobody says that there are.
pub const PUSH_LOOK_EVERY: Duration = Duration::from_secs(30);
/// How long a connection to an endpoint is kept without use.
pub const PUSH_IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// The most look-ups of names for all pushes together at one time; one push has one.
pub const PUSH_LOOKUPS_MAX: usize = 64;
/// How long the addresses of a name are used before it is looked up again.
pub const PUSH_ADDRESSES_KEPT: Duration = Duration::from_secs(30);
/// The attempts that are kept of all pushes together, of those that worked and of those that
/// failed so many each.
pub const ATTEMPTS_KEPT_MAX: u64 = 100_000;
/// The most attempts that are shown of one event.
pub const ATTEMPTS_SHOWN_MAX: usize = 1_000;

const _: () = assert!(PUSH_SECRET_BYTES_MIN <= PUSH_SECRET_BYTES_MAX);
const _: () = assert!(PUSH_ANSWER_KEPT_BYTES <= PUSH_ANSWER_READ_BYTES);
const _: () = assert!(PUSH_RETRY_AFTER_MAX.as_millis() <= RETRY_AFTER_MS_MAX as u128);
const _: () =
    assert!(PUSH_TIMEOUT_MS_MAX as u128 + PUSH_LEASE_BEYOND.as_millis() <= LEASE_MS_MAX as u128);
const _: () = assert!(PUSH_SHARE_BYTES_MAX <= PUSH_POOL_BYTES_MAX);
const _: () = assert!(2 * PUSH_LEASE_BYTES <= PUSH_SHARE_BYTES_MAX);
const _: () = assert!(PUSH_POOL_BYTES_MAX <= u32::MAX as usize);
const _: () = assert!(PUSH_TIMEOUT_MS_DEFAULT <= PUSH_TIMEOUT_MS_MAX);
const _: () = assert!(SHELF_EVENT_BYTES_MAX <= SHELF_BYTES_MAX);
const _: () = assert!(LEASE_DELIVERIES_MAX <= SHELF_LOOKS_MAX);
const _: () = assert!(2 * LEASE_READS_AT_ONCE_MAX <= INDEX_READERS_KEPT);
