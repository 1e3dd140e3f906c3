//! The stream: a WebSocket on which events come as they are.
//!
//! Without a subscription it is a live tail: the next event, the next, and nothing of the past.
//! With one it is durable: each event is leased, sent, and comes again until the client settles it
//! (or until it was sent, when the subscription is `ack = "on_send"`). A client needs to send
//! nothing but its key; pings are the server's, and every WebSocket library answers them.

mod connection;
mod durable;
mod frames;
mod in_flight;
mod incoming;
mod life;
mod outgoing;
mod tail;

use crate::{
    Scope, access::Caller, api::Shared, error::ApiError, events, parameters::Parameters,
    subscriptions,
};
use axum::{
    extract::{
        Request, State,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    response::Response,
};
use connection::Kind;
use durable::Durable;
use headgate_event::limits::{
    IN_FLIGHT_MAX, LEASE_MS_MAX, STREAM_IN_FLIGHT_DEFAULT, STREAM_MESSAGE_BYTES_MAX,
};
use headgate_http::RequestId;
use http::{HeaderValue, StatusCode, header};
use std::time::Duration;
use tail::Tail;

const TAIL_PARAMETERS: [&str; 4] = ["subscription", "type", "channel", "provider"];
const DURABLE_PARAMETERS: [&str; 3] = ["subscription", "max_in_flight", "lease_ms"];

/// `GET /v1/stream`: every refusal comes before the upgrade, as an ordinary answer.
pub(crate) async fn open(
    State(api): State<Shared>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    request: Request,
) -> Result<Response, ApiError> {
    let (uri, extensions) = (request.uri(), request.extensions());
    let durable = Parameters::mention(uri, "subscription");
    let scope = if durable { Scope::Consume } else { Scope::Read };
    api.guard.check(scope, Caller::new(uri, request.headers(), extensions))?;
    let kind = if durable {
        Kind::Durable(durable_of(&api, &Parameters::of(uri, &DURABLE_PARAMETERS)?).await?)
    } else {
        let parameters = Parameters::of(uri, &TAIL_PARAMETERS)?;
        Kind::Tail(Tail::new(&api, events::selection(&parameters)?))
    };
    let upgrade = upgrade.map_err(|rejection| no_upgrade(&rejection))?;
    if api.stopping() {
        let message = "the program is about to stop, please connect again";
        return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("1")));
    }
    // The connection goes by the id of its request, so that the log has one name for both.
    let id = extensions.get::<RequestId>().cloned().unwrap_or_else(|| api.request_id());
    let open = api.open_stream();
    Ok(upgrade
        .max_message_size(STREAM_MESSAGE_BYTES_MAX)
        .max_frame_size(STREAM_MESSAGE_BYTES_MAX)
        .on_upgrade(move |socket| async move {
            connection::serve(socket, &api, &kind, &id).await;
            drop(open);
        }))
}

async fn durable_of(api: &Shared, parameters: &Parameters) -> Result<Durable, ApiError> {
    let name = parameters.one("subscription")?.unwrap_or_default();
    let max_in_flight = parameters.number("max_in_flight", 1..=IN_FLIGHT_MAX as u64)?;
    let lease_ms = parameters.number("lease_ms", 1..=LEASE_MS_MAX)?;
    let spec = subscriptions::status(api, name).await?.spec;
    Ok(Durable::new(
        api,
        durable::Terms {
            subscription: spec.name,
            ack: spec.ack,
            lease: Duration::from_millis(lease_ms.unwrap_or(spec.lease_ms)),
            max_in_flight: max_in_flight.map_or(STREAM_IN_FLIGHT_DEFAULT, |max| max as usize),
        },
    ))
}

fn no_upgrade(rejection: &WebSocketUpgradeRejection) -> ApiError {
    let message = "expected a WebSocket upgrade: connect with a `ws://` or `wss://` URL";
    ApiError::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", message)
        .with_header(header::UPGRADE, HeaderValue::from_static("websocket"))
        .with_header(header::CONNECTION, HeaderValue::from_static("upgrade"))
        .with_cause(rejection)
}
