//! What came of attempts to deliver an event, and how its deliveries stand.

use crate::{DeliveryId, QueueError, Seq, SettleError, Settlement};
use headgate_event::{BoxFuture, EventId, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

/// One attempt to deliver an event, as an operator looks at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Attempt {
    /// Which attempt, from 1.
    pub attempt: u32,
    /// When it began.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What came of it, in one word: `acked`, or why it failed.
    pub outcome: String,
    /// The status of the answer; null when there was none.
    pub status: Option<u16>,
    /// The begin of the answer's body; null when there was none.
    pub answer: Option<String>,
    /// Why it failed; null when it did not.
    pub error: Option<String>,
}

/// What a consumer says of a delivery, and what came of its attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// What becomes of the delivery.
    pub settlement: Settlement,
    /// What came of the attempt.
    pub attempt: Attempt,
}

/// How one event stands with one subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EventDelivery {
    /// The subscription.
    pub subscription: String,
    /// How far it is.
    pub standing: Standing,
    /// The attempt that is leased or comes next; null when none does.
    pub attempt: Option<u32>,
    /// When its lease ends or its wait is over; null when it has neither.
    pub due: Option<Timestamp>,
    /// What came of its attempts, as far as that is kept, the oldest first.
    pub attempts: Vec<Attempt>,
}

/// How far a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It was not given to anyone yet.
    Pending,
    /// It waits for an earlier event of its thread.
    HeldBack,
    /// A consumer has it.
    Leased,
    /// It waits for its next attempt.
    Waiting,
    /// Done.
    Settled,
    /// It never comes again; its dead letter says why.
    Dead,
}

/// Keeps what came of attempts beside what consumers say.
pub trait Attempts: Send + Sync {
    /// Settles deliveries, keeps what came of their attempts with them, and answers for each in
    /// its order.
    fn settle_tried(
        &self,
        subscription: &str,
        tried: Vec<Tried>,
    ) -> BoxFuture<'_, Result<Vec<Result<(), SettleError>>, QueueError>>;

    /// How an event stands with every subscription that wants it, by their names; nothing when
    /// there is no such event.
    fn deliveries_of(
        &self,
        event: EventId,
    ) -> BoxFuture<'_, Result<Option<Vec<EventDelivery>>, QueueError>>;
}

/// An attempt at the event of a place.
#[derive(Clone, Debug)]
pub(crate) struct NotedAttempt {
    /// The place.
    pub(crate) seq: Seq,
    /// What came of it.
    pub(crate) attempt: Attempt,
}

/// The settlements, and the attempts whose deliveries can be told.
pub(crate) fn parted(tried: Vec<Tried>) -> (Vec<Settlement>, Vec<NotedAttempt>) {
    let mut attempts = Vec::with_capacity(tried.len());
    let settlement = |Tried { settlement, attempt }: Tried| {
        if let Ok(DeliveryId { seq, .. }) = settlement.id.parse() {
            attempts.push(NotedAttempt { seq, attempt });
        }
        settlement
    };
    let settlements = tried.into_iter().map(settlement).collect();
    (settlements, attempts)
}
