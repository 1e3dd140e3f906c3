//! Schedules in the program: what a definition means, where cursors are kept, who may ask.
//!
//! When a schedule is due and what fires is decided in `headgate_cron`; here it meets the
//! configuration, the queue and the API.

mod definition;
mod parked;
mod port;
mod settled;
mod store;
mod view;

pub(crate) use definition::schedule;
pub(crate) use parked::{Parked, brought_back};
pub(crate) use port::{Api, CronChannels};
pub(crate) use settled::{Deliveries, Stored};
pub(crate) use store::Notes;

use headgate_cron::{Timings, Zones};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The time zones, and the timings that are made in them. Clones are the same.
#[derive(Clone, Debug)]
pub struct Calendar {
    /// The time zones.
    pub zones: Arc<Zones>,
    timings: Arc<Mutex<Timings>>,
}

impl Calendar {
    /// A calendar of these zones.
    #[must_use]
    pub fn new(zones: Zones) -> Self {
        let zones = Arc::new(zones);
        let timings = Arc::new(Mutex::new(Timings::new(Arc::clone(&zones))));
        Self { zones, timings }
    }

    /// The timings, which are shared by all schedules.
    pub(crate) fn timings(&self) -> MutexGuard<'_, Timings> {
        self.timings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
