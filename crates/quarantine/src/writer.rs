//! The one thread that writes: batch by batch, at a bounded rate.

use crate::{
    file::{File, Left},
    waiting::{self, Taken, Waiting},
};
use headgate_event::{
    Clock, Moment,
    limits::{
        QUARANTINE_EXPIRE_EVERY, QUARANTINE_WRITE_BYTES_PER_SECOND_MAX,
        QUARANTINE_WRITES_PER_SECOND_MAX,
    },
};
use headgate_http::Rejection;
use metrics::{counter, gauge};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// What the thread works with.
pub(crate) struct Writer {
    pub(crate) waiting: Arc<Waiting>,
    pub(crate) file: Arc<Mutex<File>>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Whether the last write failed, so that a full disk is said once and not for each batch.
    pub(crate) failing: bool,
}

impl Writer {
    /// Writes until the line is closed and empty.
    pub(crate) fn run(mut self) {
        loop {
            match self.waiting.take(QUARANTINE_EXPIRE_EVERY) {
                Taken::Batch(batch) => {
                    let (count, pause) = (batch.len(), pause(&batch));
                    self.write(&batch);
                    drop(batch);
                    self.waiting.done(count);
                    self.waiting.rest(pause);
                }
                Taken::Nothing => self.expire(),
                Taken::Closed => return,
            }
        }
    }

    fn write(&mut self, batch: &[Rejection]) {
        let written = self.keep(batch);
        match written {
            Ok(left) => {
                self.failing = false;
                for rejection in batch {
                    count_kept(rejection);
                }
                count_left(left);
            }
            Err(error) => {
                counter!("headgate_quarantine_not_kept_total", "reason" => "write_failed")
                    .increment(batch.len() as u64);
                if !self.failing {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "refused requests cannot be kept; the next failures are only counted"
                    );
                }
                self.failing = true;
            }
        }
        show_size(&self.file);
    }

    /// Keeps a batch; in a file that is begun anew when it turns out to be damaged.
    fn keep(&self, batch: &[Rejection]) -> rusqlite::Result<Left> {
        let now = Moment::of(&*self.clock);
        let mut file = locked(&self.file);
        let written = file.keep(batch, now);
        let Err(error) = &written else { return written };
        match file.begin_anew_after(error, now) {
            Ok(true) => file.keep(batch, now),
            Ok(false) => written,
            Err(failed) => {
                tracing::error!(
                    error = &failed as &dyn std::error::Error,
                    "the quarantine is damaged, and cannot be begun anew before a restart"
                );
                written
            }
        }
    }

    fn expire(&mut self) {
        match locked(&self.file).expire(Moment::of(&*self.clock)) {
            Ok(left) => count_left(left),
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "what is too old cannot be taken out of the quarantine"
            ),
        }
        show_size(&self.file);
    }
}

pub(crate) fn locked(file: &Mutex<File>) -> MutexGuard<'_, File> {
    file.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long to rest after a batch, so that the rate is kept.
fn pause(batch: &[Rejection]) -> Duration {
    let bytes: usize = batch.iter().map(waiting::bytes).sum();
    let by_count = batch.len() as f64 / f64::from(QUARANTINE_WRITES_PER_SECOND_MAX);
    let by_bytes = bytes as f64 / f64::from(QUARANTINE_WRITE_BYTES_PER_SECOND_MAX);
    Duration::from_secs_f64(by_count.max(by_bytes))
}

fn count_kept(rejection: &Rejection) {
    let channel = rejection.channel.id.clone();
    let code = rejection.reject.code();
    counter!("headgate_quarantine_kept_total", "channel" => channel, "code" => code).increment(1);
}

pub(crate) fn count_left(left: Left) {
    for (reason, count) in [("count", left.count), ("bytes", left.bytes), ("age", left.age)] {
        if count > 0 {
            counter!("headgate_quarantine_dropped_total", "reason" => reason).increment(count);
        }
    }
}

/// Shows what the quarantine holds.
pub(crate) fn show_size(file: &Mutex<File>) {
    let total = locked(file).total();
    gauge!("headgate_quarantine_rejections").set(total.count as f64);
    gauge!("headgate_quarantine_bytes").set(total.bytes as f64);
}
