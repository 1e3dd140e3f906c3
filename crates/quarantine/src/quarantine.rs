//! The quarantine as the rest of the program sees it.

use crate::{
    Bounds, Filter, Kept, OpenError, Page, QuarantineError, Query, RejectionId,
    file::File,
    waiting::Waiting,
    writer::{Writer, count_left, locked, show_size},
};
use headgate_event::{Clock, Moment, limits::QUARANTINE_SETTLE_WAIT};
use headgate_http::{Rejection, RejectionSink};
use metrics::counter;
use std::{
    fmt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};
use tokio::task::spawn_blocking;

/// Keeps refused requests, and gives them to who may see them.
pub struct Quarantine {
    waiting: Arc<Waiting>,
    file: Arc<Mutex<File>>,
    clock: Arc<dyn Clock>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Quarantine {
    /// Opens the quarantine in this folder, which is made when it is missing. A file that is
    /// damaged is set aside under another name, with a line in the log: nothing rests on it. Damage
    /// that only a rejection meets later is found then, and the same is done.
    pub fn open(folder: &Path, bounds: Bounds, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let now = Moment::of(&*clock);
        let mut file = File::open(folder, bounds, now)?;
        let expired = file.expire(now);
        let failed = |source| OpenError::File { path: folder.to_owned(), source };
        count_left(expired.map_err(|error| failed(Box::new(error)))?);
        let (waiting, file) = (Arc::new(Waiting::default()), Arc::new(Mutex::new(file)));
        show_size(&file);
        let writer = Writer {
            waiting: Arc::clone(&waiting),
            file: Arc::clone(&file),
            clock: Arc::clone(&clock),
            failing: false,
        };
        let thread = thread::Builder::new().name("quarantine".to_owned());
        let writer = thread.spawn(move || writer.run()).map_err(|error| failed(error.into()))?;
        Ok(Self { waiting, file, clock, writer: Mutex::new(Some(writer)) })
    }

    /// One page of what is kept.
    pub async fn list(&self, query: Query) -> Result<Page, QuarantineError> {
        self.ask(move |file| file.list(&query)).await
    }

    /// One rejection with everything that came.
    pub async fn rejection(&self, id: RejectionId) -> Result<Option<Kept>, QuarantineError> {
        self.ask(move |file| file.rejection(id)).await
    }

    /// Takes one out that became an event, and says whether it was there.
    pub async fn released(&self, id: RejectionId) -> Result<bool, QuarantineError> {
        let gone = self.ask(move |file| file.delete(id)).await?;
        counter!("headgate_quarantine_released_total").increment(gone.into());
        Ok(gone)
    }

    /// Takes one out, and says whether it was there. Its bytes are overwritten.
    pub async fn delete(&self, id: RejectionId) -> Result<bool, QuarantineError> {
        self.ask(move |file| file.delete(id).and_then(|gone| file.wipe().map(|()| gone))).await
    }

    /// Takes all of these out, and says how many there were. Their bytes are overwritten.
    pub async fn delete_all(&self, filter: Filter) -> Result<u64, QuarantineError> {
        let wiped = move |file: &mut File| {
            let count = file.delete_all(&filter)?;
            file.wipe().map(|()| count)
        };
        self.ask(wiped).await
    }

    /// Writes what waits and lets nothing more in.
    pub async fn close(&self) {
        self.waiting.close();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            // A writer that panicked has said so.
            let _ = spawn_blocking(move || writer.join()).await;
        }
    }

    /// Asks the file on a thread that may wait, after what was refused before.
    async fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut File) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, QuarantineError> {
        let (waiting, file) = (Arc::clone(&self.waiting), Arc::clone(&self.file));
        let now = Moment::of(&*self.clock);
        let asked = spawn_blocking(move || {
            waiting.settle(QUARANTINE_SETTLE_WAIT);
            let answer = {
                let mut file = locked(&file);
                count_left(file.expire(now)?);
                ask(&mut file)?
            };
            show_size(&file);
            Ok(answer)
        });
        asked.await.map_err(|_| QuarantineError::Closed)?
    }
}

impl RejectionSink for Quarantine {
    fn keep(&self, rejection: Rejection) {
        if self.waiting.offer(rejection).is_err() {
            counter!("headgate_quarantine_not_kept_total", "reason" => "too_many").increment(1);
        }
    }
}

impl Drop for Quarantine {
    fn drop(&mut self) {
        self.waiting.close();
    }
}

impl fmt::Debug for Quarantine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quarantine").finish_non_exhaustive()
    }
}
