//! Every limit of Headgate, in one place, with its unit in its name.
//!
//! A limit that other limits rest on is proved against them at compile time, at the end.

use std::time::Duration;

/// The longest `prompt_ready`, in bytes.
pub const PROMPT_BYTES_MAX: usize = 4096;
/// The longest value from outside that a prompt shows in one line, in bytes.
pub const PROMPT_VALUE_BYTES_MAX: usize = 200;
/// The deepest nesting of JSON that is delivered as JSON; deeper bodies are delivered as text.
pub const JSON_DEPTH_MAX: usize = 128;

/// The longest channel id, in bytes.
pub const CHANNEL_ID_BYTES_MAX: usize = 64;
/// The longest channel label, in bytes.
pub const CHANNEL_LABEL_BYTES_MAX: usize = 200;
/// The longest event type, in bytes.
pub const EVENT_TYPE_BYTES_MAX: usize = 200;
/// The longest dedupe key, in bytes; a longer one is replaced by its digest.
pub const DEDUPE_KEY_BYTES_MAX: usize = 512;
/// The longest thread key, in bytes; a longer one is replaced by its digest.
pub const THREAD_KEY_BYTES_MAX: usize = 512;
/// How long a dedupe key is remembered unless the channel says otherwise.
pub const DEDUPE_WINDOW_DEFAULT: Duration = Duration::from_secs(7 * 24 * 3600);

/// The largest request body unless the channel or its provider says otherwise, in bytes.
pub const BODY_BYTES_DEFAULT: usize = 10 << 20;
/// The largest request body that any channel may allow, in bytes.
pub const BODY_BYTES_MAX: usize = 48 << 20;
/// A body beyond this many bytes waits in a temporary file while it arrives.
pub const BODY_MEMORY_BYTES_MAX: usize = 1 << 20;
/// The bodies of all requests together, in bytes; beyond it new ones are answered 503.
pub const BODIES_IN_FLIGHT_BYTES_MAX: usize = 256 << 20;
/// The longest head of a request (request line and headers), in bytes.
pub const HEAD_BYTES_MAX: usize = 64 << 10;
/// The most headers of a request.
pub const HEADERS_MAX: usize = 100;
/// How long the head of a request may take.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a body may stand still.
pub const BODY_IDLE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a body may take before its rate is looked at.
pub const BODY_GRACE_TIMEOUT: Duration = Duration::from_secs(30);
/// The slowest rate of a body that is past its grace, in bytes a second.
pub const BODY_BYTES_PER_SECOND_MIN: u64 = 16 << 10;
/// How long a kept connection may be idle between requests.
pub const CONNECTION_IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// The most connections at one time.
pub const CONNECTIONS_MAX: usize = 20_000;
/// How long a graceful stop may take before connections are cut.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);

/// The largest event with its raw bytes that the queue takes, in bytes.
pub const FRAME_BYTES_MAX: usize = 64 << 20;
/// The most drafts in one call of the sink.
pub const DRAFTS_PER_ACCEPT_MAX: usize = 512;
/// The most events in one batch of the log.
pub const BATCH_EVENTS_MAX: usize = 512;
/// A batch takes no further event once it holds this many bytes.
pub const BATCH_BYTES_MAX: usize = 4 << 20;
/// Event and raw bytes together from this size on are compressed, in bytes.
pub const COMPRESS_BYTES_MIN: usize = 2 << 10;

/// The most events of one page of a list.
pub const LIST_EVENTS_MAX: usize = 500;
/// The events of one page of a list unless asked otherwise.
pub const LIST_EVENTS_DEFAULT: usize = 50;
/// The longest subscription name, in bytes.
pub const SUBSCRIPTION_NAME_BYTES_MAX: usize = 64;
/// The most subscriptions.
pub const SUBSCRIPTIONS_MAX: usize = 10_000;
/// The most deliveries of one lease call.
pub const LEASE_DELIVERIES_MAX: usize = 500;
/// The deliveries of one lease call unless asked otherwise.
pub const LEASE_DELIVERIES_DEFAULT: usize = 10;
/// The longest a lease call may wait for a delivery, in milliseconds.
pub const LEASE_WAIT_MS_MAX: u64 = 60_000;
/// How long a lease lasts unless asked otherwise, in milliseconds.
pub const LEASE_MS_DEFAULT: u64 = 60_000;
/// The longest a lease may last, in milliseconds.
pub const LEASE_MS_MAX: u64 = 12 * 3600 * 1000;
/// The most deliveries of one subscription that may be leased at one time.
pub const IN_FLIGHT_MAX: usize = 1_000;
/// How far leasing may run ahead of the oldest unsettled delivery, in events.
pub const SETTLED_AHEAD_MAX: u64 = 100_000;
/// The most ids in one settle call.
pub const SETTLE_IDS_MAX: usize = 5_000;
/// Attempts of a delivery before it is a dead letter.
pub const ATTEMPTS_DEFAULT: u32 = 8;
/// The wait before the second attempt.
pub const RETRY_FIRST_DEFAULT: Duration = Duration::from_secs(5);
/// The longest wait between two attempts.
pub const RETRY_LONGEST_DEFAULT: Duration = Duration::from_secs(3600);
/// How much longer each wait is than the one before it.
pub const RETRY_FACTOR: u32 = 3;
/// The longest wait a consumer may ask for when it gives a delivery back, in milliseconds.
pub const RETRY_AFTER_MS_MAX: u64 = 7 * 24 * 3600 * 1000;
/// The longest reason kept with a retry or a dead letter, in bytes.
pub const REASON_BYTES_MAX: usize = 1_024;
/// A live tail that is this many events behind jumps ahead and is told how many it missed.
pub const TAIL_BEHIND_EVENTS_MAX: u64 = 10_000;

const _: () = assert!(BODY_MEMORY_BYTES_MAX <= BODY_BYTES_DEFAULT);
const _: () = assert!(BODY_BYTES_DEFAULT <= BODY_BYTES_MAX);
const _: () = assert!(BODY_BYTES_MAX < FRAME_BYTES_MAX);
const _: () = assert!(BODY_BYTES_MAX <= BODIES_IN_FLIGHT_BYTES_MAX);
const _: () = assert!(LEASE_DELIVERIES_DEFAULT <= LEASE_DELIVERIES_MAX);
const _: () = assert!(LEASE_DELIVERIES_MAX <= IN_FLIGHT_MAX);
const _: () = assert!(LEASE_MS_DEFAULT <= LEASE_MS_MAX);
const _: () = assert!((IN_FLIGHT_MAX as u64) < SETTLED_AHEAD_MAX);
const _: () = assert!(LIST_EVENTS_DEFAULT <= LIST_EVENTS_MAX);
const _: () = assert!(DRAFTS_PER_ACCEPT_MAX <= BATCH_EVENTS_MAX);
