//! Ids of requests: unique within a process, and most likely between processes.

use crate::RequestId;
use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// Crockford's base32 in lower case: no letter that is easily misread.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// The digits of the part that differs between processes.
const PREFIX_DIGITS: usize = 6;
/// The digits of 64 bits.
const COUNT_DIGITS: usize = 13;

/// Gives out ids such as `4xk9c2-1f`: a random part for the process, and a count.
#[derive(Debug)]
pub(super) struct RequestIds {
    prefix: u64,
    count: AtomicU64,
}

impl RequestIds {
    /// Ids of a process of their own.
    pub(super) fn new() -> Self {
        // The hasher's random keys: enough to tell two starts apart in a log.
        Self { prefix: RandomState::new().build_hasher().finish(), count: AtomicU64::new(0) }
    }

    /// The next id.
    pub(super) fn next(&self) -> RequestId {
        let mut id = String::with_capacity(PREFIX_DIGITS + 1 + COUNT_DIGITS);
        push_digits(&mut id, self.prefix, PREFIX_DIGITS);
        id.push('-');
        let count = self.count.fetch_add(1, Relaxed);
        let digits = (64 - count.leading_zeros() as usize).div_ceil(5).max(1);
        push_digits(&mut id, count, digits);
        RequestId::new(&id)
    }
}

/// Appends the lowest `digits` digits of a number, highest first.
fn push_digits(id: &mut String, number: u64, digits: usize) {
    for place in (0..digits).rev() {
        let digit = (number >> (5 * place)) & 31;
        id.push(char::from(ALPHABET[digit as usize]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(prefix: u64, count: u64) -> RequestIds {
        RequestIds { prefix, count: AtomicU64::new(count) }
    }

    #[test]
    fn ids_count_up_behind_their_prefix() {
        let ids = ids(0, 30);
        let given: Vec<_> = (0..3).map(|_| ids.next().to_string()).collect();
        assert_eq!(given, ["000000-y", "000000-z", "000000-10"]);
    }

    #[test]
    fn the_largest_numbers_have_an_id() {
        assert_eq!(ids(u64::MAX, u64::MAX).next().as_str(), "zzzzzz-fzzzzzzzzzzzz");
        assert_eq!(ids(0, 0).next().as_str(), "000000-0");
    }

    #[test]
    fn two_processes_give_different_ids() {
        assert_ne!(RequestIds::new().next(), RequestIds::new().next());
    }
}
