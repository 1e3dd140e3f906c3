//! Whose cursors are to be stored, and the storing of some of them that is under way.
//!
//! Events do not wait for cursors, which only say where to look from: what a crash leaves unsaved
//! is found again by the dedupe key. A cursor is taken from the core when it is about to be stored,
//! so that a million of them are never held at once.

use super::{Inner, run::unavailable};
use headgate_event::{StoreError, limits::CURSORS_PER_SAVE_MAX};
use std::sync::Arc;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Whose cursors are to be stored.
#[derive(Debug)]
pub(super) struct Unsaved {
    ids: Vec<Uuid>,
    saving: Option<Saving>,
    /// Whether some of them are of schedules that have none yet: those must not fire before it is
    /// stored, because without it a start after a crash takes them for new.
    pub(super) has_fresh: bool,
    /// With so many ids, those that are there twice are taken out.
    thin_out_at: usize,
}

/// Some that are being stored.
#[derive(Debug)]
struct Saving {
    ids: Vec<Uuid>,
    task: JoinHandle<Result<(), StoreError>>,
}

impl Unsaved {
    /// Those of schedules that were loaded.
    pub(super) fn loaded(ids: Vec<Uuid>) -> Self {
        let thin_out_at = 4 * CURSORS_PER_SAVE_MAX;
        let mut unsaved = Self { ids: Vec::new(), saving: None, has_fresh: false, thin_out_at };
        unsaved.load(ids);
        unsaved
    }

    /// The same of schedules that are loaded anew.
    pub(super) fn load(&mut self, ids: Vec<Uuid>) {
        self.has_fresh |= !ids.is_empty();
        if self.ids.is_empty() {
            // Of a load each is there once.
            self.thin_out_at = (2 * ids.len()).max(4 * CURSORS_PER_SAVE_MAX);
            self.ids = ids;
        } else {
            self.extend(ids);
        }
    }

    pub(super) fn extend(&mut self, ids: impl IntoIterator<Item = Uuid>) {
        self.ids.extend(ids);
        if self.ids.len() >= self.thin_out_at {
            self.thin_out();
            self.thin_out_at = (2 * self.ids.len()).max(4 * CURSORS_PER_SAVE_MAX);
        }
    }

    fn thin_out(&mut self) {
        self.ids.sort_unstable();
        self.ids.dedup();
    }

    /// Whether there is as much as one transaction takes.
    pub(super) fn is_full(&self) -> bool {
        self.ids.len() >= CURSORS_PER_SAVE_MAX
    }

    /// Whether all is stored.
    pub(super) fn is_done(&self) -> bool {
        self.ids.is_empty() && self.saving.is_none()
    }

    /// Whether some are being stored.
    pub(super) fn is_saving(&self) -> bool {
        self.saving.as_ref().is_some_and(|saving| !saving.task.is_finished())
    }

    /// Begins to store the cursors of as many as one transaction takes. None of them is in a batch
    /// that is under way.
    pub(super) fn begin(&mut self, inner: &Inner) {
        let some = self.ids.len().min(CURSORS_PER_SAVE_MAX);
        let mut ids: Vec<Uuid> = self.ids.drain(..some).collect();
        if self.ids.is_empty() {
            self.ids = Vec::new();
        }
        ids.sort_unstable();
        ids.dedup();
        let cursors = inner.core().cursors(&ids);
        let store = Arc::clone(&inner.ports.store);
        let task = tokio::spawn(async move { store.save_cursors(cursors).await });
        self.saving = Some(Saving { ids, task });
    }

    /// Waits for those that are being stored. What was not stored is to be.
    pub(super) async fn finish(&mut self) -> Result<(), StoreError> {
        let Some(saving) = &mut self.saving else { return Ok(()) };
        let done = (&mut saving.task).await;
        let ids = self.saving.take().map(|saving| saving.ids).unwrap_or_default();
        let done = done.unwrap_or_else(|stopped| Err(unavailable(&stopped)));
        if done.is_err() {
            self.ids.extend(ids);
            self.thin_out();
        }
        done
    }
}
