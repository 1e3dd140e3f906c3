//! Giving events again: planning, beginning, listing and cancelling replays, and what is asked of
//! dead letters.

use super::{
    Embedded,
    committer::{Again, Beginning, Call, LettersSettled, WithLetters},
    lanes::unreadable,
    read::Reading,
    state::{self, ReplayRow},
};
use crate::{
    Counted, DeadLetterQuery, DeliveryId, EventQuery, LetterVerb, ListQuery, QueueError, ReplayAsk,
    ReplayBy, ReplayError, ReplayEvents, ReplaySpec, ReplayState, ReplayStatus, Replays, Seq,
    subscription::{Subscriber, Thread, begun, thread_of},
};
use headgate_event::{
    BoxFuture, EventId,
    limits::{COUNT_LOOKS_MAX, LIST_EVENTS_MAX, REPLAY_PLACES_MAX, REPLAYS_RUNNING_MAX},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

/// How many entries of the index are counted at once.
const COUNT_STEP: usize = 4_096;

/// What a replay will look at.
#[derive(Debug)]
struct Plan {
    spec: ReplaySpec,
    /// The places themselves, where they are named one by one.
    places: Option<BTreeSet<Seq>>,
    first: Seq,
    last: Seq,
    counted: Counted,
}

impl Replays for Embedded {
    fn settle_letters(
        &self,
        subscription: &str,
        ids: Vec<String>,
        verb: LetterVerb,
    ) -> BoxFuture<'_, Result<LettersSettled, QueueError>> {
        let name = subscription.to_owned();
        Box::pin(async move {
            let subscriber = self.known(&name)?;
            let what = match verb {
                LetterVerb::Delete => WithLetters::Delete,
                LetterVerb::Redrive => {
                    let named = ids.iter().filter_map(|id| id.parse::<DeliveryId>().ok());
                    let places: BTreeSet<Seq> = named.map(|named| named.seq).collect();
                    let events = self.reading(move |reading| reading.deliverable(&places)).await?;
                    WithLetters::Redrive { events, now: self.clock.now() }
                }
            };
            let letters = |answer| Again::Letters { subscriber, ids, what, answer };
            self.committer.call(|answer| Call::Again(letters(answer))).await
        })
    }

    fn count(&self, query: EventQuery) -> BoxFuture<'_, Result<Counted, QueueError>> {
        Box::pin(self.reading(move |reading| reading.count(&query, COUNT_LOOKS_MAX)))
    }

    fn plan_replay(&self, ask: ReplayAsk) -> BoxFuture<'_, Result<Counted, ReplayError>> {
        Box::pin(async move {
            let known = self.known(&ask.subscription)?;
            Ok(self.plan(known, ask, COUNT_LOOKS_MAX).await?.counted)
        })
    }

    fn begin_replay(&self, ask: ReplayAsk) -> BoxFuture<'_, Result<ReplayStatus, ReplayError>> {
        Box::pin(self.begin(ask))
    }

    fn replays(&self) -> BoxFuture<'_, Result<Vec<ReplayStatus>, QueueError>> {
        Box::pin(async move {
            let path = self.state_path();
            let rows = self.reading(move |_| state::replays(&path).map_err(unreadable)).await?;
            Ok(rows.iter().filter_map(|row| self.status_of_replay(row)).collect())
        })
    }

    fn cancel_replay(&self, id: EventId) -> BoxFuture<'_, Result<ReplayStatus, ReplayError>> {
        Box::pin(self.cancel(id))
    }
}

impl Embedded {
    fn state_path(&self) -> PathBuf {
        self.folder.join("headgate.db")
    }

