//! Schedules, or cursors, in memory: found by id in little of it.

use super::slot::Slot;
use crate::Cursor;
use hashbrown::HashTable;
use uuid::Uuid;

/// What has the id of a schedule.
pub(super) trait Identified {
    fn id(&self) -> Uuid;
}

impl Identified for Slot {
    fn id(&self) -> Uuid {
        self.schedule.id()
    }
}

impl Identified for Cursor {
    fn id(&self) -> Uuid {
        self.schedule_id
    }
}

/// Slots by number and by id. A number is used again once its schedule is gone.
#[derive(Debug)]
pub(super) struct Slots<T> {
    slots: Vec<Option<T>>,
    free: Vec<u32>,
    by_id: HashTable<u32>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new(), by_id: HashTable::new() }
    }
}

impl<T: Identified> Slots<T> {
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// How many slots are empty.
    pub(super) fn free_count(&self) -> usize {
        self.free.len()
    }

    pub(super) fn at(&self, index: u32) -> Option<&T> {
        self.slots.get(index as usize)?.as_ref()
    }

    pub(super) fn at_mut(&mut self, index: u32) -> Option<&mut T> {
        self.slots.get_mut(index as usize)?.as_mut()
    }

    pub(super) fn index_of(&self, id: Uuid) -> Option<u32> {
        let same = |index: &u32| self.at(*index).is_some_and(|slot| slot.id() == id);
        self.by_id.find(hash(id), same).copied()
    }

    pub(super) fn reserve(&mut self, more: usize) {
        self.slots.reserve_exact(more);
        let slots = &self.slots;
        self.by_id.reserve(more, |index| hash_at(slots, *index));
    }

    /// The numbers of the slots, also of empty ones.
    pub(super) fn indices(&self) -> std::ops::Range<u32> {
        0..u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().flatten()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.slots.iter_mut().flatten()
    }

    pub(super) fn get(&self, id: Uuid) -> Option<&T> {
        self.at(self.index_of(id)?)
    }

    pub(super) fn take(&mut self, id: Uuid) -> Option<T> {
        self.remove(self.index_of(id)?)
    }

    /// Gives back the memory of those that are gone, when they are most. Numbers change.
    pub(super) fn shrink(&mut self) {
        if self.free.len() > self.len() {
            let left = std::mem::take(self);
            self.reserve(left.len());
            for slot in left.slots.into_iter().flatten() {
                self.insert(slot);
            }
        }
    }

    /// Puts in a slot whose id is not there, and answers its number.
    pub(super) fn insert(&mut self, slot: T) -> u32 {
        let hash = hash(slot.id());
        let index = self.free.pop().unwrap_or(u32::try_from(self.slots.len()).unwrap_or(u32::MAX));
        match self.slots.get_mut(index as usize) {
            Some(place) => *place = Some(slot),
            None => self.slots.push(Some(slot)),
        }
        let slots = &self.slots;
        self.by_id.insert_unique(hash, index, |index| hash_at(slots, *index));
        index
    }

    pub(super) fn remove(&mut self, index: u32) -> Option<T> {
        let slot = self.slots.get_mut(index as usize)?.take()?;
        if let Ok(entry) = self.by_id.find_entry(hash(slot.id()), |other| *other == index) {
            entry.remove();
        }
        self.free.push(index);
        Some(slot)
    }
}

/// Ids that are made of names are as good as random; given ones are an operator's.
pub(super) fn hash(id: Uuid) -> u64 {
    let (high, low) = id.as_u64_pair();
    let mixed = (high ^ low.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ (mixed >> 32)
}

fn hash_at<T: Identified>(slots: &[Option<T>], index: u32) -> u64 {
    slots.get(index as usize).and_then(Option::as_ref).map_or(0, |slot| hash(slot.id()))
}
