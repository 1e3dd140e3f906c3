//! The events of the queue in memory.

use crate::{
    Erased, ListQuery, Page, QueueError, Retention, Seq, Start, Stored, SubscriptionStatus,
    holder::Holder, subscription::Subscriber,
};
use bytes::Bytes;
use headgate_event::{
    Accepted, AppContent, Draft, Event, EventId, StoreError, StoredEvent, Timestamp,
    limits::LIST_EVENTS_MAX,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// All events, in their order, and the newest of each dedupe key.
#[derive(Debug, Default)]
pub(super) struct Events {
    stored: Vec<Kept>,
    /// How many of the oldest were removed. Their entries stay, without content.
    removed: Seq,
    newest: BTreeMap<(String, String), (Timestamp, EventId)>,
    /// Who has each name, by channel.
    names: BTreeMap<(String, String), (EventId, Option<AppContent>)>,
}

/// One event, or what is left of it.
#[derive(Debug)]
struct Kept {
    id: EventId,
    created_at: Timestamp,
    /// The event, the bytes that came, and its dedupe window.
    content: Option<(Event, Bytes, Option<Duration>)>,
    erased_at: Option<Timestamp>,
}

impl Events {
    /// Stores those that are no duplicates, all or none.
    pub(super) fn accept(
        &mut self,
        drafts: &[Draft],
        now: Timestamp,
    ) -> Result<Vec<Accepted>, StoreError> {
        let before = (self.stored.len(), self.newest.clone(), self.names.clone());
        let accepted: Result<Vec<_>, _> = drafts
            .iter()
            .enumerate()
            .map(|(place, draft)| match self.holder(draft) {
                Some(Holder::Same(id)) => Ok(Accepted::Duplicate(id)),
                Some(Holder::Other(id)) => {
                    let stored = self.place_of_id(id).is_some_and(|seq| seq <= before.0 as Seq);
                    Err(StoreError::Conflict { place, stored: stored.then_some(id) })
                }
                None => self.accept_one(draft, now),
            })
            .collect();
        if accepted.is_err() {
            let stored;
            (stored, self.newest, self.names) = before;
            self.stored.truncate(stored);
        }
        accepted
    }

    /// The event that has the names of this draft.
    fn holder(&self, draft: &Draft) -> Option<Holder> {
        let identity = draft.identity.as_ref()?;
        let held = |name: &String| {
            let (id, content) = self.names.get(&(draft.channel.id.clone(), name.clone()))?;
            let same = content.is_some_and(|content| content.agrees(&identity.content));
            Some(if same { Holder::Same(*id) } else { Holder::Other(*id) })
        };
        Holder::of(identity.names.iter().map(held))
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
        let (created_at, content) = (draft.created_at, Some((event, draft.raw.clone(), window)));
        self.stored.push(Kept { id, created_at, content, erased_at: None });
        if let Some(key) = key {
            self.newest.insert(key, (draft.created_at, id));
        }
        if let Some(identity) = &draft.identity {
            let key = |name: &String| (draft.channel.id.clone(), name.clone());
            let named = identity.names.iter().map(|name| (key(name), (id, Some(identity.content))));
            self.names.extend(named);
        }
        Ok(Accepted::New(id))
    }

    /// Ids rise also when the clock stands still or goes backwards.
    fn next_id(&self, now: Timestamp) -> Result<EventId, getrandom::Error> {
        let last = self.stored.last().map(|kept| kept.id);
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
        let (event, raw, dedupe_window) = self.stored.get(index)?.content.clone()?;
        Some(Stored { seq, event, raw, dedupe_window })
    }

    pub(super) fn from(&self, from: Seq) -> impl Iterator<Item = Stored> {
        (from.max(1)..=self.head()).filter_map(|seq| self.at(seq))
    }

    /// The place of an id that was not removed.
    pub(super) fn place_of_id(&self, id: EventId) -> Option<Seq> {
        let index = self.stored.binary_search_by_key(&id, |kept| kept.id).ok()?;
        Some(index as Seq + 1).filter(|seq| *seq > self.removed)
    }

    pub(super) fn by_id(&self, id: EventId) -> Result<Option<Stored>, QueueError> {
        let Some(seq) = self.place_of_id(id) else { return Ok(None) };
        self.at(seq).map(Some).ok_or(QueueError::Erased { id })
    }

    /// The id of a place, whatever is left there.
    pub(super) fn id_of(&self, seq: Seq) -> Option<EventId> {
        let index = usize::try_from(seq.checked_sub(1)?).ok()?;
        self.stored.get(index).map(|kept| kept.id)
    }

    /// Takes the content of a place away.
    pub(super) fn erase(&mut self, seq: Seq, now: Timestamp) -> Option<Erased> {
        let kept = self.stored.get_mut(usize::try_from(seq.checked_sub(1)?).ok()?)?;
        kept.content = None;
        let id = kept.id;
        let mine = self.names.values_mut().filter(|(holder, _)| *holder == id);
        mine.for_each(|(_, content)| *content = None);
        let erased_at = *kept.erased_at.get_or_insert(now);
        Some(Erased { id: kept.id, created_at: kept.created_at, erased_at })
    }

    /// The first event that a retention keeps at this moment. Bytes are those that came.
    pub(super) fn kept_from(&self, retention: Retention, now: Timestamp) -> Seq {
        let raw = |kept: &Kept| kept.content.as_ref().map_or(0, |(_, raw, _)| raw.len() as u64);
        let mut bytes: u64 = self.stored.iter().map(raw).sum();
        let mut gone = 0;
        for kept in &self.stored {
            let old = retention.age.is_some_and(|age| now.since(kept.id.time()) >= age);
            let full = retention.bytes.is_some_and(|most| bytes > most);
            if !old && !full {
                break;
            }
            bytes -= raw(kept);
            gone += 1;
        }
        self.removed.max(gone) + 1
    }

    /// Removes the events before this one and answers how many that were, and their bytes.
    pub(super) fn remove_before(&mut self, first: Seq) -> (u64, u64) {
        let (from, before) = (self.removed, self.removed.max(first - 1));
        self.removed = before;
        let mut bytes = 0;
        for kept in self.stored.iter_mut().take(usize::try_from(before).unwrap_or(usize::MAX)) {
            bytes += kept.content.take().map_or(0, |(_, raw, _)| raw.len() as u64);
        }
        let removed: BTreeSet<EventId> =
            (from + 1..=before).filter_map(|seq| self.id_of(seq)).collect();
        self.newest.retain(|_, (_, id)| !removed.contains(id));
        self.names.retain(|_, (id, _)| !removed.contains(id));
        (before - from, bytes)
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
        let events = self.stored.iter();
        let place = match start {
            Start::Now => self.head(),
            Start::Earliest => 0,
            Start::After(id) => events.take_while(|kept| kept.id <= id).count() as Seq,
            Start::At(time) => events.take_while(|kept| kept.created_at < time).count() as Seq,
        };
        place.max(self.removed)
    }

    pub(super) fn status(&self, known: &Subscriber, now: Timestamp) -> SubscriptionStatus {
        let (status, oldest) = known.status(self.head());
        let index = oldest.and_then(|seq| usize::try_from(seq.checked_sub(1)?).ok());
        let oldest = index.and_then(|index| self.stored.get(index));
        status.aged(now, oldest.map(|kept| kept.created_at))
    }
}
