//! Looking at Socket Mode from outside, and telling it what to do.

use super::pool::PoolStatus;
use std::time::Duration;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::Instant,
};

/// How Socket Mode stands.
#[derive(Clone, Debug)]
pub struct SocketStatus {
    /// The connections.
    pub pool: PoolStatus,
    /// When anything came in last, a pong among others.
    pub heard_at: Option<Instant>,
}

/// Socket Mode of one app while it runs. Dropping it ends everything at once, as a crash would.
#[derive(Debug)]
pub struct SocketMode {
    pub(super) wishes: mpsc::UnboundedSender<Wish>,
    pub(super) status: watch::Receiver<SocketStatus>,
    pub(super) task: JoinHandle<()>,
}

/// What is wished of it from outside.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wish {
    Resume,
    Stop,
}

impl SocketStatus {
    /// How long nothing came in; none when nothing ever did.
    #[must_use]
    pub fn last_frame_age(&self) -> Option<Duration> {
        self.heard_at.map(|at| at.elapsed())
    }
}

impl SocketMode {
    /// How it stands.
    #[must_use]
    pub fn status(&self) -> SocketStatus {
        self.status.borrow().clone()
    }

    /// Whether events can come in.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.task.is_finished() && self.status.borrow().pool.ready
    }

    /// How it stands, each time that it changes.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<SocketStatus> {
        self.status.clone()
    }

    /// Tries at once what it would try in some minutes, because somebody may have mended it.
    pub fn resume(&self) {
        // Nobody listens once it is stopped.
        let _ = self.wishes.send(Wish::Resume);
    }

    /// Closes all connections once what they brought is stored and acknowledged, within seconds.
    pub async fn stop(mut self) {
        let _ = self.wishes.send(Wish::Stop);
        // It has its own limits; a task that panicked is gone as well.
        let _ = (&mut self.task).await;
    }
}

impl Drop for SocketMode {
    fn drop(&mut self) {
        self.task.abort();
    }
}
