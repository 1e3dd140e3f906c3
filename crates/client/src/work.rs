//! The handlers that run, each a task of its own.

use crate::{
    client::Settings, hand::Key, handlers::Handlers, limits::GIVEN_BACK_AFTER, verdict::Verdict,
};
use headgate_event::{Event, EventId};
use std::collections::BTreeMap;
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::{AbortHandle, JoinError},
};
use tracing::Instrument;

/// What is worked on.
pub(crate) type WorkKey = Key<EventId>;

/// What runs. As much is waiting here as runs at one time, so the channel has its bound.
#[derive(Debug)]
pub(crate) struct Work {
    handlers: Handlers,
    settings: Settings,
    tasks: BTreeMap<WorkKey, AbortHandle>,
    sender: UnboundedSender<(WorkKey, Verdict)>,
    concluded: UnboundedReceiver<(WorkKey, Verdict)>,
}

impl Work {
    pub(crate) fn new(handlers: Handlers, settings: Settings) -> Self {
        let (sender, concluded) = unbounded_channel();
        Self { handlers, settings, tasks: BTreeMap::new(), sender, concluded }
    }

    /// Begins a handler.
    pub(crate) fn begin(&mut self, key: WorkKey, event: Event) {
        let (handlers, sender) = (self.handlers.clone(), self.sender.clone());
        let (unhandled, timeout) = (self.settings.unhandled, self.settings.handler_timeout);
        let span = tracing::info_span!(
            "event",
            id = %event.id(),
            r#type = %event.event_type(),
            channel = event.channel().id,
            attempt = event.delivery().map(|delivery| delivery.attempt),
        );
        let handled = async move {
            let call = handlers.call(event, unhandled);
            let Some(timeout) = timeout else { return call.await };
            tokio::time::timeout(timeout, call).await.unwrap_or_else(|_| {
                Verdict::retry(format!("the handler was not done within {timeout:?}"))
            })
        };
        let running = tokio::spawn(handled.instrument(span));
        self.tasks.insert(key.clone(), running.abort_handle());
        tokio::spawn(async move {
            let verdict = running.await.unwrap_or_else(|error| of_join_error(&error));
            // Nobody waits for it once the client is gone.
            let _ = sender.send((key, verdict));
        });
    }

    /// The next work that is done, with what became of it.
    pub(crate) async fn concluded(&mut self) -> (WorkKey, Verdict) {
        match self.concluded.recv().await {
            Some((key, verdict)) => {
                self.tasks.remove(&key);
                (key, verdict)
            }
            // A sender is kept here, so there is always another.
            None => std::future::pending().await,
        }
    }

    /// The same, when there is one already.
    pub(crate) fn next_concluded(&mut self) -> Option<(WorkKey, Verdict)> {
        let (key, verdict) = self.concluded.try_recv().ok()?;
        self.tasks.remove(&key);
        Some((key, verdict))
    }

    /// Ends what runs; each is concluded by that.
    pub(crate) fn abort(&mut self) {
        self.tasks.values().for_each(AbortHandle::abort);
    }
}

/// A run that is dropped ends its handlers; their events come again when their leases end.
impl Drop for Work {
    fn drop(&mut self) {
        self.abort();
    }
}

fn of_join_error(error: &JoinError) -> Verdict {
    if error.is_panic() {
        return Verdict::retry("the handler panicked");
    }
    let after = Some(GIVEN_BACK_AFTER);
    let reason = Some("the client stopped before the handler was done".to_owned());
    Verdict::Retry { after, reason }
}
