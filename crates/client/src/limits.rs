//! Every limit of the client. Those of the gateway are in `headgate_event::limits`.

use headgate_event::limits::{
    self, API_BODY_BYTES_MAX, IN_FLIGHT_MAX, LEASE_DELIVERIES_MAX, LEASE_WAIT_MS_MAX,
    SETTLE_IDS_MAX, SUBSCRIPTION_NAME_BYTES_MAX,
};
use std::time::Duration;

/// How many handlers run at one time, when nothing is said.
pub(crate) const CONCURRENCY_DEFAULT: usize = 32;
/// How many may run at one time.
pub(crate) const CONCURRENCY_MAX: usize = IN_FLIGHT_MAX;
/// How long a lease lasts, when nothing is said.
pub(crate) const LEASE_DEFAULT: Duration = Duration::from_secs(60);
/// How long a handler may take, when nothing is said.
pub(crate) const HANDLER_TIMEOUT_DEFAULT: Duration = Duration::from_secs(900);
/// How long what is in hand has at a stop, when nothing is said.
pub(crate) const DRAIN_TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);
/// What is left to say when that is over may take so long.
pub(crate) const LAST_WORDS_TIMEOUT: Duration = Duration::from_secs(5);
/// The last of what is leased to us at a stop may take so long to come.
pub(crate) const LAST_ANSWER_TIMEOUT: Duration = Duration::from_millis(500);
/// What a client that stops gives back comes again after this: its own line is closed by then, and
/// would be given it otherwise.
pub(crate) const GIVEN_BACK_AFTER: Duration = Duration::from_secs(1);
/// What could not be said is said again after this.
pub(crate) const SAID_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// A lease is renewed when this part of it is over: two failures in a row cost nothing.
pub(crate) const RENEWED_AFTER_PART: u32 = 3;
/// Work that was done and could not be settled is known for so long when it comes again.
pub(crate) const DONE_KEPT: Duration = Duration::from_secs(4 * 3600);
/// And so much of it at most.
pub(crate) const DONE_MAX: usize = 10_000;
/// Errors of a stream may lag behind so many verdicts, beyond twice the concurrency.
pub(crate) const ERRORS_LAG_MAX: usize = 64;
/// So many verdicts are said at one go: one settle call has room for them, whatever their reasons.
pub(crate) const SAID_AT_ONCE_MAX: usize = 1_000;
/// The longest reason that is sent, in bytes.
pub(crate) const REASON_BYTES_MAX: usize = 1_000;
/// Connecting may take so long.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// An answer may take so long, beyond what the call itself asks to wait.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest answer and the largest frame, in bytes: one event, with a body of characters that
/// JSON writes with six at worst.
pub(crate) const ANSWER_BYTES_MAX: usize = 512 << 20;
pub(crate) const FRAME_BYTES_MAX: usize = 512 << 20;
/// A stream on which nothing comes for so long, not even a ping, is gone.
pub(crate) const SILENCE_MAX: Duration = Duration::from_secs(90);
/// So many frames are read at one go before something is said.
pub(crate) const FRAMES_AT_ONCE_MAX: usize = 256;
/// A long poll waits for so long.
pub(crate) const POLL_WAIT_MS: u64 = 20_000;
/// After so long of long polls a WebSocket is tried again.
pub(crate) const POLLED_FOR: Duration = Duration::from_secs(300);
/// So many streams in a row that end before their hello were cut by something in between.
pub(crate) const CUT_STREAMS_MAX: u32 = 3;
/// A call that may be made twice is tried so often.
pub(crate) const TRIES_MAX: u32 = 4;
/// The first and the longest wait between two tries, and the longest that a gateway may ask for.
pub(crate) const WAIT_FIRST: Duration = Duration::from_millis(250);
pub(crate) const WAIT_LONGEST: Duration = Duration::from_secs(30);
pub(crate) const WAIT_ASKED_MAX: Duration = Duration::from_secs(300);

const _: () = assert!(POLL_WAIT_MS <= LEASE_WAIT_MS_MAX);
const _: () = assert!(8 * limits::FRAME_BYTES_MAX <= FRAME_BYTES_MAX);
const _: () = assert!(FRAME_BYTES_MAX <= ANSWER_BYTES_MAX);
const _: () = assert!(CONCURRENCY_DEFAULT <= CONCURRENCY_MAX);
const _: () = assert!(LEASE_DELIVERIES_MAX <= CONCURRENCY_MAX);
// What is said at one go, and all leases that are renewed beside it, fits one settle call. JSON
// writes a control character with six bytes; an id is the subscription's name and three numbers.
const TERMS_BYTES_MAX: usize = SUBSCRIPTION_NAME_BYTES_MAX + 160;
const _: () = assert!(SAID_AT_ONCE_MAX + CONCURRENCY_MAX <= SETTLE_IDS_MAX);
const _: () = assert!(
    SAID_AT_ONCE_MAX * (6 * REASON_BYTES_MAX + TERMS_BYTES_MAX) + CONCURRENCY_MAX * TERMS_BYTES_MAX
        <= API_BODY_BYTES_MAX
);
