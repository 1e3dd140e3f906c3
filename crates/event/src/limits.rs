//! Every limit of Headgate, in one place, with its unit in its name.
//!
//! A limit that other limits rest on is proved against them at compile time, at the end.

mod socket;
pub use socket::*;

use std::time::Duration;

mod fetch;
pub use fetch::*;

mod cron;
pub use cron::*;
mod push;
pub use push::*;
mod smtp;
pub use smtp::*;

mod mail;
pub use mail::*;

mod replay;
pub use replay::*;
mod app;
pub use app::*;
mod inbound;
pub use inbound::*;
mod quarantine;
pub use quarantine::*;

/// The longest `prompt_ready`, in bytes.
pub const PROMPT_BYTES_MAX: usize = 4096;
/// The longest value from outside that a prompt shows in one line, in bytes.
pub const PROMPT_VALUE_BYTES_MAX: usize = 200;
/// The longest line of a prompt that is not text from outside, in bytes.
pub const PROMPT_LINE_BYTES_MAX: usize = 1000;
/// A prompt template of a provider file stops once it made this many bytes.
pub const TEMPLATE_BYTES_MAX: usize = 64 << 10;
/// The most items of a list that a prompt template goes through.
pub const TEMPLATE_ITEMS_MAX: usize = 100;
/// The most lines of the outline of an unknown body.
pub const OUTLINE_FACTS_MAX: usize = 30;
/// The lines of the outline of an unknown body together, in bytes.
pub const OUTLINE_FACTS_BYTES_MAX: usize = 2048;
/// The most long texts of the outline of an unknown body.
pub const OUTLINE_TEXTS_MAX: usize = 4;
/// The most items that the outline shows of an array.
pub const OUTLINE_ITEMS_MAX: usize = 5;
/// The most values of an unknown body that its outline looks at.
pub const OUTLINE_VALUES_MAX: usize = 2000;
/// The most pairs of one object that the outline looks at.
pub const OUTLINE_PAIRS_MAX: usize = 200;
/// How deep the outline looks into an unknown body.
pub const OUTLINE_DEPTH_MAX: usize = 8;
/// The deepest nesting of JSON that is delivered as JSON; deeper bodies are delivered as text.
pub const JSON_DEPTH_MAX: usize = 128;
/// The most values and keys of JSON that is delivered as JSON; bodies with more are delivered as
/// text. It keeps a body of nothing but `0,0,0` from taking many times its size in memory.
pub const JSON_VALUES_MAX: usize = 4 << 20;

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
/// The longest a dedupe key is remembered.
pub const DEDUPE_WINDOW_MAX: Duration = Duration::from_secs(90 * 24 * 3600);

