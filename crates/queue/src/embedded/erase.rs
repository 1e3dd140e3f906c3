//! Erasing one event: out of the state, the log and the index, in an order in which a crash between
//! any two steps is finished by the next opening or the next call.
//!
//! The state notes it first, synced, and ends its deliveries. From then on it is read as erased.
//! The frame is overwritten, then the index forgets it, and last the state forgets that anything
//! is to be done. What is left is in the frame.

use super::{
    Embedded,
    committer::{Call, Removing},
    read,
};
use crate::{Erased, QueueError, log::Erasure};
use headgate_event::{
    EventId,
    limits::{ERASE_CHECKPOINT_PAUSE, ERASE_CHECKPOINTS_MAX, ERASE_TURN_WAIT},
};
use std::sync::Arc;

impl Embedded {
    pub(super) async fn erase_event(&self, id: EventId) -> Result<Option<Erased>, QueueError> {
        let busy = || QueueError::unavailable("erasing: a backup or retention is at work");
        let turn = tokio::time::timeout(ERASE_TURN_WAIT, self.removing.lock());
        let _one = turn.await.map_err(|_| busy())?;
        let now = self.clock.now();
        let found = self.reading(move |reading| {
            let Some(located) = reading.located(id)? else { return Ok(None) };
            let planned = reading.log.plan_erasure(located.seq, located.position, now);
            let erasure = planned.map_err(|error| read::damaged(located.seq, error))?;
            let known = reading.frame(located)?.keys.erased_at;
            Ok(Some((erasure, known)))
        });
        let Some((erasure, known)) = found.await? else { return Ok(None) };
        let erased_at = known.unwrap_or(now);
        let erased = Erased { id, created_at: erasure.created_at, erased_at };
        // Doing it once more costs little, and finishes what failed before.
        self.erase_wholly(Erasure { erased_at, ..erasure }).await?;
        if known.is_none() {
            metrics::counter!("headgate_events_erased_total").increment(1);
            tracing::info!(event = %id, "an event was erased");
            if self.folder.has_damaged_copies() {
                tracing::warn!(
                    event = %id,
                    "what a repair has kept in `damaged-` folders is not erased: delete them when \
                     they are needed no more"
                );
            }
        }
        Ok(Some(erased))
    }

    async fn erase_wholly(&self, erasure: Erasure) -> Result<(), QueueError> {
        let seq = erasure.seq;
        let note = erasure.clone();
        let begin = |answer| Call::Remove(Removing::Erase { erasure: note, answer });
        self.committer.call(begin).await?;
        let failed = |reason: String| QueueError::unavailable(format!("erasing: {reason}"));
        let (log, shelf) = (self.log.clone(), Arc::clone(&self.shelf));
        // It is done also when nobody waits for it any more, and then the shelf has to know.
        let erased = tokio::spawn(async move {
            let erased = log.erase(erasure).await;
            shelf.clear();
            erased
        });
        let erased = erased.await.map_err(|error| failed(error.to_string()))?;
        erased.map_err(|error| failed(error.to_string()))?;
        if !self.follower.erase(seq).await.map_err(failed)? {
            return Err(failed("a reader holds the index".to_owned()));
        }
        for _ in 0..ERASE_CHECKPOINTS_MAX {
            let end = |answer| Call::Remove(Removing::Erased { seq, answer });
            if self.committer.call(end).await? {
                return Ok(());
            }
            // Commits go on meanwhile.
            tokio::time::sleep(ERASE_CHECKPOINT_PAUSE).await;
        }
        Err(failed("a reader holds the state".to_owned()))
    }
}
