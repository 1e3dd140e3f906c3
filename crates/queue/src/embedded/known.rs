//! Which events are stored under dedupe keys, for a source that lost track of what it stored.

use super::{Embedded, read::Reading};
use crate::{QueueError, log::Keys};
use headgate_event::{Dedupe, EventId, Timestamp};
use std::collections::HashMap;

impl Embedded {
    /// For each of these channels and keys, in their order, the event that is stored under it and
    /// was received within its window before `now`.
    pub async fn known_as(
        &self,
        keys: Vec<(String, Dedupe)>,
        now: Timestamp,
    ) -> Result<Vec<Option<EventId>>, QueueError> {
        self.reading(move |reading| reading.known_as(&keys, now)).await
    }
}

impl Reading {
    fn known_as(
        &self,
        keys: &[(String, Dedupe)],
        now: Timestamp,
    ) -> Result<Vec<Option<EventId>>, QueueError> {
        // What the index has not seen yet comes first: it leaves the memory when the index has it.
        let mut unindexed = HashMap::new();
        for entry in self.unindexed() {
            if let Some(digest) = entry.keys.dedupe_digest() {
                unindexed.insert(digest, (entry.id, entry.created_at));
            }
        }
        let found = |(channel, dedupe): &(String, Dedupe)| {
            let digest = Keys::digest_of(channel, &dedupe.key);
            let is_within = |at: Timestamp| now.since(at) < dedupe.window;
            if let Some((id, at)) = unindexed.get(&digest)
                && is_within(*at)
            {
                return Ok(Some(*id));
            }
            let repeats = self.index.repeats_of(digest, now.minus(dedupe.window));
            for seq in repeats.map_err(failed)?.into_iter().filter(|seq| self.keeps(*seq)) {
                let Some(entry) = self.index.at(seq).map_err(failed)? else { continue };
                let keys = self.log.read(entry.position).map(|frame| frame.keys);
                // A hash may be shared by two keys.
                let is_it = keys.is_ok_and(|keys| keys.dedupe_digest() == Some(digest));
                if is_it && is_within(entry.created_at) {
                    return Ok(Some(entry.id));
                }
            }
            Ok(None)
        };
        keys.iter().map(found).collect()
    }
}

fn failed(error: rusqlite::Error) -> QueueError {
    QueueError::unavailable(format!("the index: {error}"))
}
