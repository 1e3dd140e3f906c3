//! The metrics of the program, and those of the queue as they are at the moment of asking.

use crate::{api::Shared, error::ApiError, health, parameters::Parameters};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use headgate_queue::SubscriptionStatus;
use http::{Uri, header};
use metrics::gauge;

/// One number of every subscription.
#[derive(Clone, Copy, Debug)]
pub struct SubscriptionGauge {
    /// The name of the metric.
    pub name: &'static str,
    /// What it says.
    pub help: &'static str,
    value: fn(&SubscriptionStatus) -> f64,
}

/// What is shown of every subscription, each with the label `subscription`.
pub const SUBSCRIPTION_GAUGES: [SubscriptionGauge; 7] = [
    SubscriptionGauge {
        name: "headgate_subscription_lag",
        help: "Events that are neither settled nor dead, as an upper bound",
        value: |status| status.lag as f64,
    },
    SubscriptionGauge {
        name: "headgate_subscription_in_flight",
        help: "Deliveries leased at present",
        value: |status| status.in_flight as f64,
    },
    SubscriptionGauge {
        name: "headgate_subscription_waiting",
        help: "Deliveries that wait for their next attempt",
        value: |status| status.waiting as f64,
    },
    SubscriptionGauge {
        name: "headgate_subscription_dead_letters",
        help: "Dead letters",
        value: |status| status.dead as f64,
    },
    SubscriptionGauge {
        name: "headgate_subscription_expired",
        help: "Dead ones whose event retention removed before it was settled",
        value: |status| status.expired as f64,
    },
    SubscriptionGauge {
        name: "headgate_subscription_oldest_unsettled_seconds",
        help: "How long the oldest unsettled event has been stored",
        value: |status| status.oldest_unsettled_ms.unwrap_or(0) as f64 / 1000.0,
    },
    SubscriptionGauge {
        name: "headgate_subscription_paused",
        help: "1 while it is paused",
        value: |status| f64::from(u8::from(status.spec.paused)),
    },
];

/// `GET /metrics`: in the text format of Prometheus.
pub(crate) async fn show(State(api): State<Shared>, uri: Uri) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    (api.measure)();
    let health = health::health(&api);
    let as_gauge = |reasons: Vec<String>| f64::from(u8::from(reasons.is_empty()));
    gauge!("headgate_receiving").set(as_gauge(health.receiving));
    gauge!("headgate_consuming").set(as_gauge(health.consuming));
    gauge!("headgate_queue_newest_event").set(*api.queue.head().borrow() as f64);
    let mut text = api.metrics.as_ref().map_or_else(String::new, |handle| handle.render());
    let subscriptions = api.queue.subscriptions().await?;
    write_gauges(&mut text, &subscriptions);
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

/// Written by hand and not recorded, so that a subscription that ended leaves nothing behind. The
/// names of subscriptions need no escape.
fn write_gauges(text: &mut String, subscriptions: &[SubscriptionStatus]) {
    for SubscriptionGauge { name, help, value } in SUBSCRIPTION_GAUGES {
        text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} gauge\n"));
        for status in subscriptions {
            let (subscription, value) = (&status.spec.name, value(status));
            text.push_str(&format!("{name}{{subscription=\"{subscription}\"}} {value}\n"));
        }
    }
}