    async fn begin(&self, ask: ReplayAsk) -> Result<ReplayStatus, ReplayError> {
        let known = self.known(&ask.subscription)?;
        let now = self.clock.now();
        // What takes long to count is counted by doing it.
        let plan = self.plan(Arc::clone(&known), ask, LIST_EVENTS_MAX as u64).await?;
        let Plan { spec, places, first, last, counted } = plan;
        let random = super::random::number().map_err(|error| {
            QueueError::unavailable(format!("the system gives no random bytes: {error}"))
        })?;
        let row = ReplayRow {
            generation: 0,
            id: EventId::from_parts(now, u128::from(random)),
            of: known.generation(),
            spec,
            created_at: now,
            first,
            last,
            matched: counted.complete.then_some(counted.matched),
            state: ReplayState::Running,
            acked: 0,
            dead: 0,
            ended_at: None,
        };
        let kept = begun(first, last, places.as_ref());
        let status = row.clone();
        let replay = Box::new(Beginning { row, kept });
        let begin = |answer| Call::Again(Again::Begin { replay, answer });
        let most = REPLAYS_RUNNING_MAX;
        let lane = self.committer.call(begin).await?.ok_or(ReplayError::TooMany { most })?;
        Ok(status.status(known.name(), Some(&lane)))
    }

    async fn cancel(&self, id: EventId) -> Result<ReplayStatus, ReplayError> {
        if let Some(lane) = self.lanes.with_id(id) {
            let (generation, now) = (lane.generation(), self.clock.now());
            let cancel = |answer| Call::Again(Again::Cancel { generation, now, answer });
            if self.committer.call(cancel).await? {
                return self.replay(id).await;
            }
        }
        let ReplayStatus { state, .. } = self.replay(id).await?;
        Err(ReplayError::Ended { id, state })
    }

    async fn replay(&self, id: EventId) -> Result<ReplayStatus, ReplayError> {
        let path = self.state_path();
        let row = self.reading(move |_| state::replay(&path, id).map_err(unreadable)).await?;
        let status = row.and_then(|row| self.status_of_replay(&row));
        status.ok_or(ReplayError::Unknown { id })
    }

    fn status_of_replay(&self, row: &ReplayRow) -> Option<ReplayStatus> {
        let all = self.registry.all();
        let to = all.iter().find(|known| known.generation() == row.of)?;
        let running = self.lanes.numbered(row.generation);
        Some(row.status(to.name(), running.as_deref()))
    }

    async fn plan(
        &self,
        known: Arc<Subscriber>,
        ask: ReplayAsk,
        looks: u64,
    ) -> Result<Plan, ReplayError> {
        let rate = ask.pace;
        let plan = match ask.events {
            ReplayEvents::Ids(ids) => {
                let places = self.reading(move |reading| reading.places(&ids)).await??;
                Plan::of_places(
                    places,
                    ReplaySpec { by: ReplayBy::Ids, rate, ..ReplaySpec::default() },
                )
            }
            ReplayEvents::DeadLetters => {
                let path = self.state_path();
                let letters = self.reading(move |reading| reading.dead_places(&path, &known));
                let places = letters.await??;
                let spec = ReplaySpec { by: ReplayBy::DeadLetters, rate, ..ReplaySpec::default() };
                Plan::of_places(places, spec)
            }
            ReplayEvents::Fitting(query) => {
                let wanted = known.held_live()?.spec.selection.clone();
                let Some(selection) = wanted.and(&query.selection) else {
                    return Err(ReplayError::Nothing);
                };
                let query = EventQuery { selection, ..query };
                self.reading(move |reading| reading.plan(query, looks)).await?.map(|mut plan| {
                    plan.spec.rate = rate;
                    plan
                })
            }
        };
        plan.ok_or(ReplayError::Nothing)
    }
}

impl Plan {
    fn of_places(places: BTreeSet<Seq>, spec: ReplaySpec) -> Option<Self> {
        let (first, last) = (*places.first()?, *places.last()?);
        let matched = places.len() as u64;
        let counted = Counted { matched, scanned: matched, complete: true };
        Some(Self { spec, places: Some(places), first, last, counted })
    }
}

impl Reading {
    /// How many events fit, of which at most so many are looked into.
    fn count(&self, query: &EventQuery, looks: u64) -> Result<Counted, QueueError> {
        let inside = query.selection.looks_inside();
        let mut counted = Counted { complete: true, ..Counted::default() };
        let mut list = list_query(query, COUNT_STEP);
        loop {
            let found = self.newest(&list, COUNT_STEP)?;
            let Some(last) = found.last() else { return Ok(counted) };
            list.before = Some(last.seq);
            for located in &found {
                if inside && counted.scanned >= looks {
                    counted.complete = false;
                    return Ok(counted);
                }
                let wanted = !inside || self.wants_inside(&query.selection, *located)?;
                counted.matched += u64::from(wanted);
                counted.scanned += 1;
            }
        }
    }

