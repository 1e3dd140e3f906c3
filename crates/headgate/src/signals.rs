//! SIGTERM and SIGINT: the first one asks to finish, the second one cuts. SIGHUP asks to reload.

use anyhow::Context;
use std::{
    io::{self, IsTerminal},
    sync::Arc,
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::{Notify, watch},
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
pub struct Signals {
    said: watch::Receiver<Urgency>,
    ask: Arc<Notify>,
}

impl Signals {
    /// Listens for SIGTERM and SIGINT from this moment on.
    pub fn listen() -> anyhow::Result<Self> {
        let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
        let (sender, said) = watch::channel(Urgency::None);
        let ask = Arc::new(Notify::new());
        let asked = Arc::clone(&ask);
        tokio::spawn(async move {
            for urgency in [Urgency::Finish, Urgency::Cut] {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                    () = asked.notified() => {}
                }
                sender.send_replace(urgency);
            }
            // Nothing is left to say, but who listens must not take that for a signal.
            sender.closed().await;
        });
        Ok(Self { said, ask })
    }

    /// Asks to stop, as a signal would.
    pub fn ask_to_stop(&self) {
        self.ask.notify_one();
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
        *self.said.borrow() >= Urgency::Finish
    }

    async fn reached(&self, urgency: Urgency) {
        if self.said.clone().wait_for(|said| *said >= urgency).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// The wishes to reload.
#[derive(Debug)]
pub struct Hangups {
    signal: Signal,
    terminal: bool,
}

impl Hangups {
    /// Listens for SIGHUP from this moment on.
    pub fn listen() -> anyhow::Result<Self> {
        let signal = signal(SignalKind::hangup()).context("listen for SIGHUP")?;
        Ok(Self { signal, terminal: io::stdout().is_terminal() })
    }

    /// Resolves with the next wish; several that come while one is served count as one.
    pub async fn next(&mut self) {
        if self.signal.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    /// Whether this program was started on a terminal that has been closed since: it says the same
    /// signal when it goes, and means the end.
    #[must_use]
    pub fn terminal_is_gone(&self) -> bool {
        self.terminal && !io::stdout().is_terminal()
    }
}
