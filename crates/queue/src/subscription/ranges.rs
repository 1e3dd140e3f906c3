//! Places that were settled out of order, as ranges, and the bytes they are kept as.

use crate::Seq;
use std::collections::BTreeMap;

/// A set of places: ranges that neither overlap nor touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ranges(BTreeMap<Seq, Seq>);

impl Ranges {
    /// Whether `seq` is in it.
    pub(crate) fn contains(&self, seq: Seq) -> bool {
        self.0.range(..=seq).next_back().is_some_and(|(_, last)| *last >= seq)
    }

    /// Adds `first` to `last`; nothing when they are the wrong way round.
    pub(crate) fn insert(&mut self, mut first: Seq, mut last: Seq) {
        if first > last {
            return;
        }
        let reach = last.saturating_add(1);
        while let Some((&from, &to)) = self.0.range(..=reach).next_back() {
            if to.saturating_add(1) < first {
                break;
            }
            self.0.remove(&from);
            first = first.min(from);
            last = last.max(to);
        }
        self.0.insert(first, last);
    }

    /// Takes away everything up to `seq`.
    pub(crate) fn remove_up_to(&mut self, seq: Seq) {
        while let Some((&from, &to)) = self.0.iter().next().filter(|(from, _)| **from <= seq) {
            self.0.remove(&from);
            if to > seq {
                self.0.insert(seq + 1, to);
            }
        }
    }

    /// The end of the range that begins at `seq`, if one does.
    pub(crate) fn end_of(&self, seq: Seq) -> Option<Seq> {
        self.0.get(&seq).copied()
    }

    /// How many places up to `seq` are in it.
    pub(crate) fn count_up_to(&self, seq: Seq) -> u64 {
        let ranges = self.0.range(..=seq);
        ranges.map(|(first, last)| (*last).min(seq) + 1 - first).sum()
    }

    /// The ranges in their order, first and last place.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Seq, Seq)> {
        self.0.iter().map(|(first, last)| (*first, *last))
    }

    /// The bytes to keep: for each range the gap before it and its length, as LEB128 numbers,
    /// counted from `floor`.
    pub(crate) fn to_bytes(&self, floor: Seq) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * 4);
        let mut at = floor;
        for (first, last) in self.iter() {
            push_number(first.saturating_sub(at), &mut bytes);
            push_number(last - first, &mut bytes);
            at = last;
        }
        bytes
    }

    /// The ranges of kept bytes; `None` when they are damaged.
    pub(crate) fn from_bytes(floor: Seq, mut bytes: &[u8]) -> Option<Self> {
        let (mut ranges, mut at) = (BTreeMap::new(), floor);
        while !bytes.is_empty() {
            let gap = take_number(&mut bytes).filter(|gap| *gap > 0)?;
            let first = at.checked_add(gap)?;
            at = first.checked_add(take_number(&mut bytes)?)?;
            ranges.insert(first, at);
        }
        Some(Self(ranges))
    }
}

fn push_number(mut number: u64, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn ranges_hold_what_a_plain_set_holds(
            inserts in proptest::collection::vec((1_u64..200, 0_u64..9), 0..60),
            cut in 0_u64..200,
        ) {
            let (mut ranges, mut plain) = (Ranges::default(), BTreeSet::new());
            for (first, more) in inserts {
                ranges.insert(first, first + more);
                plain.extend(first..=first + more);
            }
            ranges.remove_up_to(cut);
            plain.retain(|seq| *seq > cut);
            for seq in 0..220 {
                prop_assert_eq!(ranges.contains(seq), plain.contains(&seq), "{}", seq);
            }
            let ends: Vec<_> = ranges.iter().collect();
            prop_assert!(ends.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
            for upto in [0, 50, 220] {
                let count = plain.range(..=upto).count() as u64;
                prop_assert_eq!(ranges.count_up_to(upto), count);
            }
            let bytes = ranges.to_bytes(cut);
            prop_assert_eq!(Ranges::from_bytes(cut, &bytes), Some(ranges));
        }

        #[test]
        fn any_bytes_are_ranges_or_damage_but_no_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..40),
            floor in any::<u64>(),
        ) {
            let _ = Ranges::from_bytes(floor, &bytes);
        }
    }
}
