//! A subscription: a durable named consumer, what it is told and what it can say.

mod backoff;
mod changes;
mod deliveries;
mod delivery_id;
mod lane;
mod order;
mod pace;
mod push;
mod ranges;
mod share;
mod spec;
mod standing;
mod state;
mod subscriber;

pub(crate) use changes::{Changes, DeadLetter, DeadReason, Deferred, Kept, Place};
pub(crate) use deliveries::{Asked, Deliveries, Died, Expiry, Leased, Moment, Refusal};
pub use delivery_id::{DeliveryId, DeliveryIdError};
pub(crate) use lane::{Lane, Window, begun};
pub use order::Order;
pub(crate) use order::{Thread, thread_of};
pub(crate) use pace::Budget;
pub use pace::{PaceError, ReplayPace};
pub use push::{PushFormat, PushSpec};
pub(crate) use ranges::Ranges;
pub(crate) use share::Share;
pub use spec::{AckMode, RetryPolicy, Start, SubscriptionError, SubscriptionSpec};
pub(crate) use standing::standing;
pub(crate) use subscriber::{Claim, Held, Subscriber, lease_end};

use headgate_event::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use std::time::Duration;

/// A subscription and how far it is.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SubscriptionStatus {
    /// What was asked for.
    #[serde(flatten)]
    pub spec: SubscriptionSpec,
    /// When it was made.
    pub created_at: Timestamp,
    /// Events that fit it and are neither settled nor dead, as an upper bound: events that it has
    /// not looked at yet count although its selection may leave them out.
    pub lag: u64,
    /// Deliveries leased at present.
    pub in_flight: u64,
    /// Deliveries that wait for their next attempt.
    pub waiting: u64,
    /// Events that wait for an earlier one of their thread.
    pub held_back: u64,
    /// Deliveries that died: were buried, had all attempts, could not be read, or expired.
    pub dead: u64,
    /// Those of them whose event retention removed before it was settled.
    pub expired: u64,
    /// How long the oldest unsettled event has been stored, in milliseconds; null without one.
    pub oldest_unsettled_ms: Option<u64>,
}

/// A wish for deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseAsk {
    /// At most so many.
    pub max: usize,
    /// How long to wait for the first one.
    pub wait: Duration,
    /// How long the leases last; as long as the subscription says when it is left out.
    pub lease: Option<Duration>,
    /// At most so many bytes of events, by their [`weight`](crate::weight): a first one that is
    /// larger alone is [`QueueError::Larger`](crate::QueueError::Larger). Without it a lease ends
    /// after some MiB, and has one event at least, however large.
    pub bytes: Option<usize>,
}

/// What a consumer says of one delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The delivery's id as it was given.
    pub id: String,
    /// What becomes of it.
    pub verb: Verb,
}

/// What becomes of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Done; it never comes again.
    Ack,
    /// It comes again, after the policy's wait or after this long.
    Retry {
        /// How long to wait, instead of the policy's wait.
        after: Option<Duration>,
        /// Why, for the operator.
        reason: Option<String>,
    },
    /// The lease lasts this long from the present moment.
    Extend {
        /// How long.
        lease: Duration,
    },
    /// It never comes again and is a dead letter.
    Bury {
        /// Why, for the operator.
        reason: Option<String>,
    },
    /// Nobody began it: it comes at once, as if it had not been leased, and no attempt is counted.
    /// Not so when another has made the lease longer than whoever says this knows.
    Release {
        /// When the lease ends as far as is known.
        lease_ends: Timestamp,
    },
    /// [`Retry`](Self::Retry) by one who passed it on and does not know what became of it. Not so
    /// when another has made the lease longer meanwhile.
    GiveBack {
        /// How long to wait, instead of the policy's wait.
        after: Option<Duration>,
        /// Why, for the operator.
        reason: Option<String>,
        /// When the lease ends as far as is known.
        lease_ends: Timestamp,
    },
}

impl Verb {
    /// What the API calls it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ack => "ack",
            Self::Retry { .. } => "retry",
            Self::Extend { .. } => "extend",
            Self::Bury { .. } => "bury",
            Self::Release { .. } => "release",
            Self::GiveBack { .. } => "retry",
        }
    }

    /// When the lease may end at the latest for this to be done; none where that does not matter.
    pub(crate) fn lease_known(&self) -> Option<Timestamp> {
        match self {
            Self::Release { lease_ends } | Self::GiveBack { lease_ends, .. } => Some(*lease_ends),
            Self::Ack | Self::Retry { .. } | Self::Extend { .. } | Self::Bury { .. } => None,
        }
    }

    /// Whether it may be leased again at once, though nothing is written for it.
    pub(crate) fn frees(&self) -> bool {
        matches!(self, Self::Release { .. })
    }
}

/// Why one delivery could not be settled; the others of the call are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettleError {
    /// The id is none that this subscription gives.
    #[error("`{id}` is no delivery of this subscription")]
    Unknown {
        /// The id as given.
        id: String,
    },
    /// Its lease is over: another attempt has it, or will.
    #[error("the lease of delivery `{id}` is over")]
    LeaseExpired {
        /// The id as given.
        id: String,
    },
    /// It was settled before.
    #[error("delivery `{id}` is already settled")]
    AlreadySettled {
        /// The id as given.
        id: String,
    },
}

impl SettleError {
    /// The stable code: what a program may branch on.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "unknown_delivery",
            Self::LeaseExpired { .. } => "lease_expired",
            Self::AlreadySettled { .. } => "already_settled",
        }
    }
}
