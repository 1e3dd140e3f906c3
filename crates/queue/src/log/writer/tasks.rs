//! What the writer does between batches. The active segment is its own: a sync of another thread
//! could take away the error that belongs to a batch.

use super::{Health, Task, Writer};
use crate::log::{Erasure, format::SEGMENT_START};

impl Writer {
    /// Does what came while the batch was gathered.
    pub(super) fn perform_held(&mut self) {
        if let Some(task) = self.task.take() {
            self.perform(task);
        }
    }

    pub(super) fn perform(&mut self, task: Task) {
        match task {
            // Nobody may wait any more.
            Task::Roll(answer) => drop(answer.send(self.roll())),
            Task::Erase(erasure, answer) => drop(answer.send(self.erase(&erasure))),
        }
    }

    fn roll(&mut self) -> Result<(), String> {
        if self.health == Health::Poisoned {
            return Err(self.shared.fault().unwrap_or_default());
        }
        if self.active.end == SEGMENT_START { Ok(()) } else { self.begin_next() }
    }

    fn erase(&mut self, erasure: &Erasure) -> Result<bool, String> {
        self.known.erase(erasure.seq);
        if erasure.position.segment != self.active.header.first_seq {
            return Ok(false);
        }
        if self.health == Health::Poisoned {
            return Err(self.shared.fault().unwrap_or_default());
        }
        if let Err(error) = erasure.write(&*self.active.file) {
            return Err(format!("cannot erase an event: {error}"));
        }
        self.active.file.sync().map(|()| true).map_err(|error| self.poison("sync", &error))
    }
}
