//! One event in hand: worked on, its lease extended meanwhile, and settled at the end.

use super::{
    leases::{Delivered, Leases, SettleFault},
    outcome::{Outcome, Work},
};
use crate::output;
use headgate_client::Backoff;
use serde_json::json;
use std::time::Duration;
use tokio::{sync::watch, time::Instant};

/// Whether each event that was worked on is told on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Report {
    Nothing,
    JsonLine,
}

/// Works on events, several at a time.
#[derive(Debug)]
pub(super) struct Worker {
    leases: Leases,
    work: Work,
    report: Report,
    stop: watch::Sender<bool>,
}

/// Whether the gateway took what came of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Settled {
    Yes,
    No,
}

impl Worker {
    pub(super) fn new(leases: Leases, work: Work, report: Report) -> Self {
        Self { leases, work, report, stop: watch::Sender::new(false) }
    }

    /// Resolves when there is somebody to do the work.
    pub(super) async fn work_possible(&self) {
        self.work.possible().await;
    }

    pub(super) fn leases(&self) -> &Leases {
        &self.leases
    }

    /// Ends all work in hand; what is not done is given back.
    pub(super) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Works on one event and settles it.
    pub(super) async fn work_on(&self, delivered: Delivered) {
        let event_id = delivered.event.id();
        let attempt = delivered.event.delivery().map_or(1, |delivery| delivery.attempt);
        let outcome = tokio::select! {
            outcome = self.work.perform(&delivered) => outcome,
            () = self.keep_lease(&delivered) => return,
            () = self.stopped() => {
                Outcome::again("the consumer was stopped").after(Some(Duration::ZERO))
            }
        };
        match &outcome {
            Outcome::Done => tracing::info!(%event_id, attempt, "done"),
            Outcome::Again { reason, .. } => {
                tracing::warn!(%event_id, attempt, reason, "not done, it comes again");
            }
        }
        let settled = self.conclude(&delivered, &outcome).await;
        if self.report == Report::JsonLine {
            tell(&delivered, attempt, &outcome, settled);
        }
    }

    /// Extends the lease for ever; ends when the delivery is no longer ours.
    async fn keep_lease(&self, delivered: &Delivered) {
        let event_id = delivered.event.id();
        loop {
            // Two extensions may fail before the lease ends.
            tokio::time::sleep(self.leases.span() / 3).await;
            match self.leases.extend(&delivered.delivery_id).await {
                Ok(None) => {}
                Ok(Some(fault)) => {
                    let SettleFault { code, message } = fault;
                    tracing::error!(%event_id, code, message, "the event is no longer ours");
                    return;
                }
                Err(error) => tracing::warn!(%event_id, %error, "the lease was not extended"),
            }
        }
    }

    /// Says what came of it, again and again until the lease would have ended anyway.
    async fn conclude(&self, delivered: &Delivered, outcome: &Outcome) -> Settled {
        let event_id = delivered.event.id();
        let (begun, mut backoff) = (Instant::now(), Backoff::default());
        loop {
            match self.leases.conclude(&delivered.delivery_id, outcome).await {
                Ok(None) => return Settled::Yes,
                Ok(Some(fault)) => {
                    let SettleFault { code, message } = fault;
                    tracing::error!(%event_id, code, message, "not settled, it may come again");
                    return Settled::No;
                }
                Err(error)
                    if error.is_final()
                        || begun.elapsed() > self.leases.span()
                        || self.stopping() =>
                {
                    tracing::error!(%event_id, %error, "not settled, it comes again");
                    return Settled::No;
                }
                Err(error) => {
                    let wait = backoff.next(error.retry_after());
                    tracing::warn!(%event_id, %error, ?wait, "not settled, trying again");
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    fn stopping(&self) -> bool {
        *self.stop.borrow()
    }

    async fn stopped(&self) {
        // The sender is in `self`, so the wait cannot fail.
        let _ = self.stop.subscribe().wait_for(|stop| *stop).await;
    }
}

/// One line of JSON on stdout. A reader that is gone is no reason to lose an event.
fn tell(delivered: &Delivered, attempt: u32, outcome: &Outcome, settled: Settled) {
    let (outcome, reason) = match outcome {
        Outcome::Done => ("done", None),
        Outcome::Again { reason, .. } => ("again", Some(reason)),
    };
    let line = json!({
        "event_id": delivered.event.id(),
        "delivery_id": delivered.delivery_id,
        "attempt": attempt,
        "outcome": outcome,
        "reason": reason,
        "settled": settled == Settled::Yes,
    });
    if output::line(&line.to_string()).is_err() {
        tracing::warn!("nobody reads stdout any more");
    }
}
