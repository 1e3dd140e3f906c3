//! Retention: the oldest segments of the log go, and with them what was not settled of them.
//!
//! The order is what makes a crash between any two steps harmless. Events are hidden; every
//! subscription that has unsettled ones gets dead letters, synced; the state notes from where on
//! events are kept, synced; the files are unlinked, which an opening finishes; the index follows.

use super::{
    Embedded,
    committer::{Call, Removing},
    index::{Entry, Index, Span},
    read::{self, Located, Reading},
};
use crate::{
    QueueError, Removed, Retention, Selection, Seq,
    log::SegmentInfo,
    subscription::{Expiry, Subscriber},
};
use headgate_event::{
    Belief, ClockWatch, Moment, Timestamp,
    limits::{
        CLOCK_GRACE, EXPIRED_PER_COMMIT_MAX, INDEX_LAG_WAIT, INDEX_LINGER,
        LETTERS_WITHOUT_EVENT_MAX, RETENTION_AGE_PARTS,
    },
};
use std::{collections::VecDeque, sync::Arc};

impl Embedded {
    /// Removes what is past retention at this moment, whole segments of the log at a time, and
    /// says what that was. Events that a subscription has not settled expire.
    ///
    /// Age counts from when an event was stored, which its id says: what was received long before
    /// (released, imported, slow to come) is no reason to remove what stands before it. It is that
    /// of the newest event of a segment, and a segment is ended when its oldest event has an eighth
    /// of the age, so that an event stays at most so much longer. Bytes are those of the log; index
    /// and state come on top. What is being written is never removed for them.
    ///
    /// While the clock is not where it should be nothing is removed for its age.
    pub async fn retain(&self, retention: Retention) -> Result<Removed, QueueError> {
        let mut watch = self.removing.lock().await;
        let (now, believed) = self.time(&mut watch).await?;
        let retention = Retention { age: retention.age.filter(|_| believed), ..retention };
        if let Err(error) = self.end_old_segment(retention, now).await {
            // On a full disk no segment can be begun, but others can be removed.
            tracing::warn!(%error, "the active segment stays although it is old");
        }
        self.wait_for_index().await;
        let kept_from = self.reading(move |reading| reading.kept_from(retention, now)).await?;
        let mut removed = Removed::default();
        // One segment after the other: what is interrupted has done its part.
        for first in kept_from {
            removed.events += first.saturating_sub(self.log.first_seq());
            removed.expired += self.expire_before(first, now).await?;
            let note = |answer| Call::Remove(Removing::Keep { from: first, answer });
            self.committer.call(note).await?;
            removed.bytes += self.unlink_before(first).await?;
            self.follower.trim(first);
        }
        if removed != Removed::default() {
            let Removed { events, bytes, expired } = removed;
            tracing::info!(events, bytes, expired, "events past retention were removed");
        }
        Ok(removed)
    }

    /// The time, and whether events may be removed by it. What they are removed by for their bytes
    /// is no clock. No other time is looked at until they are removed: it could have leapt since.
    async fn time(&self, watch: &mut ClockWatch) -> Result<(Timestamp, bool), QueueError> {
        let now = Moment::of(&*self.clock);
        let belief = watch.look(now);
        let believes = belief.is_believed();
        metrics::gauge!("headgate_clock_doubted").set(if believes { 0.0 } else { 1.0 });
        match belief {
            Belief::Keep => {
                let keep = |answer| Call::Remove(Removing::Believe { wall: now.wall, answer });
                self.committer.call(keep).await?;
                watch.keeps(now.wall);
            }
            Belief::Leapt { expected } => tracing::error!(
                clock = %now.wall,
                %expected,
                believed_in_s = CLOCK_GRACE.as_secs(),
                "the clock is not where it should be: no event is removed for its age until it is \
                 set right or has stood so long"
            ),
            Belief::Believed | Belief::Doubted => {}
        }
        Ok((now.wall, believes))
    }

    /// Waits a while for the index to see what is stored: what it has not seen cannot go.
    async fn wait_for_index(&self) {
        let head = *self.log.head().borrow();
        let behind = async {
            while self.index.last() < head && self.follower.health().is_ok() {
                tokio::time::sleep(INDEX_LINGER).await;
            }
        };
        let _ = tokio::time::timeout(INDEX_LAG_WAIT, behind).await;
    }

    /// Begins another segment when the oldest event of the active one is old enough.
    async fn end_old_segment(
        &self,
        retention: Retention,
        now: Timestamp,
    ) -> Result<(), QueueError> {
        let Some(age) = retention.age else { return Ok(()) };
        let old = now.minus(age / RETENTION_AGE_PARTS);
        let ended = self.reading(move |reading| {
            let Some(active) = reading.log.segments().pop() else { return Ok(false) };
            let oldest = reading.oldest_of(active)?;
            Ok(oldest.is_some_and(|oldest| oldest.id.time() <= old))
        });
        if ended.await? {
            self.log.roll().await.map_err(QueueError::unavailable)?;
        }
        Ok(())
    }

