//! Leasing and settling over the API.

use super::outcome::Outcome;
use crate::client::{CallPath, Client, ClientError};
use headgate_event::{Event, limits::RETRY_AFTER_MS_MAX};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use std::time::Duration;

/// How long to wait for events in one call.
pub(super) const LEASE_WAIT: Duration = Duration::from_secs(20);

/// The deliveries of one subscription.
#[derive(Debug)]
pub(super) struct Leases {
    client: Client,
    lease_path: CallPath,
    settle_path: CallPath,
    lease: Duration,
}

/// An event in hand.
#[derive(Debug)]
pub(super) struct Delivered {
    /// The event.
    pub(super) event: Event,
    /// The event as it came, byte for byte.
    pub(super) json: Box<RawValue>,
    /// What it is settled by.
    pub(super) delivery_id: String,
}

#[derive(Deserialize)]
struct Leased {
    deliveries: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Settled {
    errors: Vec<SettleFault>,
}

/// Why a delivery was not settled.
#[derive(Debug, Deserialize)]
pub(super) struct SettleFault {
    pub(super) code: String,
    pub(super) message: String,
}

impl Leases {
    pub(super) fn new(client: Client, subscription: &str, lease: Duration) -> Self {
        let path = CallPath::new("/v1/subscriptions").segment(subscription);
        let (lease_path, settle_path) = (path.clone().segment("lease"), path.segment("settle"));
        Self { client, lease_path, settle_path, lease }
    }

    /// How long a lease lasts; it is extended while the work goes on.
    pub(super) fn span(&self) -> Duration {
        self.lease
    }

    /// Leases up to `max` events, and waits for the first of them.
    pub(super) async fn lease(
        &self,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<Delivered>, ClientError> {
        let ask = json!({ "max": max, "wait_ms": ms(wait), "lease_ms": ms(self.lease) });
        let reply = self.client.post(self.lease_path.as_str(), &ask, wait).await?;
        let leased: Leased = serde_json::from_slice(&reply.body).map_err(unexpected)?;
        leased.deliveries.into_iter().map(Delivered::read).collect()
    }

    /// Lets the lease last from this moment on.
    pub(super) async fn extend(
        &self,
        delivery_id: &str,
    ) -> Result<Option<SettleFault>, ClientError> {
        self.settle(&json!({ "extend": [{ "id": delivery_id, "lease_ms": ms(self.lease) }] })).await
    }

    /// Says what came of the work.
    pub(super) async fn conclude(
        &self,
        delivery_id: &str,
        outcome: &Outcome,
    ) -> Result<Option<SettleFault>, ClientError> {
        let ask = match outcome {
            Outcome::Done => json!({ "ack": [delivery_id] }),
            Outcome::Again { after: None, reason } => {
                json!({ "retry": [{ "id": delivery_id, "reason": reason }] })
            }
            Outcome::Again { after: Some(after), reason } => {
                let after_ms = ms(*after).min(RETRY_AFTER_MS_MAX);
                json!({ "retry": [{ "id": delivery_id, "after_ms": after_ms, "reason": reason }] })
            }
        };
        self.settle(&ask).await
    }

    async fn settle(&self, ask: &Value) -> Result<Option<SettleFault>, ClientError> {
        let reply = self.client.post(self.settle_path.as_str(), ask, Duration::ZERO).await?;
        let settled: Settled = serde_json::from_slice(&reply.body).map_err(unexpected)?;
        Ok(settled.errors.into_iter().next())
    }
}

impl Delivered {
    fn read(json: Box<RawValue>) -> Result<Self, ClientError> {
        let event: Event = serde_json::from_str(json.get()).map_err(unexpected)?;
        let delivery = event.delivery().ok_or_else(|| unexpected("an event without `delivery`"))?;
        let delivery_id = delivery.id.clone();
        Ok(Self { event, json, delivery_id })
    }
}

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn unexpected(error: impl std::fmt::Display) -> ClientError {
    ClientError::Unexpected { reason: error.to_string() }
}