/// The largest request body unless the channel or its provider says otherwise, in bytes.
pub const BODY_BYTES_DEFAULT: usize = 10 << 20;
/// The largest request body that any channel may allow, in bytes.
pub const BODY_BYTES_MAX: usize = 48 << 20;
/// The most encodings of one body that are undone.
pub const CODINGS_MAX: usize = 3;
/// How many times larger than it came a body may become when its encoding is undone. It counts
/// once the body is beyond [`BODY_MEMORY_BYTES_MAX`]; smaller ones may be as compressible as they
/// like.
pub const DECODED_RATIO_MAX: usize = 100;
/// The window of a brotli decoder may have this many bytes (RFC 7932, section 9.1).
pub const BROTLI_WINDOW_BYTES_MAX: usize = 16 << 20;
/// A body beyond this many bytes waits in a temporary file while it arrives.
pub const BODY_MEMORY_BYTES_MAX: usize = 1 << 20;
/// The bodies of all requests together, in bytes; beyond it new ones are answered 503.
pub const BODIES_IN_FLIGHT_BYTES_MAX: usize = 256 << 20;
/// When a sender whose body found no room may try again.
pub const BODY_RETRY_AFTER: Duration = Duration::from_secs(5);
/// How long a whole body may wait in its temporary file for memory.
pub const BODY_MEMORY_WAIT: Duration = Duration::from_secs(5);
/// The temporary files of all bodies together, in bytes; beyond it new ones are answered 503.
pub const SPOOL_BYTES_MAX: usize = 4 << 30;
/// A spooled body is written to its file in parts of about this many bytes.
pub const SPOOL_WRITE_BYTES: usize = 256 << 10;
/// The longest head of a request (request line and headers), in bytes.
pub const HEAD_BYTES_MAX: usize = 64 << 10;
/// The most headers of a request.
pub const HEADERS_MAX: usize = 100;
/// The most hops that are read of what proxies say of where a request comes from.
pub const FORWARDED_HOPS_MAX: usize = 32;
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
/// How long an answer may wait for its client to take any of it.
pub const ANSWER_STALL_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a connection that is closed early goes on discarding what its client still sends, so
/// that the answer arrives before the reset.
pub const LINGER_TIMEOUT: Duration = Duration::from_secs(2);
/// How long accepting pauses when the system has no room for another connection.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long a TLS handshake may take.
pub const TLS_HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How often the files of a certificate are looked at.
pub const TLS_LOOK_EVERY: Duration = Duration::from_secs(60);
/// The most requests at one time on one HTTP/2 connection.
pub const STREAMS_PER_CONNECTION_MAX: u32 = 128;
/// How much of its bodies an HTTP/2 connection may send before they are read while there are few
/// connections, in bytes.
pub const CONNECTION_WINDOW_BYTES_MAX: u32 = 1 << 20;
/// How much it may when there are many, in bytes: the least that RFC 9113 (6.9.2) allows.
pub const CONNECTION_WINDOW_BYTES_MIN: u32 = (64 << 10) - 1;
/// What the windows of all HTTP/2 connections are meant to add up to, in bytes.
pub const CONNECTION_WINDOWS_BYTES: usize = 128 << 20;
/// The streams of an HTTP/2 connection that hyper may reset because of their client's mistakes.
pub const STREAM_ERRORS_MAX: usize = 256;
/// The streams of an HTTP/2 connection that may be reset before anyone has looked at them.
pub const STREAM_RESETS_UNSEEN_MAX: usize = 64;
/// The frames that an HTTP/2 client may send at once without asking for anything by them.
pub const IDLE_FRAMES_MAX: u64 = 2_000;
/// How many of them it may send a second.
pub const IDLE_FRAMES_PER_SECOND: u64 = 100;
/// A reset counts as so many of them: its stream was opened for nothing.
pub const RESET_COST_FRAMES: u64 = 10;
/// It may send one more for so many bytes that it has taken.
pub const WRITTEN_BYTES_PER_IDLE_FRAME: usize = 1 << 10;
/// A smaller frame of a body counts as one of them, in bytes.
pub const DATA_FRAME_BYTES_MIN: usize = 64;
/// An answer is given to an HTTP/2 connection in parts of so many bytes, so that what its client
/// does not take is not kept twice.
pub const ANSWER_PART_BYTES: usize = 16 << 10;
/// The most connections at one time.
pub const CONNECTIONS_MAX: usize = 20_000;
/// The most connections at one time from one address (of IPv6: from one /64).
pub const CONNECTIONS_PER_NETWORK_MAX: usize = 1_000;
/// What a connection may hold of heads without being counted, in bytes.
pub const HEAD_BYTES_FREE: usize = 8 << 10;
/// What all connections may hold of heads beyond that, in bytes.
pub const HEADS_IN_FLIGHT_BYTES_MAX: usize = 64 << 20;
/// So much of a body is read in small parts, so that one which stands still holds little, in bytes.
pub const BODY_SMALL_READS_BYTES: u64 = 128 << 10;
/// The files that are open beside connections (the log, the index, bodies on their way), with room.
pub const FILES_BESIDE_CONNECTIONS: u64 = 512;
/// The longest that a stop may go on listening, so that balancers see that it is no longer ready.
pub const DRAIN_DELAY_MAX: Duration = Duration::from_secs(300);
/// How long a graceful stop may take before connections are cut.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);

