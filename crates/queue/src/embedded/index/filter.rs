//! Says in memory of most dedupe keys that a day does not have them, and of most names that no event
//! has them, so that nothing is read for an event that is new, as nearly all are.
//!
//! A Bloom filter in blocks of one cache line (Putze, Sanders, Singler, 2007), in levels: a full
//! one is followed by a larger one. It may take a key for one that it has, never the other way
//! round: until it holds all that its table has, and where its memory ends, it says of every key that
//! the table may have it. The index's writer alone writes it.

use headgate_event::limits::{
    DEDUPE_FILTER_BITS_A_KEY, DEDUPE_FILTER_BYTES_MAX, DEDUPE_FILTER_KEYS_MIN,
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
};

/// The days that have a table of dedupe keys, with their filters.
pub(super) type Days = BTreeMap<i64, Arc<Filter>>;

/// The bits of a block: a cache line, with one bit for a key in each of its words.
const BLOCK_BITS: usize = 64 * BLOCK_WORDS;
const BLOCK_WORDS: usize = 8;
/// How many times the size of a level the next one has.
const GROWTH: usize = 4;
/// No level beyond these would be within the bound.
const LEVELS: usize = 12;
/// Odd numbers (fractions of the square roots of small primes), one for each word of a block.
const SALTS: [u32; BLOCK_WORDS] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f373,
    0xa54f_f53b,
    0x510e_527f,
    0x9b05_688d,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// An odd number (the fraction of the golden ratio) that spreads neighbours.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// What the keys of a table leave in memory.
#[derive(Debug, Default)]
pub(super) struct Filter {
    levels: [OnceLock<Box<[Block]>>; LEVELS],
    /// The keys in the last level.
    keys: AtomicU64,
    state: AtomicU8,
}

type Block = [AtomicU64; BLOCK_WORDS];

/// Not all of the table was read yet.
const FILLING: u8 = 0;
/// All that the table has is in the filter.
const WHOLE: u8 = 1;
/// There is no memory for it.
const GIVEN_UP: u8 = 2;

impl Filter {
    /// Whether the table may have this key.
    pub(super) fn may_hold(&self, hash: i64) -> bool {
        self.state.load(Ordering::Acquire) != WHOLE
            || self.levels.iter().map_while(OnceLock::get).any(|level| holds(level, hash))
    }

    /// Whether the table has still to be read.
    pub(super) fn is_filling(&self) -> bool {
        self.state.load(Ordering::Acquire) == FILLING
    }

    /// All that the table has was inserted.
    pub(super) fn whole(&self) {
        if self.is_filling() {
            self.state.store(WHOLE, Ordering::Release);
        }
    }

    /// The memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        self.levels.iter().map_while(OnceLock::get).map(|level| size_of_val::<[Block]>(level)).sum()
    }

    /// Takes a key. `room` is the memory in bytes that it may still take, asked for when it grows.
    pub(super) fn insert(&self, hash: i64, room: impl Fn() -> usize) {
        if self.state.load(Ordering::Acquire) == GIVEN_UP {
            return;
        }
        let last = self.levels.iter().map_while(OnceLock::get).enumerate().last();
        let full = |at| self.keys.load(Ordering::Relaxed) >= keys_of(at) as u64;
        let level = match last {
            Some((at, level)) if !full(at) => level,
            _ => match self.grow(last.map_or(0, |(at, _)| at + 1), room) {
                Some(level) => level,
                None => return self.state.store(GIVEN_UP, Ordering::Release),
            },
        };
        self.keys.fetch_add(1, Ordering::Relaxed);
        if let Some(block) = level.get(place(level, hash)) {
            for (word, bit) in block.iter().zip(bits(hash)) {
                word.fetch_or(bit, Ordering::Relaxed);
            }
        }
    }

    /// The level of this number, where there is room for it.
    fn grow(&self, number: usize, room: impl Fn() -> usize) -> Option<&[Block]> {
        let blocks = keys_of(number) * DEDUPE_FILTER_BITS_A_KEY / BLOCK_BITS;
        if blocks * size_of::<Block>() > room() {
            return None;
        }
        self.keys.store(0, Ordering::Relaxed);
        let level = || (0..blocks).map(|_| Block::default()).collect();
        self.levels.get(number).map(|slot| &**slot.get_or_init(level))
    }
}

