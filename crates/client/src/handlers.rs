//! Handlers: which events each takes, and what becomes of an event when they are through.

use crate::{
    client::Unhandled,
    verdict::{Handled, Verdict},
};
use headgate_event::{Event, EventType};
use std::{fmt, future::Future, pin::Pin, sync::Arc};

type Running = Pin<Box<dyn Future<Output = Verdict> + Send>>;
type Handler = Arc<dyn Fn(Event) -> Running + Send + Sync>;

/// Which types a handler takes.
#[derive(Clone, Debug)]
pub(crate) enum Types {
    All,
    /// One, or all that begin so.
    Named(String),
    Begin(String),
}

impl Types {
    /// A pattern: a type, or the beginning of some with `*` at its end.
    pub(crate) fn of(pattern: &str) -> Self {
        match pattern.strip_suffix('*') {
            Some("") => Self::All,
            Some(beginning) => Self::Begin(beginning.to_owned()),
            None => Self::Named(pattern.to_owned()),
        }
    }

    pub(crate) fn only(event_type: &EventType) -> Self {
        Self::Named(event_type.as_str().to_owned())
    }

    fn takes(&self, event_type: &EventType) -> bool {
        match self {
            Self::All => true,
            Self::Named(name) => event_type.as_str() == name,
            Self::Begin(beginning) => event_type.as_str().starts_with(beginning.as_str()),
        }
    }
}

/// All handlers of a client, in the order in which they were registered.
#[derive(Clone, Default)]
pub(crate) struct Handlers {
    routes: Vec<(Types, Handler)>,
}

impl Handlers {
    pub(crate) fn add<F, R>(&mut self, types: Types, handler: F)
    where
        F: Fn(Event) -> R + Send + Sync + 'static,
        R: Future<Output: Handled> + Send + 'static,
    {
        let handler = move |event| {
            let running = handler(event);
            Box::pin(async move { running.await.verdict() }) as Running
        };
        self.routes.push((types, Arc::new(handler)));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }

    /// Calls each handler that takes the event, in order, until one does not acknowledge it.
    pub(crate) async fn call(&self, event: Event, unhandled: Unhandled) -> Verdict {
        let mut found = false;
        for (types, handler) in &self.routes {
            if !types.takes(event.event_type()) {
                continue;
            }
            found = true;
            let verdict = handler(event.clone()).await;
            if verdict != Verdict::Ack {
                return verdict;
            }
        }
        if found { Verdict::Ack } else { without_handler(&event, unhandled) }
    }
}

fn without_handler(event: &Event, unhandled: Unhandled) -> Verdict {
    let (name, channel) = (event.event_type(), &event.channel().id);
    let reason = format!("no handler takes `{name}` of channel `{channel}`");
    match unhandled {
        Unhandled::Ack => return Verdict::Ack,
        Unhandled::Bury | Unhandled::Retry => {
            tracing::warn!(event = %event.id(), "{reason}");
        }
    }
    if unhandled == Unhandled::Bury { Verdict::Bury { reason } } else { Verdict::retry(reason) }
}

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.routes.iter().map(|(types, _)| types)).finish()
    }
}