/// The largest event with its raw bytes that the queue takes, in bytes.
pub const FRAME_BYTES_MAX: usize = 64 << 20;
/// The most drafts in one call of the sink.
pub const DRAFTS_PER_ACCEPT_MAX: usize = 512;
/// How many times larger than a body its events may be together, where each of them keeps what is
/// around it. It counts once they are beyond [`BODY_MEMORY_BYTES_MAX`].
pub const SPLIT_RATIO_MAX: usize = 16;
/// The most events in one batch of the log.
pub const BATCH_EVENTS_MAX: usize = 512;
/// A batch takes no further event once it holds this many bytes.
pub const BATCH_BYTES_MAX: usize = 4 << 20;
/// A call of the sink with so many bytes is written to a file of its own first, so that small
/// ones do not wait for it.
pub const LARGE_CALL_BYTES_MIN: usize = BATCH_BYTES_MAX;
/// How much of such a call is written and synced at once, in bytes.
pub const LARGE_SLICE_BYTES: usize = 1 << 20;
/// The most such calls that wait for the one before them; more wait with their senders.
pub const LARGE_CALLS_QUEUED_MAX: usize = 16;
/// An event whose raw bytes or `data` have this size is stored compressed, in bytes.
pub const COMPRESS_BYTES_MIN: usize = 2 << 10;
/// A call of the sink with so many bytes is made ready, and looked up, on a thread where it holds
/// up no other.
pub const BLOCKING_BYTES_MIN: usize = 64 << 10;
/// The drafts of one call of the sink together, in bytes.
pub const ACCEPT_BYTES_MAX: usize = 128 << 20;
/// The most calls of the sink that wait for the writer of the log.
pub const APPENDS_QUEUED_MAX: usize = 4_096;
/// A segment of the log gets no further batch once it holds this many bytes.
pub const SEGMENT_BYTES_MAX: u64 = 64 << 20;
/// The most segments of the log that are held open for reading.
pub const SEGMENTS_OPEN_MAX: usize = 64;
/// The most events that the index may be behind; beyond it new ones wait.
pub const INDEX_LAG_EVENTS_MAX: u64 = 262_144;
/// How long a new event waits for an index that is too far behind.
pub const INDEX_LAG_WAIT: Duration = Duration::from_secs(5);
/// What is kept free on the disk of the log, in bytes: below it nothing is taken, so that what was
/// taken before, the index and the settlements still find room.
pub const DISK_FREE_BYTES_MIN: u64 = 128 << 20;
/// How much more than that must be free before events are taken again, in bytes.
pub const DISK_FREE_AGAIN_BYTES: u64 = 16 << 20;
/// How often it is looked how much is free, and whether a log that could not write can.
pub const DISK_CHECK_EVERY: Duration = Duration::from_secs(1);
/// What is written to see whether a disk that was full has room again, in bytes.
pub const DISK_PROBE_BYTES: usize = 64 << 10;
/// When a sender is told to try again while nothing can be stored.
pub const STORE_RETRY_AFTER: Duration = Duration::from_secs(5);
/// Dedupe keys that the log keeps in memory although the index has them, so that a look into the
/// index stays good for a while.
pub const DEDUPE_KEPT_EVENTS: u64 = 65_536;

