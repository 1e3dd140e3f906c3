//! The client: where the gateway is, which handlers there are, and how it is stopped.

mod builder;

pub(crate) use builder::Settings;
pub use builder::{Builder, Transport, Unhandled};

use crate::{
    consumer::Consumer,
    error::ClientError,
    hand::Hand,
    handlers::{Handlers, Types},
    http::Http,
    line::Lines,
    verdict::Handled,
    work::Work,
};
use bytes::Bytes;
use headgate_event::{Event, EventType, data::Attachment};
use std::future::Future;
use tokio::sync::watch;

/// A client of one gateway, and of one subscription when it consumes.
#[derive(Debug)]
pub struct Client {
    pub(crate) http: Http,
    pub(crate) settings: Settings,
    handlers: Handlers,
    stopped: watch::Sender<bool>,
}

/// Stops a client from elsewhere. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stopper(watch::Sender<bool>);

/// Whether the client is to stop.
#[derive(Debug)]
pub(crate) struct Stopping(watch::Receiver<bool>);

impl Client {
    /// What a client is made of.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn new(http: Http, settings: Settings) -> Self {
        let (stopped, _) = watch::channel(false);
        Self { http, settings, handlers: Handlers::default(), stopped }
    }

    /// Registers a handler of all events.
    ///
    /// Each handler that takes an event is called, in the order of registration, until one does
    /// not acknowledge it.
    pub fn on_event<F, R>(&mut self, handler: F) -> &mut Self
    where
        F: Fn(Event) -> R + Send + Sync + 'static,
        R: Future<Output: Handled> + Send + 'static,
    {
        self.on(Types::All, handler)
    }

    /// Registers a handler of one type, or of all that begin like `proposal.*`.
    pub fn on_type<F, R>(&mut self, pattern: &str, handler: F) -> &mut Self
    where
        F: Fn(Event) -> R + Send + Sync + 'static,
        R: Future<Output: Handled> + Send + 'static,
    {
        self.on(Types::of(pattern), handler)
    }

    /// Registers a handler of `webhook.received`.
    pub fn on_webhook<F, R>(&mut self, handler: F) -> &mut Self
    where
        F: Fn(Event) -> R + Send + Sync + 'static,
        R: Future<Output: Handled> + Send + 'static,
    {
        self.on(Types::only(&EventType::WEBHOOK_RECEIVED), handler)
    }

    /// Registers a handler of `email.received`.
    pub fn on_email<F, R>(&mut self, handler: F) -> &mut Self
    where
        F: Fn(Event) -> R + Send + Sync + 'static,
        R: Future<Output: Handled> + Send + 'static,
    {
        self.on(Types::only(&EventType::EMAIL_RECEIVED), handler)
    }

    /// Registers a handler of `slack.event`.
    pub fn on_slack<F, R>(&mut self, handler: F) -> &mut Self
    where
        F: Fn(Event) -> R + Send + Sync + 'static,
        R: Future<Output: Handled> + Send + 'static,
    {
        self.on(Types::only(&EventType::SLACK_EVENT), handler)
    }

    /// Registers a handler of `cron.fired`.
    pub fn on_cron<F, R>(&mut self, handler: F) -> &mut Self
    where
        F: Fn(Event) -> R + Send + Sync + 'static,
        R: Future<Output: Handled> + Send + 'static,
    {
        self.on(Types::only(&EventType::CRON_FIRED), handler)
    }

    fn on<F, R>(&mut self, types: Types, handler: F) -> &mut Self
    where
        F: Fn(Event) -> R + Send + Sync + 'static,
        R: Future<Output: Handled> + Send + 'static,
    {
        self.handlers.add(types, handler);
        self
    }

    /// Consumes the subscription until it is stopped.
    ///
    /// Connects again when the line breaks. Its error is one that no further try can mend: a wrong
    /// key, no such subscription, a gateway of another version. Dropping the future ends the
    /// handlers; what they worked on comes again when its lease ends.
    pub async fn run(&self) -> Result<(), ClientError> {
        let settings = self.settings.clone();
        if settings.subscription.is_empty() {
            return Err(ClientError::configuration("subscription", "its name", "none"));
        }
        if self.handlers.is_empty() {
            return Err(ClientError::configuration("on_event", "a handler", "none"));
        }
        let grace = settings.drain_timeout;
        let hand = Hand::new(settings.concurrency, settings.lease);
        let work = Work::new(self.handlers.clone(), settings.clone());
        let lines = Lines::new(self.http.clone(), settings);
        let stopping = Stopping(self.stopped.subscribe());
        Box::pin(Consumer::new(lines, hand, work).run(stopping, grace)).await
    }

    /// What stops [`run`](Self::run): it returns when what is in hand is done.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper(self.stopped.clone())
    }

    /// The bytes of an attachment. Its URL is short-lived: take it of an event that just came.
    pub async fn attachment(&self, attachment: &Attachment) -> Result<Bytes, ClientError> {
        let Some(url) = &attachment.url else {
            return Err(ClientError::configuration("attachment", "one with a URL", "one without"));
        };
        self.http.bytes(url).await
    }
}

impl Stopper {
    /// Takes nothing more, and finishes what is in hand. A client that was stopped stays so.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stopping {
    /// Resolves when it is time.
    pub(crate) async fn wait(&mut self) {
        if self.0.wait_for(|stopped| *stopped).await.is_err() {
            // Nobody is left who could stop it.
            std::future::pending::<()>().await;
        }
    }
}