    /// Leaves dead letters of what is not settled before this event; answers how many expired.
    async fn expire_before(&self, first: Seq, now: Timestamp) -> Result<u64, QueueError> {
        let hide = |answer| Call::Remove(Removing::Hide { before: first, answer });
        let mut expired = 0;
        for subscriber in self.committer.call(hide).await? {
            let before = subscriber.held().deliveries.expired();
            // Nobody leases meanwhile, so that what is counted as unseen stays so.
            let turn = subscriber.turn().await;
            loop {
                let known = Arc::clone(&subscriber);
                let expiry = self.reading(move |reading| reading.expiry(&known, first - 1, now));
                let (expiry, subscriber) = (expiry.await?, Arc::clone(&subscriber));
                let Some(expiry) = expiry else { break };
                let expire = |answer| Removing::Expire { subscriber, expiry, answer };
                if !self.committer.call(|answer| Call::Remove(expire(answer))).await? {
                    break;
                }
            }
            drop(turn);
            expired += subscriber.held().deliveries.expired() - before;
        }
        Ok(expired)
    }

    async fn unlink_before(&self, first: Seq) -> Result<u64, QueueError> {
        let log = self.log.clone();
        let unlinked = tokio::task::spawn_blocking(move || log.remove_before(first)).await;
        let failed = |reason: String| QueueError::unavailable(format!("retention: {reason}"));
        let (segments, bytes) = unlinked
            .map_err(|error| failed(error.to_string()))?
            .map_err(|error| failed(read::chain(&error)))?;
        metrics::counter!("headgate_log_segments_removed_total").increment(segments);
        Ok(bytes)
    }
}

impl Reading {
    /// The first events after each segment that is past retention, in their order.
    fn kept_from(&self, retention: Retention, now: Timestamp) -> Result<Vec<Seq>, QueueError> {
        let segments = self.log.segments();
        let mut bytes: u64 = segments.iter().map(|segment| segment.bytes).sum();
        let mut kept_from = Vec::new();
        for (segment, next) in segments.iter().zip(segments.iter().skip(1)) {
            let full = retention.bytes.is_some_and(|bytes_max| bytes > bytes_max);
            // What the index has not seen yet is not in its rows, which expiring counts by.
            let indexed = segment.last_seq <= self.index.last();
            if !indexed || !(full || self.is_old(*segment, retention, now)?) {
                break;
            }
            bytes -= segment.bytes;
            kept_from.push(next.first_seq);
        }
        Ok(kept_from)
    }

    /// The oldest event of a segment that is not lost.
    fn oldest_of(&self, segment: SegmentInfo) -> Result<Option<Located>, QueueError> {
        match self.locate(segment.first_seq)? {
            None => self.entry_of(segment, Index::oldest),
            found => Ok(found),
        }
    }

    fn entry_of(
        &self,
        segment: SegmentInfo,
        find: impl FnOnce(&Index, &Selection, Span, usize) -> rusqlite::Result<Vec<Entry>>,
    ) -> Result<Option<Located>, QueueError> {
        let SegmentInfo { first_seq: first, last_seq: last, .. } = segment;
        let span = Span { first, last, since: None, until: None };
        let found = find(&self.index, &Selection::default(), span, 1);
        Ok(found.map_err(read::index_failed)?.pop().map(Located::from))
    }

    fn is_old(
        &self,
        segment: SegmentInfo,
        retention: Retention,
        now: Timestamp,
    ) -> Result<bool, QueueError> {
        let Some(age) = retention.age else { return Ok(false) };
        let newest = match self.locate(segment.last_seq)? {
            None => self.entry_of(segment, Index::newest)?,
            found => found,
        };
        // A segment of which every event is lost is as old as one can be.
        Ok(newest.is_none_or(|newest| now.since(newest.id.time()) >= age))
    }

    /// What expires of a subscription; none when it has settled all that goes.
    fn expiry(
        &self,
        known: &Subscriber,
        upto: Seq,
        now: Timestamp,
    ) -> Result<Option<Expiry>, QueueError> {
        let replayed = known.lane().is_some();
        let (selection, mut cursor, open) = {
            let held = known.held();
            let oldest = held.deliveries.oldest_open();
            let open = oldest.is_some_and(|oldest| oldest <= upto);
            (held.spec.selection.clone(), held.deliveries.cursor(), open)
        };
        if cursor >= upto && !open {
            return Ok(None);
        }
        let (mut unseen, mut letters) = (0, VecDeque::new());
        if replayed {
            // A replay gives what is stored, and owes nothing of what is not.
            cursor = upto;
        }
        while cursor < upto {
            let span = Span { first: cursor + 1, last: upto, since: None, until: None };
            let found = self.index.oldest(&selection.indexed(), span, EXPIRED_PER_COMMIT_MAX);
            let found = found.map_err(read::index_failed)?;
            let full = found.last().filter(|_| found.len() == EXPIRED_PER_COMMIT_MAX);
            cursor = full.map_or(upto, |last| last.seq);
            for seq in self.owed(known, &selection, found)? {
                unseen += 1;
                letters.push_back(seq);
                if letters.len() > LETTERS_WITHOUT_EVENT_MAX {
                    letters.pop_front();
                }
            }
        }
        Ok(Some(Expiry { upto, unseen, letters: letters.into(), now }))
    }

    /// Those that the subscription wants and was never given. The index finds more than a filter
    /// lets through: what it found is looked into, while it is still there.
    fn owed(
        &self,
        known: &Subscriber,
        selection: &Selection,
        mut found: Vec<Entry>,
    ) -> Result<Vec<Seq>, QueueError> {
        let held = known.held();
        found.retain(|entry| !held.deliveries.has(entry.seq));
        drop(held);
        let mut owed = Vec::with_capacity(found.len());
        for entry in found {
            let seq = entry.seq;
            if !selection.looks_inside() || self.wants_inside(selection, Located::from(entry))? {
                owed.push(seq);
            }
        }
        Ok(owed)
    }
}