/// The memory of all filters together that spare looks for dedupe keys, in bytes: beyond it the
/// index is asked again.
pub const DEDUPE_FILTER_BYTES_MAX: usize = 16 << 20;
/// The memory of such a filter for a key, in bits: of keys that are not there, fewer than one in a
/// hundred is looked for.
pub const DEDUPE_FILTER_BITS_A_KEY: usize = 16;
/// The keys that the filter of a day takes before it grows.
pub const DEDUPE_FILTER_KEYS_MIN: usize = 4_096;
/// The keys that are read into a filter at a time, between what is more pressing.
pub const DEDUPE_FILTER_STEP_KEYS: usize = 8_192;
/// The most events that one transaction of the index takes.
pub const INDEX_TRANSACTION_EVENTS_MAX: usize = 16_384;
/// How many events the index takes before the state notes how far the log is.
pub const NEWEST_NOTED_EVENTS: u64 = 1_024;
/// The index looks for what else there is to do after so many rounds, also while events come.
pub const INDEX_TIDY_ROUNDS: u32 = 16;
/// How long the index waits for more events before a transaction: they are served from memory.
pub const INDEX_LINGER: Duration = Duration::from_millis(50);
/// With so many events in that time it waits for more.
pub const INDEX_BUSY_EVENTS: u64 = 256;
/// How much longer it waits then.
pub const INDEX_LINGER_BUSY: Duration = Duration::from_millis(200);
/// The write-ahead log of the index is written back when it has this many pages.
pub const INDEX_CHECKPOINT_PAGES: u32 = 4_096;
/// Idle connections that read the index.
pub const INDEX_READERS_KEPT: usize = 8;
/// Prepared statements that a connection to the index keeps.
pub const INDEX_STATEMENTS_KEPT: usize = 128;
/// How often one call of the sink looks into the index before it gives up.
pub const LOOKS_PER_ACCEPT_MAX: usize = 16;
/// How many of those looks follow on each other at once.
pub const LOOKS_AT_ONCE_MAX: usize = 3;
/// The pause before each one after them.
pub const LOOK_PAUSE: Duration = Duration::from_millis(10);
/// How long the index waits after a transaction that failed.
pub const INDEX_RETRY_PAUSE: Duration = Duration::from_secs(1);
/// The write-ahead log of the state is written back after so many changed rows and commits when
/// nobody waits.
pub const STATE_CHECKPOINT_CHANGES: u64 = 512;
/// The same when somebody always waits.
pub const STATE_CHECKPOINT_CHANGES_MAX: u64 = 8_192;
/// How long a commit of the state waits for another program that has the file.
pub const STATE_BUSY_WAIT: Duration = Duration::from_millis(250);
/// The most calls that change the state and wait for its writer.
pub const STATE_CALLS_QUEUED_MAX: usize = 1_024;
/// The most calls that one commit of the state takes.
pub const STATE_COMMIT_CALLS_MAX: usize = 512;
/// A floor that has moved this far without a settlement is noted on disk, so that a restart does
/// not look at so many events again.
pub const FLOOR_NOTE_EVENTS: u64 = 4_096;
/// Reading many events ends after this many bytes of frames, and after one event at least.
pub const READ_BYTES_MAX: usize = 16 << 20;