    /// A replay of the events that fit; none when there are none.
    fn plan(&self, query: EventQuery, looks: u64) -> Result<Option<Plan>, QueueError> {
        let counted = self.count(&query, looks)?;
        if counted.complete && counted.matched == 0 {
            return Ok(None);
        }
        let newest = self.newest(&list_query(&query, 1), 1)?;
        let Some(last) = newest.first().map(|located| located.seq) else { return Ok(None) };
        let first = query.since.map_or(Ok(0), |since| self.place_of(crate::Start::At(since)))? + 1;
        let first = first.max(self.log.first_seq()).min(last);
        let EventQuery { selection, since, until } = query;
        let spec = ReplaySpec { selection, since, until, ..ReplaySpec::default() };
        Ok(Some(Plan { spec, places: None, first, last, counted }))
    }

    /// Whether the event of a place can be delivered: it was neither removed nor erased.
    fn is_stored(&self, seq: Seq) -> Result<bool, QueueError> {
        Ok(self.thread_to_deliver(seq)?.is_some())
    }

    /// The threads of those of the events that can be delivered.
    fn deliverable(
        &self,
        places: &BTreeSet<Seq>,
    ) -> Result<BTreeMap<Seq, Option<Thread>>, QueueError> {
        let found = |seq: &Seq| Some((*seq, self.thread_to_deliver(*seq).transpose()?));
        places.iter().filter_map(found).map(|(seq, thread)| Ok((seq, thread?))).collect()
    }

    /// The thread of an event that can be delivered, if it has one.
    fn thread_to_deliver(&self, seq: Seq) -> Result<Option<Option<Thread>>, QueueError> {
        if !self.keeps(seq) {
            return Ok(None);
        }
        let Some(located) = self.locate(seq)? else { return Ok(None) };
        Ok(match self.frame(located) {
            Ok(frame) if frame.keys.is_erased() => None,
            Ok(frame) => Some(frame.keys.thread_key.as_deref().map(thread_of)),
            // One that cannot be read is delivered to nobody, and says so.
            Err(_) => Some(None),
        })
    }

    /// The places of these events.
    fn places(&self, ids: &[EventId]) -> Result<Result<BTreeSet<Seq>, ReplayError>, QueueError> {
        if ids.len() > REPLAY_PLACES_MAX {
            return Ok(Err(ReplayError::TooManyEvents { most: REPLAY_PLACES_MAX }));
        }
        let mut places = BTreeSet::new();
        for id in ids {
            match self.located(*id)? {
                Some(located) if self.is_stored(located.seq)? => places.insert(located.seq),
                _ => return Ok(Err(ReplayError::UnknownEvent { id: *id })),
            };
        }
        Ok(Ok(places))
    }

    /// The places of the dead letters of a subscription whose events are stored.
    fn dead_places(
        &self,
        path: &std::path::Path,
        known: &Subscriber,
    ) -> Result<Result<BTreeSet<Seq>, ReplayError>, QueueError> {
        let query = DeadLetterQuery { before: None, limit: REPLAY_PLACES_MAX + 1 };
        let letters = state::dead_letters(path, known, query).map_err(unreadable)?;
        if letters.len() > REPLAY_PLACES_MAX {
            return Ok(Err(ReplayError::TooManyEvents { most: REPLAY_PLACES_MAX }));
        }
        let mut places = BTreeSet::new();
        for seq in letters.into_iter().map(|letter| letter.delivery.seq) {
            if self.is_stored(seq)? {
                places.insert(seq);
            }
        }
        Ok(Ok(places))
    }
}

fn list_query(query: &EventQuery, limit: usize) -> ListQuery {
    let EventQuery { selection, since, until } = query.clone();
    ListQuery { selection, since, until, before: None, limit }
}
