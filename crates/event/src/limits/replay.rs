//! The limits of replays and filters.

/// One delivery in so many may be a replay's while live events wait.
pub const REPLAY_SHARE_PARTS: usize = 4;
/// The fastest rate that can be given to a replay: deliveries a second, minute or hour.
pub const REPLAY_RATE_MAX: u32 = 1_000_000;
/// The most replays that run to one subscription.
pub const REPLAYS_RUNNING_MAX: usize = 16;
/// The most replays that are kept after they ended; the oldest go.
pub const REPLAYS_KEPT_MAX: usize = 1_000;
/// The most events that a replay names one by one, by id or as dead letters.
pub const REPLAY_PLACES_MAX: usize = 10_000;
/// The most dead letters that one call redrives or deletes.
pub const LETTERS_PER_CALL_MAX: usize = 5_000;
/// The most events that a dry run of a subscription shows.
pub const TEST_SAMPLES_MAX: usize = 5;
/// The longest filter, in bytes.
pub const FILTER_BYTES_MAX: usize = 4_096;
/// How deep a filter nests.
pub const FILTER_DEPTH_MAX: usize = 32;
/// The most comparisons of a filter.
pub const FILTER_TESTS_MAX: usize = 100;
/// The most steps of a path in a filter.
pub const FILTER_STEPS_MAX: usize = 16;
/// The most events that one page of a list looks into.
pub const FILTER_LOOKS_MAX: usize = 10_000;
/// How many events a lease looks into at once.
pub const FILTER_LOOKS_STEP: usize = 256;
/// The most events that counting looks into.
pub const COUNT_LOOKS_MAX: u64 = 1_000_000;

const _: () = assert!(REPLAY_SHARE_PARTS > 1);
const _: () = assert!(FILTER_LOOKS_STEP <= FILTER_LOOKS_MAX);
const _: () = assert!(FILTER_LOOKS_MAX as u64 <= COUNT_LOOKS_MAX);