/// An export is written in pieces of about this many bytes, and of one event at least.
pub const EXPORT_PIECE_BYTES: usize = 64 << 10;
/// The most events that an export reads at one time.
pub const EXPORT_READ_EVENTS_MAX: usize = 64;
/// The longest line of an export, in bytes: the largest event with its raw bytes once as text in
/// which every byte is escaped and once in base64.
pub const EXPORT_LINE_BYTES_MAX: usize = 512 << 20;
/// A backup copies segments in parts of this many bytes.
pub const BACKUP_COPY_BYTES: u64 = 1 << 20;
/// The longest segment that a repair reads, in bytes. It holds one in memory.
pub const REPAIR_SEGMENT_BYTES_MAX: u64 = 512 << 20;
/// The most ids of lost events that a repair tells of one place.
pub const REPAIR_IDS_TOLD_MAX: usize = 1_000;
/// The most exports over the API at one time.
pub const EXPORTS_MAX: usize = 4;

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
/// The most deliveries of one subscription that may wait for another attempt at one time; beyond
/// it nothing is leased for the first time.
pub const DEFERRED_MAX: usize = 100_000;
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
/// The dead letters of a subscription whose events are gone, of which the newest stay.
pub const LETTERS_WITHOUT_EVENT_MAX: usize = 1_000;
/// The most deliveries that one commit of the state lets expire, and the most letters it forgets.
pub const EXPIRED_PER_COMMIT_MAX: usize = 4_096;
/// Retention by age acts on slices of the log: an event may stay longer by this part of the age.
pub const RETENTION_AGE_PARTS: u32 = 8;
/// The shortest age for retention.
pub const RETENTION_AGE_MIN: Duration = Duration::from_secs(1);
/// The fewest bytes for retention: what is being written is never removed.
pub const RETENTION_BYTES_MIN: u64 = 2 * SEGMENT_BYTES_MAX;
/// The longest time between two looks at what is past retention.
pub const RETENTION_EVERY_MAX: Duration = Duration::from_secs(60);
/// The shortest time between two looks at what is past retention.
pub const RETENTION_EVERY_MIN: Duration = Duration::from_secs(1);
/// A wall clock that is so far from where it should be has leapt: by its time nothing is removed.
pub const CLOCK_LEAP_MIN: Duration = Duration::from_secs(3600);
/// How long a clock that has leapt has to stand before its time is believed.
pub const CLOCK_GRACE: Duration = Duration::from_secs(6 * 3600);
/// How far a clock that is doubted may have gone on over a stop, and still stand where it stood:
/// longer than a weekend. How long it has stood counts on then.
pub const CLOCK_STOP_MAX: Duration = Duration::from_secs(3 * 24 * 3600);
/// How old the time that the state keeps may get.
pub const CLOCK_NOTE_EVERY: Duration = Duration::from_secs(15 * 60);
/// The most rows of the index that one transaction of retention takes away.
pub const INDEX_TRIM_ROWS_MAX: u64 = 8_192;
/// How often erasing asks for the write-ahead logs to be written back before it is put off.
pub const ERASE_CHECKPOINTS_MAX: usize = 20;
/// How long erasing waits for a backup or retention before it is refused for now.
pub const ERASE_TURN_WAIT: Duration = Duration::from_secs(20);
/// How long erasing waits for readers of the index or the state before it asks again.
pub const ERASE_CHECKPOINT_PAUSE: Duration = Duration::from_millis(50);
/// A live tail that is this many events behind jumps ahead and is told how many it missed.
pub const TAIL_BEHIND_EVENTS_MAX: u64 = 10_000;

/// How often histograms are counted up, whether anybody asks for metrics or not.
pub const METRICS_UPKEEP_EVERY: Duration = Duration::from_secs(5);
/// The largest body of a call to the API, in bytes.
pub const API_BODY_BYTES_MAX: usize = 8 << 20;
/// The most values of one filter (types, channels, providers, keys).
pub const FILTER_VALUES_MAX: usize = 100;
/// The longest value of a filter by a key, in bytes.
pub const FILTER_VALUE_BYTES_MAX: usize = 1_024;
/// The largest message a stream's client may send, in bytes.
pub const STREAM_MESSAGE_BYTES_MAX: usize = 64 << 10;
/// The most messages of a stream's client that are settled with one commit.
pub const STREAM_MESSAGES_PER_SETTLE_MAX: usize = 256;
/// The most error frames that wait for a stream's client to read them.
pub const STREAM_ERRORS_WAITING_MAX: usize = 64;
/// The deliveries a stream's client may hold unsettled unless it asks otherwise.
pub const STREAM_IN_FLIGHT_DEFAULT: usize = 32;
/// The most deliveries a stream leases at one time.
pub const STREAM_LEASE_DELIVERIES_MAX: usize = 64;
/// The most events a live tail reads at one time.
pub const TAIL_READ_EVENTS_MAX: usize = 64;
/// How often a stream's client is pinged.
pub const STREAM_PING_EVERY: Duration = Duration::from_secs(20);
/// A stream's client that says nothing for so long, not even a pong, is taken for dead.
pub const STREAM_SILENCE_MAX: Duration = Duration::from_secs(120);
/// How long a stream that closes waits for its client's last words.
pub const STREAM_CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// The most bytes of server-sent events that are given to a connection at one time.
pub const EVENT_SOURCE_PIECE_BYTES_MAX: usize = 64 << 10;
/// How long a client of server-sent events is told to wait before it connects again.
pub const EVENT_SOURCE_RETRY: Duration = Duration::from_secs(2);
/// The rejections that one call to release looks at unless asked otherwise.
pub const RELEASE_DEFAULT: usize = 100;
/// The rejections that one call lists as still refused; more are only counted.
pub const RELEASE_REFUSED_SHOWN_MAX: usize = 100;
/// The first refusal of a channel with a code is logged, and the next one after this long.
pub const REFUSAL_LOG_EVERY: Duration = Duration::from_secs(60);

