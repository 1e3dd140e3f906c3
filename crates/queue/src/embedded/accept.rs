//! Taking events in: what can be done by the caller's task is done there, the log does the rest.

use super::{Embedded, read::Reading};
use crate::{
    holder::Holder,
    log::{AppendError, DedupeDigest, Keys, Log, LogError, NameDigest, Position, Prepared},
    queue::UNAVAILABLE_RETRY_AFTER,
};
use headgate_event::{
    Accepted, Draft, EventId, StoreError, Timestamp,
    limits::{
        BLOCKING_BYTES_MIN, DRAFTS_PER_ACCEPT_MAX, LOOK_PAUSE, LOOKS_AT_ONCE_MAX,
        LOOKS_PER_ACCEPT_MAX,
    },
};
use std::sync::Arc;

impl Embedded {
    pub(super) async fn store(&self, drafts: Vec<Draft>) -> Result<Vec<Accepted>, StoreError> {
        if drafts.len() > DRAFTS_PER_ACCEPT_MAX {
            let (drafts, drafts_max) = (drafts.len(), DRAFTS_PER_ACCEPT_MAX);
            return Err(StoreError::TooMany { drafts, drafts_max });
        }
        let mut accepted = vec![None; drafts.len()];
        let bytes: usize =
            drafts.iter().map(|draft| draft.raw.len() + draft.data.parts().0.len()).sum();
        let size = if bytes < BLOCKING_BYTES_MIN { Size::Small } else { Size::Large };
        let prepare = move || drafts.iter().map(Prepared::new).collect::<Result<Vec<_>, _>>();
        let mut fresh: Vec<_> = apart(size, prepare).await??.into_iter().enumerate().collect();
        for look in 1..=LOOKS_PER_ACCEPT_MAX {
            let head = *self.log.head().borrow();
            let (seen, reading) = (self.index.last(), self.parts());
            let sight = if seen < head { Sight::Behind } else { Sight::Whole };
            let size = if self.needs_tables(&fresh) { Size::Large } else { size };
            let looked = apart(size, move || reading.looked_up(fresh, sight)).await??;
            looked.repeats.into_iter().for_each(|(place, id)| {
                fill(&mut accepted, place, Accepted::Duplicate(id));
            });
            let (places, drafts): (Vec<_>, Vec<_>) = looked.fresh.into_iter().unzip();
            match self.log.append(drafts, seen).await {
                Ok(answers) => {
                    places.into_iter().zip(answers).for_each(|(p, a)| fill(&mut accepted, p, a));
                    count(&accepted);
                    return Ok(accepted.into_iter().flatten().collect());
                }
                Err(AppendError::LookAgain(drafts)) => {
                    fresh = places.into_iter().zip(drafts).collect();
                    // An index that is made anew may be behind for longer than looking takes.
                    if look >= LOOKS_AT_ONCE_MAX {
                        tokio::time::sleep(LOOK_PAUSE).await;
                    }
                }
                Err(AppendError::Store(error)) => return Err(at_its_place(error, &places)),
            }
        }
        Err(unavailable("the index moves on faster than it is read"))
    }
}

impl Embedded {
    /// Whether tables have to be read to tell who has the names and the dedupe keys of these: what
    /// is in memory does not rule all of them out.
    fn needs_tables(&self, drafts: &[(usize, Prepared)]) -> bool {
        drafts.iter().any(|(_, draft)| {
            let named = draft.keys().names.iter().any(|name| self.index.may_be_named(name));
            named
                || draft
                    .repeated_since()
                    .is_some_and(|(digest, oldest)| self.index.may_repeat(digest, oldest))
        })
    }
}

/// Whether a call is worth a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    Small,
    Large,
}

/// What the index shows of events that were stored before the look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    Whole,
    /// Some may be missing; the writer knows those.
    Behind,
}

/// What a look into the index found, each with its place in the call.
struct Looked {
    repeats: Vec<(usize, EventId)>,
    fresh: Vec<(usize, Prepared)>,
}

/// Works where the caller is, or, when it is much, where it holds up no other task.
async fn apart<T: Send + 'static>(
    size: Size,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    if size == Size::Small {
        return Ok(work());
    }
    let ended = tokio::task::spawn_blocking(work).await;
    ended.map_err(|error| unavailable(format!("the event could not be made ready: {error}")))
}

