//! The events of the queue in memory.

use crate::{ListQuery, Page, Seq, Start, Stored, SubscriptionStatus, subscription::Subscriber};
use bytes::Bytes;
use headgate_event::{
    Accepted, Draft, Event, EventId, StoreError, StoredEvent, Timestamp, limits::LIST_EVENTS_MAX,
};
use std::{collections::BTreeMap, time::Duration};

/// All events, in their order, and the newest of each dedupe key.
#[derive(Debug, Default)]
pub(super) struct Events {
    stored: Vec<(Event, Bytes, Option<Duration>)>,
    newest: BTreeMap<(String, String), (Timestamp, EventId)>,
}

impl Events {
    /// Stores those that are no duplicates, all or none.
    pub(super) fn accept(
        &mut self,
        drafts: &[Draft],
        now: Timestamp,
    ) -> Result<Vec<Accepted>, StoreError> {
        let (stored, newest) = (self.stored.len(), self.newest.clone());
        let accepted: Result<Vec<_>, _> =
            drafts.iter().map(|draft| self.accept_one(draft, now)).collect();
        if accepted.is_err() {
            self.stored.truncate(stored);
            self.newest = newest;
        }
        accepted
    }

    fn accept_one(&mut self, draft: &Draft, now: Timestamp) -> Result<Accepted, StoreError> {
        let unavailable = |reason: String| StoreError::Unavailable {
            reason,
            retry_after: Duration::from_secs(5),
        };
        let key = draft.dedupe.as_ref().map(|one| (draft.channel.id.clone(), one.key.clone()));
        let known = key.as_ref().and_then(|key| self.newest.get(key));
        if let (Some((first, id)), Some(dedupe)) = (known, &draft.dedupe)
            && draft.created_at.since(*first) < dedupe.window
        {
            return Ok(Accepted::Duplicate(*id));
        }
        let id = self
            .next_id(now.max(draft.created_at))
            .map_err(|error| unavailable(error.to_string()))?;
        let event = StoredEvent::decode(id, &StoredEvent::encode(draft), &draft.raw)
            .map_err(|error| unavailable(error.to_string()))?;
        let window = draft.dedupe.as_ref().map(|dedupe| dedupe.window);
        self.stored.push((event, draft.raw.clone(), window));
        if let Some(key) = key {
            self.newest.insert(key, (draft.created_at, id));
        }
        Ok(Accepted::New(id))
    }

    /// Ids rise also when the clock stands still or goes backwards.
    fn next_id(&self, now: Timestamp) -> Result<EventId, getrandom::Error> {
        let last = self.stored.last().map(|(event, ..)| event.id());
        if let Some(last) = last.filter(|last| last.time() >= now) {
            return Ok(last.next());
        }
        let random = u128::from(getrandom::u64()?) << 16;
        Ok(EventId::from_parts(now, random))
    }

    pub(super) fn head(&self) -> Seq {
        self.stored.len() as Seq
    }

    pub(super) fn at(&self, seq: Seq) -> Option<Stored> {
        let index = usize::try_from(seq.checked_sub(1)?).ok()?;
        let (event, raw, dedupe_window) = self.stored.get(index)?.clone();
        Some(Stored { seq, event, raw, dedupe_window })
    }

    pub(super) fn from(&self, from: Seq) -> impl Iterator<Item = Stored> {
        (from.max(1)..=self.head()).filter_map(|seq| self.at(seq))
    }

    pub(super) fn by_id(&self, id: EventId) -> Option<Stored> {
        let index = self.stored.binary_search_by_key(&id, |(event, ..)| event.id()).ok()?;
        self.at(index as Seq + 1)
    }

    pub(super) fn list(&self, query: &ListQuery) -> Page {
        let before = query.before.unwrap_or(Seq::MAX).min(self.head() + 1);
        let fits = |stored: &Stored| {
            let (event, created_at) = (&stored.event, stored.event.created_at());
            query.selection.wants(event)
                && query.since.is_none_or(|since| created_at >= since)
                && query.until.is_none_or(|until| created_at < until)
        };
        let mut found = (1..before).rev().filter_map(|seq| self.at(seq)).filter(fits);
        let limit = query.limit.min(LIST_EVENTS_MAX);
        let page: Vec<Stored> = found.by_ref().take(limit).collect();
        let next = page.last().map(|last| last.seq).filter(|_| found.next().is_some());
        let events = page.into_iter().map(|stored| stored.event).collect();
        Page { events, damaged: Vec::new(), next }
    }

    /// The last event before which nothing is for a subscription that begins here.
    pub(super) fn place_of(&self, start: Start) -> Seq {
        let events = self.stored.iter().map(|(event, ..)| event);
        match start {
            Start::Now => self.head(),
            Start::Earliest => 0,
            Start::After(id) => events.take_while(|event| event.id() <= id).count() as Seq,
            Start::At(time) => events.take_while(|event| event.created_at() < time).count() as Seq,
        }
    }

    pub(super) fn status(&self, known: &Subscriber, now: Timestamp) -> SubscriptionStatus {
        let (status, oldest) = known.status(self.head());
        let oldest = oldest.and_then(|seq| self.at(seq));
        status.aged(now, oldest.map(|stored| stored.event.created_at()))
    }
}
