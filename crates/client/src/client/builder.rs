//! What a client is made of, checked once.

use super::Client;
use crate::{
    address::Address,
    error::ClientError,
    http::Http,
    limits::{
        CONCURRENCY_DEFAULT, CONCURRENCY_MAX, DRAIN_TIMEOUT_DEFAULT, HANDLER_TIMEOUT_DEFAULT,
        LEASE_DEFAULT,
    },
};
use headgate_event::{Secret, limits::LEASE_MS_MAX};
use std::time::Duration;

/// What carries the deliveries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// A WebSocket, and long polls where none comes through.
    #[default]
    Auto,
    /// A WebSocket alone.
    WebSocket,
    /// Long polls alone.
    Poll,
}

/// What becomes of an event that no handler takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unhandled {
    /// It is a dead letter, to look at and redrive.
    #[default]
    Bury,
    /// It is acknowledged.
    Ack,
    /// It comes again, for a client that takes it.
    Retry,
}

/// How a subscription is consumed.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) subscription: String,
    pub(crate) concurrency: usize,
    pub(crate) lease: Duration,
    pub(crate) handler_timeout: Option<Duration>,
    pub(crate) drain_timeout: Duration,
    pub(crate) transport: Transport,
    pub(crate) unhandled: Unhandled,
}

/// Makes a [`Client`].
#[derive(Debug)]
#[must_use]
pub struct Builder {
    url: String,
    key: Option<Secret>,
    settings: Settings,
}

impl Default for Builder {
    fn default() -> Self {
        let settings = Settings {
            subscription: String::new(),
            concurrency: CONCURRENCY_DEFAULT,
            lease: LEASE_DEFAULT,
            handler_timeout: Some(HANDLER_TIMEOUT_DEFAULT),
            drain_timeout: DRAIN_TIMEOUT_DEFAULT,
            transport: Transport::default(),
            unhandled: Unhandled::default(),
        };
        Self { url: "http://127.0.0.1:8080".to_owned(), key: None, settings }
    }
}

impl Builder {
    /// Where the gateway is; `http://127.0.0.1:8080` when it is left out.
    pub fn url(self, url: impl Into<String>) -> Self {
        Self { url: url.into(), ..self }
    }

    /// The API key. Nothing prints it.
    pub fn key(self, key: impl Into<String>) -> Self {
        Self { key: Some(Secret::new(key.into().into_bytes())), ..self }
    }

    /// The subscription that is consumed.
    pub fn subscription(mut self, name: impl Into<String>) -> Self {
        self.settings.subscription = name.into();
        self
    }

    /// How many handlers run at one time, 1 to 1,000; 32 when it is left out. No more events than
    /// that are in memory.
    pub fn concurrency(mut self, concurrency: usize) -> Self {
        self.settings.concurrency = concurrency;
        self
    }

    /// How long a lease lasts; 60 s when it is left out. It is renewed while a handler runs, so
    /// this is how long an event waits for another consumer when this one dies.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.settings.lease = lease;
        self
    }

    /// How long a handler may take before it is ended and its event comes again; 15 minutes when
    /// it is left out, for ever with `None`.
    pub fn handler_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.settings.handler_timeout = timeout.into();
        self
    }

    /// How long what is in hand has to be done at a stop; 30 s when it is left out.
    pub fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.settings.drain_timeout = timeout;
        self
    }

    /// What carries the deliveries.
    pub fn transport(mut self, transport: Transport) -> Self {
        self.settings.transport = transport;
        self
    }

    /// What becomes of an event that no handler takes.
    pub fn unhandled(mut self, unhandled: Unhandled) -> Self {
        self.settings.unhandled = unhandled;
        self
    }

    /// The client, or what it cannot be made of.
    pub fn build(self) -> Result<Client, ClientError> {
        let concurrency = self.settings.concurrency;
        if !(1..=CONCURRENCY_MAX).contains(&concurrency) {
            let expected = format!("1 to {CONCURRENCY_MAX}");
            return Err(ClientError::configuration("concurrency", expected, concurrency));
        }
        let lease = self.settings.lease;
        if !(1..=u128::from(LEASE_MS_MAX)).contains(&lease.as_millis()) {
            let found = format!("{lease:?}");
            return Err(ClientError::configuration("lease", "1 ms to 12 h", found));
        }
        let http = Http::new(Address::new(&self.url, self.key.as_ref())?)?;
        Ok(Client::new(http, self.settings))
    }
}
