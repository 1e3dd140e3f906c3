//! What a subscription asks for.

use super::{order::Order, push::PushSpec};
use crate::Selection;
use headgate_event::{
    EventId, Timestamp, is_name,
    limits::{
        ATTEMPTS_DEFAULT, IN_FLIGHT_MAX, LEASE_MS_DEFAULT, LEASE_MS_MAX, PUSH_ATTEMPTS_DEFAULT,
        PUSH_RATE_MAX, PUSH_TIMEOUT_MS_MAX, RETRY_FACTOR, RETRY_FIRST_DEFAULT,
        RETRY_LONGEST_DEFAULT, SUBSCRIPTION_NAME_BYTES_MAX,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a subscription asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SubscriptionSpec {
    /// Its name: `a-z`, `0-9`, `-` and `_`.
    pub name: String,
    /// Which events it gets.
    #[serde(flatten)]
    pub selection: Selection,
    /// Where it begins when it is made; without meaning afterwards.
    pub start: Start,
    /// When and how often a delivery comes again.
    pub retry: RetryPolicy,
    /// How long a lease lasts unless the consumer asks otherwise, in milliseconds.
    pub lease_ms: u64,
    /// Who settles.
    pub ack: AckMode,
    /// In which order it gives its events.
    #[serde(default)]
    pub order: Order,
    /// Where its events are posted to; nowhere unless it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push: Option<PushSpec>,
    /// Whether it gives nothing at present.
    pub paused: bool,
    /// Whether the configuration file holds it, so that the API cannot change it.
    pub configured: bool,
}

/// Where a subscription begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// With the next event that comes.
    #[default]
    Now,
    /// With the oldest event that is stored.
    Earliest,
    /// After the event with this id.
    After(EventId),
    /// With the first event that was received at or after this moment.
    At(Timestamp),
}

/// Who settles the deliveries of a subscription.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AckMode {
    /// The consumer.
    #[default]
    Explicit,
    /// Sending is settling, for stream clients that can only read.
    OnSend,
}

/// When and how often a delivery comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RetryPolicy {
    /// Attempts before it is a dead letter.
    pub attempts: u32,
    /// The wait before the second attempt, in milliseconds; each further wait is three times it.
    pub first_ms: u64,
    /// The longest wait, in milliseconds.
    pub longest_ms: u64,
}

/// Why a subscription cannot be made as asked.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubscriptionError {
    /// The name has a character or a length that URLs and delivery ids do not take.
    #[error(
        "subscription name `{name}` is not 1 to {SUBSCRIPTION_NAME_BYTES_MAX} of `a-z`, `0-9`, \
         `-`, `_`, beginning with a letter or digit"
    )]
    Name {
        /// The name as found.
        name: String,
    },
    /// A number is outside what is taken.
    #[error("`{field}` of subscription `{name}` is {found}, expected {expected}")]
    Range {
        /// The name of the subscription.
        name: String,
        /// The field.
        field: &'static str,
        /// What was found.
        found: u64,
        /// What is taken.
        expected: &'static str,
    },
    /// There are as many as there may be.
    #[error("there are {most} subscriptions already, the most there may be")]
    TooMany {
        /// How many there may be.
        most: usize,
    },
}

impl SubscriptionSpec {
    /// A subscription to everything from this moment on.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            selection: Selection::default(),
            start: Start::Now,
            retry: RetryPolicy::default(),
            lease_ms: LEASE_MS_DEFAULT,
            ack: AckMode::Explicit,
            order: Order::None,
            push: None,
            paused: false,
            configured: false,
        }
    }

    /// Whether it can be made.
    pub fn check(&self) -> Result<(), SubscriptionError> {
        if !is_name(&self.name, SUBSCRIPTION_NAME_BYTES_MAX) {
            return Err(SubscriptionError::Name { name: self.name.chars().take(80).collect() });
        }
        let range = |fits: bool, field, found, expected| {
            let name = self.name.clone();
            if fits {
                Ok(())
            } else {
                Err(SubscriptionError::Range { name, field, found, expected })
            }
        };
        let retry = self.retry;
        let lease_fits = (1..=LEASE_MS_MAX).contains(&self.lease_ms);
        range(lease_fits, "lease_ms", self.lease_ms, "1 ms to 12 hours")?;
        let attempts_fit = (1..=1_000).contains(&retry.attempts);
        range(attempts_fit, "retry.attempts", retry.attempts.into(), "1 to 1000")?;
        let longest_fits = (1..=7 * 24 * 3_600_000).contains(&retry.longest_ms);
        range(longest_fits, "retry.longest", retry.longest_ms, "1 ms to 7 days")?;
        let first_fits = (1..=retry.longest_ms).contains(&retry.first_ms);
        range(first_fits, "retry.first", retry.first_ms, "1 ms to `retry.longest`")?;
        let Some(push) = &self.push else { return Ok(()) };
        let timeout_fits = (1..=PUSH_TIMEOUT_MS_MAX).contains(&push.timeout_ms);
        range(timeout_fits, "push.timeout", push.timeout_ms, "1 ms to 5 minutes")?;
        let in_flight = u64::from(push.max_in_flight);
        let in_flight_fits = (1..=IN_FLIGHT_MAX as u64).contains(&in_flight);
        range(in_flight_fits, "push.max_in_flight", in_flight, "1 to 1000")?;
        let rate = push.rate.map_or(1, u64::from);
        range((1..=PUSH_RATE_MAX).contains(&rate), "push.rate", rate, "1 to 100000")
    }
}

impl RetryPolicy {
    /// The policy of a push unless it is told another: at least three days of attempts.
    #[must_use]
    pub fn of_push() -> Self {
        Self { attempts: PUSH_ATTEMPTS_DEFAULT, ..Self::default() }
    }

    /// The wait after attempt `attempt` (from 1), before jitter.
    #[must_use]
    pub fn wait_after(&self, attempt: u32) -> Duration {
        let factor = u64::from(RETRY_FACTOR).saturating_pow(attempt.saturating_sub(1));
        Duration::from_millis(self.first_ms.saturating_mul(factor).min(self.longest_ms))
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        let ms = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Self {
            attempts: ATTEMPTS_DEFAULT,
            first_ms: ms(RETRY_FIRST_DEFAULT),
            longest_ms: ms(RETRY_LONGEST_DEFAULT),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_that_fails_goes_on_for_three_days() {
        let policy = RetryPolicy::of_push();
        let waits: Duration = (1..policy.attempts).map(|attempt| policy.wait_after(attempt)).sum();
        // Each wait is up to a fifth shorter.
        assert!(waits * 4 / 5 >= Duration::from_secs(3 * 24 * 3600), "{waits:?}");
    }
}
