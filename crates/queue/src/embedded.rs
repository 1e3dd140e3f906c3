//! The queue in one folder, owned by one process: a log that holds the events, and SQLite.
//!
//! ```text
//! {folder}/lock          owned while the process lives, with its process id
//! {folder}/log/          the events, in segments
//! {folder}/headgate.db   the state: subscriptions, what is settled, what comes again
//! {folder}/index.db      where each event is; derived from the log
//! ```
//!
//! An event is answered for when the log has it. The index follows, and what it has not seen yet
//! is served from the log's memory. A settlement is answered for when the state has it.

mod accept;
mod at_hand;
mod attempts;
mod backup;
mod committer;
mod consume;
mod erase;
mod error;
mod folder;
mod follower;
mod gauges;
mod import;
mod index;
mod inside;
mod known;
mod lanes;
mod lanes_lease;
mod letters;
mod notes;
mod open;
mod random;
mod read;
mod registry;
mod reindex;
mod repair;
mod replaying;
mod retention;
mod room;
mod search;
mod shelf;
mod state;
mod subscribe;

#[cfg(test)]
mod tests;

pub use backup::BackupFolder;
pub use error::OpenError;
pub use import::{ImportError, ImportReport};
pub use repair::{Damage, LostEvents, RepairReport};

use crate::{
    DeadLetterPage, DeadLetterQuery, Erased, Health, LeaseAsk, ListQuery, Page, Queue, QueueError,
    Seq, SettleError, Settlement, Stored, SubscriptionSpec, SubscriptionStatus, log::Log,
};
use at_hand::Finders;
use committer::Committer;
use folder::Folder;
use follower::Follower;
use headgate_event::{
    Accepted, BoxFuture, Clock, ClockWatch, Draft, Event, EventId, Sink, StoreError,
    prompt::PromptKey,
};
use index::Index;
use lanes::Lanes;
use registry::Registry;
use room::RoomWatch;
use shelf::Shelf;
use std::sync::Arc;
use tokio::sync::{Mutex, watch};

/// What may be set when the queue is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmbeddedOptions {
    /// A segment of the log with more bytes than this gets no further event.
    pub segment_bytes_max: u64,
    /// What is kept free on the disk of the log: below it no event is taken.
    pub disk_free_bytes_min: u64,
    /// Whether to go on when the log ends before what the index and the subscriptions have seen.
    /// The events between are lost; an operator has to decide that.
    pub accept_lost_end: bool,
}

/// The queue in one folder.
#[derive(Debug)]
pub struct Embedded {
    clock: Arc<dyn Clock>,
    log: Log,
    index: Arc<Index>,
    registry: Arc<Registry>,
    lanes: Arc<Lanes>,
    committer: Arc<Committer>,
    follower: Arc<Follower>,
    /// What was leased lately.
    shelf: Arc<Shelf>,
    /// Whose turn it is to read for a lease.
    finders: Finders,
    /// Held while events are taken away, one call after the other, with what is known of the time
    /// that they are taken away by.
    removing: Arc<Mutex<ClockWatch>>,
    _room: RoomWatch,
    prompt_key: PromptKey,
    folder: Folder,
}

impl Embedded {
    /// The installation's key for the fences of prompts, made when the folder was.
    #[must_use]
    pub fn prompt_key(&self) -> PromptKey {
        self.prompt_key.clone()
    }

    /// Whether the disk has room for events. It answers at once; other reasons why none is stored
    /// are [`Queue::health`]'s.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.log.has_room()
    }

    /// Runs a read that may touch the disk where it holds up no other task.
    async fn reading<T: Send + 'static>(
        &self,
        read: impl FnOnce(&read::Reading) -> Result<T, QueueError> + Send + 'static,
    ) -> Result<T, QueueError> {
        if !self.committer.is_running() {
            return Err(QueueError::unavailable("the queue is closed"));
        }
        let reading = self.parts();
        let ended = tokio::task::spawn_blocking(move || read(&reading)).await;
        ended.map_err(|error| QueueError::unavailable(format!("a read ended early: {error}")))?
    }
}

impl Embedded {
    /// What a read needs.
    fn parts(&self) -> read::Reading {
        read::Reading { log: self.log.clone(), index: Arc::clone(&self.index) }
    }
}

impl Sink for Embedded {
    fn accept(&self, drafts: Vec<Draft>) -> BoxFuture<'_, Result<Vec<Accepted>, StoreError>> {
        Box::pin(self.store(drafts))
    }
}

impl Queue for Embedded {
    fn event(&self, id: EventId) -> BoxFuture<'_, Result<Option<Stored>, QueueError>> {
        Box::pin(self.reading(move |reading| reading.by_id(id)))
    }

    fn erase(&self, id: EventId) -> BoxFuture<'_, Result<Option<Erased>, QueueError>> {
        Box::pin(self.erase_event(id))
    }

    fn list(&self, query: ListQuery) -> BoxFuture<'_, Result<Page, QueueError>> {
        Box::pin(self.reading(move |reading| reading.list(&query)))
    }

    fn read(&self, from: Seq, max: usize) -> BoxFuture<'_, Result<Vec<Stored>, QueueError>> {
        Box::pin(self.reading(move |reading| reading.from(from, max)))
    }

    fn head(&self) -> watch::Receiver<Seq> {
        self.log.head()
    }

    fn put_subscription(
        &self,
        spec: SubscriptionSpec,
    ) -> BoxFuture<'_, Result<SubscriptionStatus, QueueError>> {
        Box::pin(self.put(spec))
    }

    fn delete_subscription(&self, name: &str) -> BoxFuture<'_, Result<(), QueueError>> {
        Box::pin(self.delete(name.to_owned()))
    }

    fn subscriptions(&self) -> BoxFuture<'_, Result<Vec<SubscriptionStatus>, QueueError>> {
        Box::pin(self.statuses())
    }

    fn lease(
        &self,
        subscription: &str,
        ask: LeaseAsk,
    ) -> BoxFuture<'_, Result<Vec<Event>, QueueError>> {
        Box::pin(self.lease_for(subscription.to_owned(), ask))
    }

    fn settle(
        &self,
        subscription: &str,
        settlements: Vec<Settlement>,
    ) -> BoxFuture<'_, Result<Vec<Result<(), SettleError>>, QueueError>> {
        Box::pin(self.settle_for(subscription.to_owned(), settlements, Vec::new()))
    }

    fn dead_letters(
        &self,
        subscription: &str,
        query: DeadLetterQuery,
    ) -> BoxFuture<'_, Result<DeadLetterPage, QueueError>> {
        Box::pin(self.dead_letters_of(subscription.to_owned(), query))
    }

    fn health(&self) -> Health {
        let consuming = [self.committer.health(), self.follower.health(), self.index.health()];
        Health {
            receiving: self.log.health().err().into_iter().collect(),
            consuming: consuming.into_iter().filter_map(Result::err).collect(),
        }
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.shut())
    }
}