/// Slack: largest body of a request, in bytes. Its own payloads stay far below.
pub const SLACK_BODY_BYTES_MAX: usize = 1 << 20;
/// Slack: how many whole seconds a signed time may be from ours, both ways.
pub const SLACK_SIGNED_AGE_S_MAX: u64 = 300;
/// Slack: the difference of clocks, in whole seconds, from which on the log warns.
pub const SLACK_CLOCK_SKEW_S_WARNED: u64 = 60;
/// Slack: how long a repeat of an event is known. Its retries may go on for a day and six minutes.
pub const SLACK_DEDUPE_WINDOW_DEFAULT: Duration = Duration::from_secs(48 * 3600);
/// Slack: an answer that took longer is counted; Slack waits 3 s.
pub const SLACK_SLOW_ANSWER: Duration = Duration::from_secs(1);
/// How long a body is remembered of a sender that gives nothing to know a repeat by.
pub const POSSIBLE_DUPLICATE_WITHIN: Duration = Duration::from_secs(600);
/// How many of them are.
pub const BODIES_SEEN_MAX: usize = 100_000;
/// The longest that a message and the mention in it wait for each other: Slack waits 3 s.
pub const SLACK_MERGE_MAX: Duration = Duration::from_secs(1);
/// The most messages and mentions of one channel that wait for their other half.
pub const SLACK_HELD_MAX: usize = 1_000;
/// The most mentions of one channel that are known to be stored with their message.
pub const SLACK_JOINED_MAX: usize = 10_000;
/// How long those are known: Slack's last retry comes after six minutes.
pub const SLACK_JOINED_KNOWN_FOR: Duration = Duration::from_secs(15 * 60);
/// Slack: largest configured answer, in bytes; larger ones are dropped over Socket Mode.
pub const SLACK_ANSWER_BYTES_MAX: usize = 19_999;
/// Slack: most fields of a form that are read.
pub const SLACK_FORM_FIELDS_MAX: usize = 1_000;
/// Slack: longest rendered text of a message, in bytes.
pub const SLACK_TEXT_BYTES_MAX: usize = 64 << 10;
/// Slack: most blocks, attachments and files of a message that are read, of each.
pub const SLACK_PIECES_MAX: usize = 200;
/// Slack: how deep blocks nest before what is in them is passed over.
pub const SLACK_BLOCKS_DEPTH_MAX: usize = 16;
/// Slack: most mentioned users that an event lists.
pub const SLACK_MENTIONS_MAX: usize = 100;
/// Slack: longest name in a message's markup that its blocks are told by too, in bytes.
pub const SLACK_LABEL_BYTES_MAX: usize = 256;
/// Slack: most values of a submitted form that a prompt shows.
pub const SLACK_FORM_VALUES_SHOWN_MAX: usize = 30;

