//! Giving stored events to a subscription again: dead letters that are redriven, and replays.

use crate::{QueueError, ReplayPace, Selection, SettleError};
use headgate_event::{BoxFuture, Event, EventId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What becomes of a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetterVerb {
    /// Its event is delivered again, with a first attempt.
    Redrive,
    /// It is forgotten.
    Delete,
}

/// Why one dead letter stays as it is; the others of the call do not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LetterError {
    /// There is no such letter: the delivery was settled, was redriven, or never was.
    #[error("`{id}` is no dead letter of this subscription")]
    NotDead {
        /// The id as given.
        id: String,
    },
    /// Its event is on its way to a consumer by another delivery.
    #[error("the event of `{id}` is being delivered")]
    Underway {
        /// The id as given.
        id: String,
    },
    /// Its event is not stored any more.
    #[error("the event of `{id}` is not stored any more")]
    Gone {
        /// The id as given.
        id: String,
    },
}

impl LetterError {
    /// The stable code: what a program may branch on.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotDead { .. } => "not_dead",
            Self::Underway { .. } => "underway",
            Self::Gone { .. } => "event_gone",
        }
    }
}

/// What to replay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplayAsk {
    /// To which subscription.
    pub subscription: String,
    /// Which events.
    pub events: ReplayEvents,
    /// How fast; as fast as consumers take it when it is left out.
    pub pace: Option<ReplayPace>,
}

/// Which events are replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplayEvents {
    /// These, whatever the subscription wants.
    Ids(Vec<EventId>),
    /// Those of the subscription's dead letters; the letters stay.
    DeadLetters,
    /// Those that the subscription wants and that fit this.
    Fitting(EventQuery),
}

/// Which stored events, wherever they are in the order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventQuery {
    /// Which events.
    pub selection: Selection,
    /// Not received before this moment.
    pub since: Option<Timestamp>,
    /// Received before this moment.
    pub until: Option<Timestamp>,
}

/// How many stored events fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counted {
    /// So many.
    pub matched: u64,
    /// Of so many that were looked at; those that an index leaves out are not looked at.
    pub scanned: u64,
    /// Whether all were looked at: what needs a look inside is looked at up to a bound.
    pub complete: bool,
}

/// A replay and how far it is.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ReplayStatus {
    /// Its id, which its deliveries carry as `replay_id`.
    pub id: EventId,
    /// The subscription it goes to.
    pub subscription: String,
    /// Whether it goes on.
    pub state: ReplayState,
    /// What was asked for.
    #[serde(flatten)]
    pub spec: ReplaySpec,
    /// How many events it gives; null where only looking at each would tell.
    pub matched: Option<u64>,
    /// How many of them were given to a consumer so far.
    pub delivered: u64,
    /// How many are done: settled, or removed meanwhile.
    pub settled: u64,
    /// How many died, each a dead letter of the subscription.
    pub dead: u64,
    /// Deliveries leased at present.
    pub in_flight: u64,
    /// Deliveries that wait for their next attempt.
    pub waiting: u64,
    /// How much of it is behind it, from 0 to 1.
    pub progress: f64,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it ended; null while it runs.
    pub ended_at: Option<Timestamp>,
}

/// Whether a replay goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReplayState {
    /// It gives events, or waits for what it gave.
    Running,
    /// Everything it gave is settled or dead.
    Done,
    /// It was cancelled.
    Cancelled,
}

/// What a replay was asked for, as it is kept and shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReplaySpec {
    /// Which events, with what the subscription wants.
    #[serde(flatten)]
    pub selection: Selection,
    /// Not received before this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Received before this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Where they come from: `ids`, `dead_letters` or `filter`.
    pub by: ReplayBy,
    /// How fast it is at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<ReplayPace>,
}

/// Where the events of a replay come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReplayBy {
    /// A list of ids.
    Ids,
    /// The dead letters.
    DeadLetters,
    /// A filter, or all.
    #[default]
    Filter,
}

/// Why a replay cannot be begun or cancelled.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The queue cannot do it, or knows no such subscription.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// Nothing fits.
    #[error("expected events to replay, found none that fit")]
    Nothing,
    /// An id is that of no stored event.
    #[error("there is no event `{id}`")]
    UnknownEvent {
        /// The id.
        id: EventId,
    },
    /// There are as many as there may be.
    #[error("{most} replays of this subscription are running, the most there may be")]
    TooMany {
        /// How many there may be.
        most: usize,
    },
    /// There are more events than a replay by ids or dead letters takes.
    #[error("expected at most {most} events by id or dead letter, found more")]
    TooManyEvents {
        /// How many there may be.
        most: usize,
    },
    /// There is no replay of that id.
    #[error("there is no replay `{id}`")]
    Unknown {
        /// The id.
        id: EventId,
    },
    /// It has ended before.
    #[error("replay `{id}` is {} already", state.as_str())]
    Ended {
        /// The id.
        id: EventId,
        /// How it ended.
        state: ReplayState,
    },
}

/// Giving stored events again.
///
/// Everything that answers `Ok` has been made durable first.
pub trait Replays: Send + Sync {
    /// Redrives or deletes dead letters of a subscription, and answers for each in its order.
    fn settle_letters(
        &self,
        subscription: &str,
        deliveries: Vec<String>,
        verb: LetterVerb,
    ) -> BoxFuture<'_, Result<Vec<Result<(), LetterError>>, QueueError>>;

    /// Counts stored events, up to a bound where each has to be looked into.
    fn count(&self, query: EventQuery) -> BoxFuture<'_, Result<Counted, QueueError>>;

    /// Says how many events a replay would give.
    fn plan_replay(&self, ask: ReplayAsk) -> BoxFuture<'_, Result<Counted, ReplayError>>;

    /// Begins a replay.
    fn begin_replay(&self, ask: ReplayAsk) -> BoxFuture<'_, Result<ReplayStatus, ReplayError>>;

    /// All replays that run, and the newest of those that ended; the newest first.
    fn replays(&self) -> BoxFuture<'_, Result<Vec<ReplayStatus>, QueueError>>;

    /// Ends a replay: it gives nothing more, and what it gave is not settled any more.
    fn cancel_replay(&self, id: EventId) -> BoxFuture<'_, Result<ReplayStatus, ReplayError>>;
}

impl ReplayState {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
        }
    }
}

impl ReplayState {
    /// What is answered of a delivery of a replay that has ended so.
    pub(crate) fn late(self, id: String) -> SettleError {
        match self {
            Self::Cancelled => SettleError::LeaseExpired { id },
            Self::Running | Self::Done => SettleError::AlreadySettled { id },
        }
    }
}

impl EventQuery {
    /// Whether an event fits.
    #[must_use]
    pub fn fits(&self, event: &Event) -> bool {
        let created_at = event.created_at();
        self.selection.wants(event)
            && self.since.is_none_or(|since| created_at >= since)
            && self.until.is_none_or(|until| created_at < until)
    }
}

impl Default for ReplayEvents {
    fn default() -> Self {
        Self::Fitting(EventQuery::default())
    }
}
