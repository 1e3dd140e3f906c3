//! The task that fires: some batches side by side, then the next, each stored before its cursors
//! are.

use super::{Inner, unsaved::Unsaved};
use crate::{Batch, Firing, Outcome, Overlap, dedupe, draft};
use headgate_event::{
    Accepted, StoreError,
    limits::{
        CRON_BATCHES_AT_ONCE_MAX, CRON_RETRY_FIRST, CRON_RETRY_LONGEST, CURSORS_SAVE_EVERY,
        SCHEDULE_TOMBSTONES_LOOK_EVERY, STORE_RETRY_AFTER,
    },
};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep},
};
use tracing::{error, warn};

/// A source that fires. Dropping it stops it as well, without waiting for that.
#[derive(Debug)]
pub struct Running {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// The source is to stop.
struct Stopped;

impl Running {
    pub(super) fn start(inner: Arc<Inner>) -> Self {
        let (stop, stopping) = watch::channel(false);
        metrics::gauge!("headgate_cron_firing").set(1.0);
        let task = tokio::spawn(async move {
            let watch = Watch(Arc::clone(&inner));
            let pause = CRON_RETRY_FIRST;
            let forget_at = Instant::now();
            let mut work =
                Work { inner, stopping, is_settled: true, save_at: None, forget_at, pause };
            while work.round().await.is_ok() {}
            work.flush().await;
            drop(watch);
        });
        Self { stop, task }
    }

    /// Stops firing. A batch that is under way is finished, unless the store does not take it: then
    /// it is found again after the next start.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(fault) = self.task.await {
            warn!(%fault, "the task of schedules did not end well");
        }
    }
}

/// Says so when the task that has it ends by a panic: nothing fires any more, and where the batch
/// was that it had in hand only the next start finds out.
struct Watch(Arc<Inner>);

impl Drop for Watch {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.has_ended.store(true, Ordering::SeqCst);
            metrics::gauge!("headgate_cron_firing").set(0.0);
            error!("the task of schedules ended early: nothing fires until a restart");
        }
    }
}

struct Work {
    inner: Arc<Inner>,
    stopping: watch::Receiver<bool>,
    /// Whether no batch is under way: while one is, cursors are past what is not yet stored.
    is_settled: bool,
    /// When the next cursors are to be stored, after some were.
    save_at: Option<Instant>,
    /// When it is next looked for what was removed long ago.
    forget_at: Instant,
    /// How long a failed store of cursors is left before the next.
    pause: Duration,
}

impl Work {
    /// Fires all that is due, and sleeps.
    async fn round(&mut self) -> Result<(), Stopped> {
        while self.fire().await? {}
        if self.forget_at <= Instant::now() {
            self.forget_removed().await;
            self.forget_at = Instant::now() + SCHEDULE_TOMBSTONES_LOOK_EVERY;
        }
        let now = self.inner.ports.clock.now();
        let wait = self.inner.core().sleep_until(now).since(now);
        let until = self.save_at.map(|at| at.saturating_duration_since(Instant::now()));
        let wait = until.map_or(wait, |until| until.min(wait));
        tokio::select! {
            _ = self.stopping.wait_for(|stop| *stop) => Err(Stopped),
            () = self.inner.wake.notified() => Ok(()),
            () = sleep(wait) => Ok(()),
        }
    }

    /// Fires as many batches as are stored side by side; `true` when there is more.
    async fn fire(&mut self) -> Result<bool, Stopped> {
        if *self.stopping.borrow() {
            return Err(Stopped);
        }
        let inner = Arc::clone(&self.inner);
        let mut unsaved = Arc::clone(&inner.turn).lock_owned().await;
        if unsaved.has_fresh {
            self.save_all(&mut unsaved).await?;
        }
        let now = inner.ports.clock.now();
        let batches = inner.core().due_together(now, CRON_BATCHES_AT_ONCE_MAX);
        let more = batches.last().is_some_and(|batch| batch.more);
        self.is_settled = false;
        let stored = self.store(batches).await?;
        for (batch, outcomes) in &stored {
            let settled = inner.core().settle(batch, outcomes);
            inner.report.batch(batch, &settled, outcomes);
            unsaved.extend(batch.reset.iter().flat_map(|reset| reset.moved.iter().copied()));
            unsaved.extend(settled.moved);
        }
        self.is_settled = true;
        self.save_some(&mut unsaved).await;
        Ok(more)
    }

    /// Stores the events of batches, however long that takes.
    async fn store(
        &mut self,
        batches: Vec<Batch>,
    ) -> Result<Vec<(Arc<Batch>, Vec<Outcome>)>, Stopped> {
        let offer = |batch: Batch| {
            let (inner, batch) = (Arc::clone(&self.inner), Arc::new(batch));
            let offered = Arc::clone(&batch);
            (batch, tokio::spawn(async move { inner.offer(&offered).await }))
        };
        let offers: Vec<_> = batches.into_iter().map(offer).collect();
        let mut stored = Vec::with_capacity(offers.len());
        for (batch, offer) in offers {
            let outcomes = match offer.await.unwrap_or_else(|stopped| Err(unavailable(&stopped))) {
                Ok(outcomes) => outcomes,
                Err(error) => self.store_again(&batch, error).await?,
            };
            stored.push((batch, outcomes));
        }
        Ok(stored)
    }

    /// Offers a batch that was not taken until it is.
    async fn store_again(
        &mut self,
        batch: &Batch,
        mut error: StoreError,
    ) -> Result<Vec<Outcome>, Stopped> {
        let mut pause = CRON_RETRY_FIRST;
        loop {
            self.wait("events of schedules wait", &error, &mut pause).await?;
            match self.inner.offer(batch).await {
                Ok(outcomes) => return Ok(outcomes),
                Err(again) => error = again,
            }
        }
    }

