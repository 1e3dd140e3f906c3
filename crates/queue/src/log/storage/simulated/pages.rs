//! The content of one file as an operating system holds it: what the disk has, and pages in memory
//! that it has not yet.

use super::Dice;
use std::collections::BTreeMap;

/// What memory and disk exchange.
const PAGE_BYTES: usize = 4_096;
/// What a disk writes whole or not at all, most of the time.
const SECTOR_BYTES: usize = 512;

/// The content of one file.
#[derive(Clone, Default)]
pub(super) struct Content {
    /// What a read sees.
    seen: Vec<u8>,
    /// What a power cut leaves for certain.
    durable: Vec<u8>,
    /// Pages that were written and not synced, each with all its versions, oldest first: any of
    /// them may have reached the disk.
    dirty: BTreeMap<usize, Vec<Vec<u8>>>,
    /// The lengths that it had since the last sync, oldest first.
    lengths: Vec<usize>,
}

/// What becomes of pages that were not synced.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// None reaches the disk.
    Lost,
    /// All do, in their last version.
    Kept,
    /// Each as it falls.
    Mixed,
}

impl Content {
    /// A durable content.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self { seen: bytes.to_vec(), durable: bytes.to_vec(), ..Self::default() }
    }

    /// What a read sees.
    pub(super) fn seen(&self) -> &[u8] {
        &self.seen
    }

    pub(super) fn write(&mut self, at: usize, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let end = at + bytes.len();
        if end > self.seen.len() {
            self.seen.resize(end, 0);
            self.lengths.push(end);
        }
        self.seen[at..end].copy_from_slice(bytes);
        for page in at / PAGE_BYTES..=(end - 1) / PAGE_BYTES {
            self.touch(page);
        }
    }

    pub(super) fn truncate(&mut self, bytes: usize) {
        self.seen.resize(bytes, 0);
        self.lengths.push(bytes);
        self.dirty.split_off(&bytes.div_ceil(PAGE_BYTES));
        if !bytes.is_multiple_of(PAGE_BYTES) {
            self.touch(bytes / PAGE_BYTES);
        }
    }

    /// Notes a page as it is seen.
    fn touch(&mut self, page: usize) {
        let version = page_of(&self.seen, page);
        self.dirty.entry(page).or_default().push(version);
    }

    /// Everything that was written reaches the disk.
    pub(super) fn sync(&mut self) {
        self.durable.resize(self.seen.len(), 0);
        for (page, versions) in std::mem::take(&mut self.dirty) {
            if let Some(last) = versions.last() {
                put(&mut self.durable, page, last);
            }
        }
        self.lengths.clear();
    }

    /// Some of it does, and the pages count as clean all the same: no later sync writes them.
    pub(super) fn sync_failed(&mut self, dice: &mut Dice) {
        let length = self.seen.len();
        let mut durable = std::mem::take(&mut self.durable);
        let before = durable.len();
        durable.resize(before.max(length), 0);
        for (page, versions) in std::mem::take(&mut self.dirty) {
            if dice.one_in(3)
                && let Some(last) = versions.last()
            {
                put(&mut durable, page, last);
            }
        }
        durable.truncate(before);
        self.durable = durable;
        self.lengths = vec![length];
    }

    /// Takes pages out of memory that count as clean: a read sees what the disk has.
    pub(super) fn drop_caches(&mut self, dice: &mut Dice) {
        for page in 0..self.seen.len().div_ceil(PAGE_BYTES) {
            let durable = page_of(&self.durable, page);
            let differs = page_of(&self.seen, page) != durable;
            if differs && !self.dirty.contains_key(&page) && dice.one_in(2) {
                put(&mut self.seen, page, &durable);
            }
        }
    }

    /// Turns one bit at rest.
    pub(super) fn flip(&mut self, at: usize, bit: u32) {
        for bytes in [&mut self.seen, &mut self.durable] {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << bit;
            }
        }
    }

    /// What is left after a power cut. `stale` is what blocks held that were given to this file
    /// and never written.
    pub(super) fn torn(&self, dice: &mut Dice, fate: Fate, stale: &[u8]) -> Vec<u8> {
        let length = self.length_left(dice, fate);
        let mut left = self.durable.clone();
        for at in left.len()..length {
            left.push(stale.get(at % stale.len().max(1)).copied().unwrap_or(0));
        }
        let torn = dice.below(self.dirty.len().max(1));
        for (nth, (page, versions)) in self.dirty.iter().enumerate() {
            let kept = match fate {
                Fate::Lost => 0,
                Fate::Kept => versions.len(),
                Fate::Mixed => dice.below(versions.len() + 1),
            };
            let Some(version) = kept.checked_sub(1).and_then(|kept| versions.get(kept)) else {
                continue;
            };
            let from = page * PAGE_BYTES;
            let whole = fate == Fate::Kept || nth != torn;
            let most = if whole { PAGE_BYTES } else { torn_at(dice) };
            let upto = left.len().min(from + most);
            if from < upto {
                left[from..upto].copy_from_slice(&version[..upto - from]);
            }
        }
        left.truncate(length);
        left
    }

    /// A length that it had, or one between two of them: blocks are given to a file one by one.
    fn length_left(&self, dice: &mut Dice, fate: Fate) -> usize {
        let lengths: Vec<_> = [self.durable.len()].iter().chain(&self.lengths).copied().collect();
        let nth = match fate {
            Fate::Lost => 0,
            Fate::Kept => lengths.len() - 1,
            Fate::Mixed => dice.below(lengths.len()),
        };
        let (length, next) = (lengths[nth], lengths.get(nth + 1).copied());
        match next.filter(|next| *next > length && fate == Fate::Mixed && dice.one_in(2)) {
            Some(next) => length + dice.below(next - length),
            None => length,
        }
    }
}

/// Where a page tears: mostly between sectors.
fn torn_at(dice: &mut Dice) -> usize {
    if dice.one_in(4) {
        dice.below(PAGE_BYTES)
    } else {
        dice.below(PAGE_BYTES / SECTOR_BYTES) * SECTOR_BYTES
    }
}

/// A page, filled with zeros behind the end.
fn page_of(content: &[u8], page: usize) -> Vec<u8> {
    let from = content.len().min(page * PAGE_BYTES);
    let upto = content.len().min(from + PAGE_BYTES);
    let mut bytes = content[from..upto].to_vec();
    bytes.resize(PAGE_BYTES, 0);
    bytes
}

/// Puts what fits of a page.
fn put(content: &mut [u8], page: usize, bytes: &[u8]) {
    let from = content.len().min(page * PAGE_BYTES);
    let upto = content.len().min(from + PAGE_BYTES);
    content[from..upto].copy_from_slice(&bytes[..upto - from]);
}
