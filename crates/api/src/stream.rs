//! The stream: a WebSocket, or server-sent events, on which events come as they are.
//!
//! Without a subscription it is a live tail: the next event, the next, and nothing of the past.
//! With one it is durable: each event is leased, sent, and comes again until the client settles it
//! (or until it was sent, when the subscription is `ack = "on_send"`). A client that is about to
//! stop says `drain`, and `release` of what comes and is not begun. A client needs to send
//! nothing but its key; pings are the server's, and every WebSocket library answers them. Over
//! server-sent events a client can say nothing, so only what sending settles is streamed there.

mod connection;
mod durable;
mod event_source;
mod frames;
mod in_flight;
mod incoming;
mod life;
mod outgoing;
mod permit;
mod resume;
mod tail;
mod voice;

use crate::{
    Scope,
    access::Who,
    api::Shared,
    error::ApiError,
    events,
    filters::FilterName,
    parameters::Parameters,
    shown::{self, View},
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
use headgate_queue::AckMode;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts};
use permit::Permit;
use std::time::Duration;
use tail::Tail;

/// Who settles what the stream gives: `explicit`, when the client does.
const ACK_HEADER: HeaderName = HeaderName::from_static("headgate-ack");

const TAIL_PARAMETERS: [&str; 3] = ["subscription", resume::PARAMETER, shown::PARAMETER];
const DURABLE_PARAMETERS: [&str; 4] =
    ["subscription", "max_in_flight", "lease_ms", shown::PARAMETER];

/// `GET /v1/stream`: every refusal comes before the upgrade, as an ordinary answer.
pub(crate) async fn open(
    State(api): State<Shared>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    request: Request,
) -> Result<Response, ApiError> {
    let is_durable = Parameters::mention(request.uri(), "subscription");
    let scope = if is_durable { Scope::Consume } else { Scope::Read };
    let (parts, _) = request.into_parts();
    let (permit, who) = Permit::of(&parts, scope, &api)?;
    let kind = if is_durable {
        let parameters = Parameters::of(&parts.uri, &DURABLE_PARAMETERS)?;
        let durable = durable_of(&api, &parameters, &who).await?;
        refuse_to_lose(&durable, &parts.headers)?;
        Kind::Durable(durable)
    } else {
        Kind::Tail(tail_of(&api, &parts, &who).await?)
    };
    let upgrade = match upgrade {
        Ok(upgrade) => Some(upgrade),
        Err(_) if event_source::is_asked_for(&parts.headers) => None,
        Err(rejection) => return Err(no_upgrade(&rejection)),
    };
    if api.stopping() {
        let message = "the program is about to stop, please connect again";
        return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("1")));
    }
    // The connection goes by the id of its request, so that the log has one name for both.
    let id = parts.extensions.get::<RequestId>().cloned();
    let id = id.unwrap_or_else(|| api.request_id());
    let Some(upgrade) = upgrade else {
        refuse_to_settle(&kind)?;
        return Ok(event_source::answer(&api, kind, permit, id));
    };
    let open = api.open_stream();
    Ok(upgrade
        .max_message_size(STREAM_MESSAGE_BYTES_MAX)
        .max_frame_size(STREAM_MESSAGE_BYTES_MAX)
        .on_upgrade(move |socket| async move {
            connection::serve(socket, &api, &kind, &permit, &id).await;
            drop(open);
        }))
}

async fn tail_of(api: &Shared, request: &Parts, who: &Who) -> Result<Tail, ApiError> {
    let known = [&FilterName::PARAMETERS[..], &TAIL_PARAMETERS].concat();
    let parameters = Parameters::of(&request.uri, &known)?;
    let last_seen = resume::last_seen(&parameters, &request.headers)?;
    let view = View::of(&parameters)?;
    let mut selection = events::selection(&parameters)?;
    who.narrow(&mut selection)?;
    Tail::new(api, selection, last_seen, view).await
}

/// 409: over server-sent events nobody can settle what has to be settled.
fn refuse_to_settle(kind: &Kind) -> Result<(), ApiError> {
    match kind {
        Kind::Durable(durable) if durable.ack() == AckMode::Explicit => {
            let message = "the subscription wants each event settled, which a client of \
                `text/event-stream` cannot do: connect with a WebSocket, lease over HTTP, or give \
                the subscription `ack = \"on_send\"`";
            Err(ApiError::new(StatusCode::CONFLICT, "cannot_settle", message))
        }
        Kind::Durable(_) | Kind::Tail(_) => Ok(()),
    }
}

/// 409: a client that settles what it was sent loses what its handler fails on, where sending has
/// settled it. One that says so by the header `Headgate-Ack: explicit` is told before the first
/// event.
fn refuse_to_lose(durable: &Durable, headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(wanted) = headers.get(ACK_HEADER) else { return Ok(()) };
    if wanted != "explicit" {
        let found = String::from_utf8_lossy(wanted.as_bytes());
        let message = format!("header `Headgate-Ack`: expected `explicit`, found `{found}`");
        return Err(ApiError::invalid("invalid_header", message));
    }
    if durable.ack() == AckMode::Explicit {
        return Ok(());
    }
    let message = "the subscription has `ack = \"on_send\"`: sending an event settles it, and one \
        whose handler fails would be lost; give the subscription `ack = \"explicit\"`, or lease \
        over HTTP";
    Err(ApiError::new(StatusCode::CONFLICT, "settled_by_sending", message))
}

async fn durable_of(api: &Shared, parameters: &Parameters, who: &Who) -> Result<Durable, ApiError> {
    let name = parameters.one("subscription")?.unwrap_or_default();
    let max_in_flight = parameters.number("max_in_flight", 1..=IN_FLIGHT_MAX as u64)?;
    let lease_ms = parameters.number("lease_ms", 1..=LEASE_MS_MAX)?;
    let spec = subscriptions::status(api, name).await?.spec;
    who.check_subscription(&spec)?;
    Ok(Durable::new(
        api,
        durable::Terms {
            subscription: spec.name,
            ack: spec.ack,
            lease: Duration::from_millis(lease_ms.unwrap_or(spec.lease_ms)),
            view: View::of(parameters)?,
            max_in_flight: max_in_flight.map_or(STREAM_IN_FLIGHT_DEFAULT, |max| max as usize),
        },
    ))
}

fn no_upgrade(rejection: &WebSocketUpgradeRejection) -> ApiError {
    let message = "expected a WebSocket upgrade (connect with a `ws://` or `wss://` URL) or the \
        header `Accept: text/event-stream`";
    ApiError::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", message)
        .with_header(header::UPGRADE, HeaderValue::from_static("websocket"))
        .with_header(header::CONNECTION, HeaderValue::from_static("upgrade"))
        .with_cause(rejection)
}
