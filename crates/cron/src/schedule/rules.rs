//! What becomes of what a schedule misses, and within which bounds it fires.

use super::ScheduleError;
use headgate_event::{
    Timestamp, is_name,
    limits::{
        CATCHUP_LIMIT_DEFAULT, CATCHUP_LIMIT_MAX, CATCHUP_WINDOW_DEFAULT, CATCHUP_WINDOW_MAX,
        SCHEDULE_JITTER_MAX, SUBSCRIPTION_NAME_BYTES_MAX,
    },
};
use std::time::Duration;

/// What becomes of what a schedule misses, and within which bounds it fires.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rules {
    /// What becomes of missed occurrences.
    pub catchup: Catchup,
    /// Up to how much later it fires than it is due; the same for every occurrence, by its id.
    pub jitter: Duration,
    /// Whether it fires while its event before is unsettled.
    pub overlap: Overlap,
    /// Nothing before this is due. One that is past asks for what has been due since.
    pub start_at: Option<Timestamp>,
    /// Nothing after this is due.
    pub end_at: Option<Timestamp>,
    /// How often it fires, runs by hand and backfills aside.
    pub max_fires: Option<u64>,
}

/// What becomes of occurrences that come more than a minute late.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Catchup {
    /// Which of them fire.
    pub policy: CatchupPolicy,
    /// How late one may be and still fire.
    pub window: Duration,
    /// How many of them fire at most; the newest ones do.
    pub limit: u32,
}

/// Which missed occurrences fire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CatchupPolicy {
    /// None.
    Skip,
    /// The newest one, which tells how many came before it.
    #[default]
    One,
    /// All within window and limit, the oldest first.
    All,
}

/// Whether a schedule fires while its event before is unsettled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Overlap {
    /// It does.
    #[default]
    Allow,
    /// It does not while the named subscription has not settled it.
    Skip {
        /// The name of the subscription.
        subscription: Box<str>,
    },
}

impl Default for Catchup {
    fn default() -> Self {
        let policy = CatchupPolicy::default();
        Self { policy, window: CATCHUP_WINDOW_DEFAULT, limit: CATCHUP_LIMIT_DEFAULT }
    }
}

impl Rules {
    /// Whether the rules of the schedule of this name are within their bounds.
    pub(super) fn check(&self, name: &str) -> Result<(), ScheduleError> {
        let name = || name.into();
        if self.catchup.window > CATCHUP_WINDOW_MAX {
            return Err(ScheduleError::Window { name: name(), found: self.catchup.window });
        }
        if !(1..=CATCHUP_LIMIT_MAX).contains(&self.catchup.limit) {
            return Err(ScheduleError::Limit { name: name(), found: self.catchup.limit });
        }
        if self.jitter > SCHEDULE_JITTER_MAX {
            return Err(ScheduleError::Jitter { name: name(), found: self.jitter });
        }
        if self.max_fires == Some(0) {
            return Err(ScheduleError::MaxFires { name: name() });
        }
        if let (Some(start), Some(end)) = (self.start_at, self.end_at)
            && start > end
        {
            return Err(ScheduleError::Bounds { name: name(), start, end });
        }
        match &self.overlap {
            Overlap::Skip { subscription }
                if !is_name(subscription, SUBSCRIPTION_NAME_BYTES_MAX) =>
            {
                let subscription = subscription.chars().take(80).collect();
                Err(ScheduleError::Subscription { name: name(), subscription })
            }
            _ => Ok(()),
        }
    }
}