/// Takes the keys of a day. Before the transaction that has them ends: who finds one in the index
/// has to find it here.
pub(super) fn insert(days: &Days, day: i64, hashes: impl IntoIterator<Item = i64>) {
    let Some(filter) = days.get(&day) else { return };
    let taken = || days.values().map(|filter| filter.bytes()).sum();
    for hash in hashes {
        filter.insert(hash, || DEDUPE_FILTER_BYTES_MAX.saturating_sub(taken()));
    }
}

/// How many keys a level takes.
const fn keys_of(number: usize) -> usize {
    DEDUPE_FILTER_KEYS_MIN * GROWTH.pow(number as u32)
}

fn holds(level: &[Block], hash: i64) -> bool {
    level.get(place(level, hash)).is_none_or(|block| {
        block.iter().zip(bits(hash)).all(|(word, bit)| word.load(Ordering::Relaxed) & bit != 0)
    })
}

/// The block of a key. Keys come in the order of their hashes, and those that are side by side must
/// not be in one block.
fn place(level: &[Block], hash: i64) -> usize {
    let upper = hash.cast_unsigned().wrapping_mul(SPREAD) >> 32;
    usize::try_from((upper * level.len() as u64) >> 32).unwrap_or(0)
}

/// The bit of a key in each word of its block, by the lower half of its hash.
fn bits(hash: i64) -> impl Iterator<Item = u64> {
    let [a, b, c, d, ..] = hash.to_le_bytes();
    let lower = u32::from_le_bytes([a, b, c, d]);
    SALTS.into_iter().map(move |salt| 1 << (lower.wrapping_mul(salt) >> 26))
}

#[cfg(test)]
mod tests {
    use super::{super::hash, *};

    fn days(days: impl IntoIterator<Item = i64>) -> Days {
        days.into_iter().map(|day| (day, Arc::default())).collect()
    }

    fn key(number: u32) -> i64 {
        hash::seeded(7, &[&number.to_le_bytes()])
    }

    #[test]
    fn a_key_that_was_taken_is_never_denied_and_others_nearly_always() {
        let days = days([1]);
        let mut keys: Vec<_> = (0..300_000).map(key).collect();
        keys.sort_unstable();
        insert(&days, 1, keys);
        let filter = &days[&1];
        assert!(filter.may_hold(key(2_000_000)), "the table may have more");
        filter.whole();
        assert!((0..300_000).all(|number| filter.may_hold(key(number))));
        let mistaken = (1_000_000..1_100_000).filter(|number| filter.may_hold(key(*number)));
        assert!(mistaken.count() < 1_000, "fewer than one in a hundred");
        assert!(filter.bytes() < 3 * 300_000, "{} bytes", filter.bytes());
    }

    #[test]
    fn where_memory_ends_every_key_may_be_there() {
        let days = days(0..110);
        let keys: Vec<_> = (0..20_500).map(key).collect();
        for day in 0..110 {
            insert(&days, day, keys.iter().copied());
            days[&day].whole();
        }
        let bytes: usize = days.values().map(|filter| filter.bytes()).sum();
        assert!(bytes <= DEDUPE_FILTER_BYTES_MAX && bytes > DEDUPE_FILTER_BYTES_MAX / 2);
        assert!(!days[&0].may_hold(key(u32::MAX)));
        assert!(days[&109].may_hold(key(u32::MAX)), "there was no room for it");
        assert!(!days[&109].is_filling(), "nobody tries again and again");
    }
}
