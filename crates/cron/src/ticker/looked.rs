//! When timings are due next, for as long as many schedules are armed at one moment.

use crate::Timing;
use headgate_event::{Timestamp, limits::TIMINGS_LOOKED_MAX};
use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

/// What was looked up, by the timing and the moment after which it is due. It must not outlive a
/// change of the timings or their zones.
#[derive(Debug, Default)]
pub(super) struct Looked(HashMap<(*const Timing, Timestamp), Option<Timestamp>>);

impl Looked {
    /// The first occurrence of a timing after a moment.
    pub(super) fn after(&mut self, timing: &Arc<Timing>, from: Timestamp) -> Option<Timestamp> {
        let is_full = self.0.len() >= TIMINGS_LOOKED_MAX;
        let look = || timing.next_after(from).map(|next| next.at);
        match self.0.entry((Arc::as_ptr(timing), from)) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(_) if is_full => look(),
            Entry::Vacant(free) => *free.insert(look()),
        }
    }
}