impl Reading {
    /// Which of the drafts the index knows.
    fn looked_up(
        &self,
        drafts: Vec<(usize, Prepared)>,
        sight: Sight,
    ) -> Result<Looked, StoreError> {
        let mut looked = Looked { repeats: Vec::new(), fresh: Vec::new() };
        for (place, draft) in drafts {
            let holders = self.holders(&draft)?;
            let known = match Holder::of(holders.iter().copied()) {
                Some(Holder::Same(id)) if sight == Sight::Behind && holders.contains(&None) => {
                    looked.fresh.push((place, draft.repeating(Some(id))));
                    continue;
                }
                Some(Holder::Same(id)) => Some(id),
                Some(Holder::Other(id)) => {
                    return Err(StoreError::Conflict { place, stored: Some(id) });
                }
                None => self.repeated(&draft)?,
            };
            match known {
                Some(id) => looked.repeats.push((place, id)),
                None => looked.fresh.push((place, draft.repeating(None))),
            }
        }
        Ok(looked)
    }

    /// Who has each name of a draft, as far as the index knows.
    fn holders(&self, draft: &Prepared) -> Result<Vec<Option<Holder>>, StoreError> {
        draft.keys().names.iter().map(|name| self.holder(draft, name)).collect()
    }

    /// The event that the index has under a name of the draft.
    fn holder(&self, draft: &Prepared, name: &NameDigest) -> Result<Option<Holder>, StoreError> {
        let failed = |error: rusqlite::Error| unavailable(format!("the index: {error}"));
        for seq in self.index.named(name, self.log.first_seq()).map_err(failed)? {
            let Some(entry) = self.index.at(seq).map_err(failed)? else { continue };
            // What retention has removed has no name any more.
            if seq < self.log.first_seq() {
                break;
            }
            if let Some(keys) = keys_at(&self.log, entry.position)?
                && keys.names.contains(name)
            {
                return Ok(Some(draft.held_by(entry.id, keys.content)));
            }
        }
        Ok(None)
    }

    /// The event that the index has with the same dedupe key, within the draft's window.
    fn repeated(&self, draft: &Prepared) -> Result<Option<EventId>, StoreError> {
        let keys = draft.keys();
        let (Some(window), Some(digest)) = (keys.dedupe_window, draft.digest()) else {
            return Ok(None);
        };
        let oldest = draft.created_at().minus(window);
        let failed = |error: rusqlite::Error| unavailable(format!("the index: {error}"));
        for seq in self.index.repeats_of(digest, oldest).map_err(failed)? {
            // What retention has removed is repeated by nothing.
            if seq < self.log.first_seq() {
                break;
            }
            let Some(entry) = self.index.at(seq).map_err(failed)? else { continue };
            if draft.created_at().since(entry.created_at) < window
                && is_repeat(&self.log, entry.position, draft)?
            {
                return Ok(Some(entry.id));
            }
        }
        Ok(None)
    }
}

impl Prepared {
    /// The dedupe key of a draft, and after when another event with it makes this one a repeat.
    fn repeated_since(&self) -> Option<(DedupeDigest, Timestamp)> {
        let window = self.keys().dedupe_window?;
        Some((self.digest()?, self.created_at().minus(window)))
    }
}

/// Whether the frame there has the same channel and key: hashes may be shared.
fn is_repeat(log: &Log, position: Position, draft: &Prepared) -> Result<bool, StoreError> {
    let keys = keys_at(log, position)?;
    Ok(keys.is_some_and(|keys| keys.dedupe_digest() == draft.digest()))
}

/// The keys of the frame there. One that is gone or damaged is nobody's repeat: what came again is
/// stored again.
fn keys_at(log: &Log, position: Position) -> Result<Option<Arc<Keys>>, StoreError> {
    match log.read(position) {
        Ok(frame) => Ok(Some(frame.keys)),
        Err(error @ LogError::Io { .. }) => Err(unavailable(error.to_string())),
        Err(error) => {
            tracing::error!(%error, "an event with the same dedupe key cannot be read");
            Ok(None)
        }
    }
}

/// The writer counts the drafts it was given, which may be fewer than the call's.
fn at_its_place(error: StoreError, places: &[usize]) -> StoreError {
    match error {
        StoreError::Conflict { place, stored } => {
            StoreError::Conflict { place: places.get(place).copied().unwrap_or(place), stored }
        }
        other => other,
    }
}

fn fill(accepted: &mut [Option<Accepted>], place: usize, answer: Accepted) {
    if let Some(slot) = accepted.get_mut(place) {
        *slot = Some(answer);
    }
}

fn count(accepted: &[Option<Accepted>]) {
    let is_new = |answer: &&Option<Accepted>| matches!(answer, Some(Accepted::New(_)));
    let new = accepted.iter().filter(is_new).count() as u64;
    metrics::counter!("headgate_queue_events_total").increment(new);
    let repeats = accepted.len() as u64 - new;
    metrics::counter!("headgate_queue_duplicates_total").increment(repeats);
}

fn unavailable(reason: impl Into<String>) -> StoreError {
    StoreError::Unavailable { reason: reason.into(), retry_after: UNAVAILABLE_RETRY_AFTER }
}
