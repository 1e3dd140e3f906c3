//! Leasing for a push: no more events than its allowance has room for, and large ones only once
//! the pool has.

use crate::{
    allowance::{Allowance, Taken},
    pushes::PushQueue,
};
use headgate_event::{Event, limits::PUSH_LEASE_BYTES};
use headgate_queue::{LeaseAsk, QueueError, weight};
use std::{sync::Arc, time::Duration};

/// A leased event, and the memory that it takes.
pub(crate) type Leased = (Event, Option<Taken>);

/// Leases what is asked for, as far as there is room for it. Nothing is leased while it waits for
/// room, so that no lease ends before its attempt begins.
pub(crate) async fn lease(
    queue: Arc<dyn PushQueue>,
    subscription: String,
    ask: LeaseAsk,
    allowance: Allowance,
) -> Result<Vec<Leased>, QueueError> {
    let within = LeaseAsk { bytes: Some(allowance.own_left()), ..ask };
    let mut wanted = match queue.lease(&subscription, within).await {
        Err(QueueError::Larger { bytes }) => bytes.max(PUSH_LEASE_BYTES),
        leased => {
            let taken = |event: Event| {
                let taken = allowance.of_own(weight(&event));
                (event, taken)
            };
            return Ok(leased?.into_iter().map(taken).collect());
        }
    };
    loop {
        let taken = allowance.of_pool(wanted).await;
        let within = LeaseAsk { wait: Duration::ZERO, bytes: Some(wanted), ..ask };
        match queue.lease(&subscription, within).await {
            // What is compressed shows its size step by step.
            Err(QueueError::Larger { bytes }) => wanted = bytes,
            leased => {
                return Ok(leased?.into_iter().map(|event| (event, taken.clone())).collect());
            }
        }
    }
}