const _: () = assert!(OUTLINE_FACTS_BYTES_MAX < PROMPT_BYTES_MAX);
const _: () = assert!(PROMPT_VALUE_BYTES_MAX < PROMPT_LINE_BYTES_MAX);
const _: () = assert!(PROMPT_LINE_BYTES_MAX < PROMPT_BYTES_MAX);
const _: () = assert!(BODY_MEMORY_BYTES_MAX <= BODY_BYTES_DEFAULT);
const _: () = assert!(BODY_BYTES_DEFAULT <= BODY_BYTES_MAX);
const _: () = assert!(BODY_BYTES_MAX < FRAME_BYTES_MAX);
const _: () = assert!(BODY_BYTES_MAX <= BODIES_IN_FLIGHT_BYTES_MAX);
const _: () = assert!(BODY_BYTES_MAX <= SPOOL_BYTES_MAX);
const _: () = assert!(
    2 * BODY_BYTES_MAX + CODINGS_MAX * BROTLI_WINDOW_BYTES_MAX <= BODIES_IN_FLIGHT_BYTES_MAX
);
const _: () = assert!(SPOOL_WRITE_BYTES <= BODY_MEMORY_BYTES_MAX);
const _: () = assert!(CONNECTIONS_PER_NETWORK_MAX < CONNECTIONS_MAX);
const _: () = assert!(HEAD_BYTES_FREE < HEAD_BYTES_MAX);
const _: () = assert!(HEAD_BYTES_MAX * 100 < HEADS_IN_FLIGHT_BYTES_MAX);
const _: () = assert!(CONNECTION_WINDOW_BYTES_MIN < CONNECTION_WINDOW_BYTES_MAX);
const _: () = assert!(RESET_COST_FRAMES * 100 <= IDLE_FRAMES_MAX);
const _: () = assert!(LEASE_DELIVERIES_DEFAULT <= LEASE_DELIVERIES_MAX);
const _: () = assert!(LEASE_DELIVERIES_MAX <= IN_FLIGHT_MAX);
const _: () = assert!(LEASE_MS_DEFAULT <= LEASE_MS_MAX);
const _: () = assert!((IN_FLIGHT_MAX as u64) < SETTLED_AHEAD_MAX);
const _: () = assert!(LIST_EVENTS_DEFAULT <= LIST_EVENTS_MAX);
const _: () = assert!(DRAFTS_PER_ACCEPT_MAX <= BATCH_EVENTS_MAX);
const _: () = assert!(FRAME_BYTES_MAX < ACCEPT_BYTES_MAX);
const _: () = assert!(ACCEPT_BYTES_MAX + BATCH_BYTES_MAX < u32::MAX as usize);
const _: () = assert!(LARGE_CALL_BYTES_MIN <= BATCH_BYTES_MAX);
const _: () = assert!(LARGE_SLICE_BYTES < LARGE_CALL_BYTES_MIN);
const _: () = assert!(ACCEPT_BYTES_MAX as u64 <= DISK_FREE_BYTES_MIN);
const _: () = assert!((DISK_PROBE_BYTES as u64) < DISK_FREE_BYTES_MIN);
const _: () = assert!(THREAD_KEY_BYTES_MAX <= FILTER_VALUE_BYTES_MAX);
const _: () = assert!(APP_ID_BYTES_MAX <= FILTER_VALUE_BYTES_MAX);
const _: () = assert!(DEDUPE_KEPT_EVENTS < INDEX_LAG_EVENTS_MAX);
const _: () = assert!(SETTLE_IDS_MAX * (REASON_BYTES_MAX + 256) <= API_BODY_BYTES_MAX);
const _: () = assert!(STREAM_IN_FLIGHT_DEFAULT <= IN_FLIGHT_MAX);
const _: () = assert!(STREAM_LEASE_DELIVERIES_MAX <= LEASE_DELIVERIES_MAX);
const _: () = assert!(STREAM_PING_EVERY.as_secs() * 2 < STREAM_SILENCE_MAX.as_secs());
const _: () = assert!(STREAM_CLOSE_TIMEOUT.as_secs() < DRAIN_TIMEOUT.as_secs());
const _: () = assert!(STATE_CHECKPOINT_CHANGES < STATE_CHECKPOINT_CHANGES_MAX);
const _: () = assert!(CLOCK_NOTE_EVERY.as_secs() < CLOCK_LEAP_MIN.as_secs());
const _: () = assert!(CLOCK_LEAP_MIN.as_secs() < CLOCK_STOP_MAX.as_secs());
const _: () = assert!(RETENTION_EVERY_MIN.as_secs() <= RETENTION_EVERY_MAX.as_secs());
const _: () = assert!(LETTERS_WITHOUT_EVENT_MAX <= EXPIRED_PER_COMMIT_MAX);
const _: () = assert!(FRAME_BYTES_MAX * 8 <= EXPORT_LINE_BYTES_MAX);
const _: () =
    assert!(SEGMENT_BYTES_MAX + 2 * (ACCEPT_BYTES_MAX as u64) <= REPAIR_SEGMENT_BYTES_MAX);
const _: () = assert!(RELEASE_DEFAULT <= LIST_EVENTS_MAX);