    /// Stores all cursors, however long that takes.
    async fn save_all(&mut self, unsaved: &mut Unsaved) -> Result<(), Stopped> {
        let mut pause = CRON_RETRY_FIRST;
        while !unsaved.is_done() {
            match unsaved.finish().await {
                Ok(()) if unsaved.is_done() => break,
                Ok(()) => unsaved.begin(&self.inner),
                Err(error) => self.wait("cursors of schedules wait", &error, &mut pause).await?,
            }
        }
        unsaved.has_fresh = false;
        Ok(())
    }

    /// Begins to store cursors when it is time for that, and waits for none.
    async fn save_some(&mut self, unsaved: &mut Unsaved) {
        if unsaved.is_saving() {
            self.save_at = Some(Instant::now() + CRON_RETRY_FIRST);
            return;
        }
        if let Err(error) = unsaved.finish().await {
            tell("cursors of schedules wait", &error, self.pause);
            self.save_at = Some(Instant::now() + self.pause);
            self.pause = self.pause.saturating_mul(2).min(CRON_RETRY_LONGEST);
            return;
        }
        self.pause = CRON_RETRY_FIRST;
        if unsaved.is_done() {
            self.save_at = None;
        } else if unsaved.is_full() || self.save_at.is_none_or(|at| at <= Instant::now()) {
            unsaved.begin(&self.inner);
            self.save_at = Some(Instant::now() + CURSORS_SAVE_EVERY);
        }
    }

    /// Stores what cursors are left, once: what is not stored is found again by the next start.
    async fn flush(&mut self) {
        let inner = Arc::clone(&self.inner);
        let mut unsaved = inner.turn.lock().await;
        let mut saved = unsaved.finish().await;
        while self.is_settled && saved.is_ok() && !unsaved.is_done() {
            unsaved.begin(&inner);
            saved = unsaved.finish().await;
        }
        if let Err(error) = saved {
            warn!(%error, "cursors of schedules are not stored: the next start looks further back");
        }
    }

    async fn wait(
        &mut self,
        what: &'static str,
        error: &StoreError,
        pause: &mut Duration,
    ) -> Result<(), Stopped> {
        tell(what, error, *pause);
        tokio::select! {
            _ = self.stopping.wait_for(|stop| *stop) => return Err(Stopped),
            () = sleep(*pause) => {}
        }
        *pause = pause.saturating_mul(2).min(CRON_RETRY_LONGEST);
        Ok(())
    }

    /// Forgets the cursors of what was removed long ago. What fails is forgotten after the next
    /// start.
    async fn forget_removed(&self) {
        let now = self.inner.ports.clock.now();
        let _alone = self.inner.turn.lock().await;
        let old = self.inner.core().forget_removed(now);
        if !old.is_empty()
            && let Err(error) = self.inner.ports.store.forget_cursors(old).await
        {
            warn!(%error, "cursors of removed schedules stay");
        }
    }
}

/// Says that the store did not take something, and when it is offered again.
fn tell(what: &'static str, error: &StoreError, pause: Duration) {
    warn!(%error, retry_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX), "{what}");
    metrics::counter!("headgate_cron_store_retries_total").increment(1);
}

/// The error of a store that did not do its work.
pub(super) fn unavailable(reason: &impl ToString) -> StoreError {
    StoreError::Unavailable { reason: reason.to_string(), retry_after: STORE_RETRY_AFTER }
}

impl Inner {
    /// Asks what a batch asks, and offers its events to the sink once.
    async fn offer(&self, batch: &Batch) -> Result<Vec<Outcome>, StoreError> {
        let answers = self.ask(batch).await?;
        let (mut outcomes, mut drafts) = (Vec::new(), Vec::new());
        for firing in &batch.firings {
            if self.overlaps(firing).await? {
                outcomes.push(Some(Outcome::Overlapped));
            } else {
                outcomes.push(None);
                drafts.push(draft(firing, &self.ports.prompt_key));
            }
        }
        let expected = drafts.len();
        let accepted = match expected {
            0 => Vec::new(),
            _ => self.ports.sink.accept(drafts).await?,
        };
        if accepted.len() != expected {
            let found = accepted.len();
            return Err(unavailable(&format!(
                "expected {expected} ids from the store, found {found}"
            )));
        }
        let mut stored = accepted.into_iter().map(|accepted| match accepted {
            Accepted::New(id) => Outcome::Stored(id),
            Accepted::Duplicate(id) => Outcome::Known(id),
        });
        let outcomes = outcomes.into_iter();
        let outcomes = outcomes.filter_map(|left_out| left_out.or_else(|| stored.next()));
        Ok(outcomes.chain(answers).collect())
    }

    /// Which of the runs that a batch asks for have an event.
    async fn ask(&self, batch: &Batch) -> Result<Vec<Outcome>, StoreError> {
        if batch.questions.is_empty() {
            return Ok(Vec::new());
        }
        let key = |firing: &Firing| (firing.schedule.channel().id.clone(), dedupe(firing));
        let keys = batch.questions.iter().map(key).collect();
        let known = self.ports.known.known(keys).await?;
        Ok(known.into_iter().map(|id| id.map_or(Outcome::Unknown, Outcome::Known)).collect())
    }

    /// Whether the event before is unsettled, and the schedule minds.
    async fn overlaps(&self, firing: &Firing) -> Result<bool, StoreError> {
        match (&firing.schedule.rules().overlap, firing.previous) {
            (Overlap::Skip { subscription }, Some(previous)) => {
                self.ports.unsettled.is_unsettled(subscription, previous).await
            }
            _ => Ok(false),
        }
    }
}
