//! SIGTERM and SIGINT: the first one asks to finish, the second one cuts.

use anyhow::Context;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// How urgently the program is asked to stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    #[default]
    None,
    Finish,
    Cut,
}

/// What the signals have said so far. Clones hear the same.
#[derive(Clone, Debug)]
pub struct Signals(watch::Receiver<Urgency>);

impl Signals {
    /// Listens for SIGTERM and SIGINT from this moment on.
    pub fn listen() -> anyhow::Result<Self> {
        let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
        let (sender, receiver) = watch::channel(Urgency::None);
        tokio::spawn(async move {
            for urgency in [Urgency::Finish, Urgency::Cut] {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                sender.send_replace(urgency);
            }
            // Nothing is left to say, but who listens must not take that for a signal.
            sender.closed().await;
        });
        Ok(Self(receiver))
    }

    /// Resolves with the first signal.
    pub async fn finish(&self) {
        self.reached(Urgency::Finish).await;
    }

    /// Resolves with the second signal.
    pub async fn cut(&self) {
        self.reached(Urgency::Cut).await;
    }

    /// Whether the first signal came.
    #[must_use]
    pub fn finishing(&self) -> bool {
        *self.0.borrow() >= Urgency::Finish
    }

    async fn reached(&self, urgency: Urgency) {
        if self.0.clone().wait_for(|said| *said >= urgency).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
