//! The metrics of the program, and those of the queue as they are at the moment of asking.

use crate::{api::Shared, error::ApiError, parameters::Parameters};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use headgate_queue::SubscriptionStatus;
use http::{Uri, header};

/// One number of every subscription.
struct Gauge {
    name: &'static str,
    help: &'static str,
    value: fn(&SubscriptionStatus) -> f64,
}

const GAUGES: [Gauge; 7] = [
    Gauge {
        name: "headgate_subscription_lag",
        help: "Events that are neither settled nor dead, as an upper bound",
        value: |status| status.lag as f64,
    },
    Gauge {
        name: "headgate_subscription_in_flight",
        help: "Deliveries leased at present",
        value: |status| status.in_flight as f64,
    },
    Gauge {
        name: "headgate_subscription_waiting",
        help: "Deliveries that wait for their next attempt",
        value: |status| status.waiting as f64,
    },
    Gauge {
        name: "headgate_subscription_dead_letters",
        help: "Dead letters",
        value: |status| status.dead as f64,
    },
    Gauge {
        name: "headgate_subscription_expired",
        help: "Dead ones whose event retention removed before it was settled",
        value: |status| status.expired as f64,
    },
    Gauge {
        name: "headgate_subscription_oldest_unsettled_seconds",
        help: "How long the oldest unsettled event has been stored",
        value: |status| status.oldest_unsettled_ms.unwrap_or(0) as f64 / 1000.0,
    },
    Gauge {
        name: "headgate_subscription_paused",
        help: "1 while it is paused",
        value: |status| f64::from(u8::from(status.spec.paused)),
    },
];

/// `GET /metrics`: in the text format of Prometheus.
pub(crate) async fn show(State(api): State<Shared>, uri: Uri) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    let mut text = api.metrics.as_ref().map_or_else(String::new, |handle| handle.render());
    let subscriptions = api.queue.subscriptions().await?;
    let newest = *api.queue.head().borrow();
    write_gauges(&mut text, newest, &subscriptions);
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

/// Written by hand and not recorded, so that a subscription that ended leaves nothing behind. The
/// names of subscriptions need no escape.
fn write_gauges(text: &mut String, newest: u64, subscriptions: &[SubscriptionStatus]) {
    let declare = |text: &mut String, name: &str, help: &str| {
        text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} gauge\n"));
    };
    declare(text, "headgate_queue_newest_event", "The place of the newest event");
    text.push_str(&format!("headgate_queue_newest_event {newest}\n"));
    for Gauge { name, help, value } in GAUGES {
        declare(text, name, help);
        for status in subscriptions {
            let (subscription, value) = (&status.spec.name, value(status));
            text.push_str(&format!("{name}{{subscription=\"{subscription}\"}} {value}\n"));
        }
    }
}
