//! Whether the program lives, and what of its work it can do.

use crate::{
    api::{Parts, Shared},
    error::ApiError,
    parameters::{Parameters, invalid},
};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use headgate_queue::Health;
use http::{StatusCode, Uri};
use schemars::JsonSchema;
use serde::Serialize;

/// The process lives.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Alive {
    /// `ok`.
    status: &'static str,
}

/// What of its work the program can do.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Readiness {
    /// Whether it can do what was asked about.
    ready: bool,
    /// Whether events can be taken.
    receiving: Part,
    /// Whether consumers can be served.
    consuming: Part,
    /// The channels that receive over connections which the gateway opens itself, and those of
    /// schedules when nothing fires any more, whatever decides about the whole: one that is cut off
    /// is no reason to keep senders from the others.
    channels: Vec<ChannelReadiness>,
    /// The version of the program.
    version: &'static str,
    /// The time zone data by which schedules fire.
    #[serde(skip_serializing_if = "Option::is_none")]
    zones: Option<ZonesView>,
}

/// How the ways in stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reception {
    /// Why nothing can be received; empty when something can.
    pub reasons: Vec<String>,
    /// The channels that receive over connections which the gateway opens itself, and those into
    /// which nothing fires any more.
    pub channels: Vec<ChannelReadiness>,
}

/// Whether events can reach a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ChannelReadiness {
    /// The id of the channel.
    pub id: String,
    /// Whether they can.
    pub ready: bool,
    /// Why not; null when they can.
    pub reason: Option<String>,
}

/// The time zone data by which schedules fire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Zones")]
pub struct ZonesView {
    /// Its release, such as `2026a`; null when the system does not tell.
    pub version: Option<String>,
    /// `system`, or `embedded` in the program.
    pub origin: String,
    /// How many days old it is, at least; null when that cannot be told.
    pub age_days: Option<u64>,
    /// Whether it is so old that schedules may be due at the wrong hour.
    pub stale: bool,
}

/// One part of the work.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ReadinessPart")]
struct Part {
    /// Whether it can be done.
    ok: bool,
    /// Every reason why not.
    reasons: Vec<String>,
}

/// `GET /healthz`: answers as long as the process lives.
pub(crate) async fn alive() -> Response {
    Json(Alive { status: "ok" }).into_response()
}

/// `GET /readyz`: what of its work the program can do, and every reason why not.
///
/// It is ready when it can receive: a balancer before senders asks, and must not keep them away
/// because consumers have to wait. `?of=consuming` lets that decide instead.
pub(crate) async fn ready(State(api): State<Shared>, uri: Uri) -> Result<Response, ApiError> {
    let parameters = Parameters::of(&uri, &["of"])?;
    let Health { receiving, consuming } = health(&api);
    let (receiving, consuming) = (Part::of(receiving), Part::of(consuming));
    let ready = match parameters.one("of")? {
        None | Some("receiving") => receiving.ok,
        Some("consuming") => consuming.ok,
        Some(other) => {
            let shown: String = other.chars().take(40).collect();
            let why = format!("expected `receiving` or `consuming`, found `{shown}`");
            return Err(invalid("of", why));
        }
    };
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let zones = api.zones.as_ref().map(|zones| zones());
    let channels = (api.readiness)().channels;
    let version = api.version;
    let body = Readiness { ready, receiving, consuming, channels, version, zones };
    Ok((status, Json(body)).into_response())
}

/// What of its work the program can do, with every reason why not.
pub(crate) fn health(api: &Parts) -> Health {
    let mut health = api.queue.health();
    for reason in health.receiving.iter_mut().chain(&mut health.consuming) {
        reason.insert_str(0, "queue: ");
    }
    health.receiving.extend((api.readiness)().reasons);
    health.consuming.extend(api.pushes.iter().flat_map(|pushes| pushes.faults()));
    if api.stopping() {
        let Health { receiving, consuming } = Health::nothing("the program is about to stop");
        health.receiving.splice(..0, receiving);
        health.consuming.splice(..0, consuming);
    }
    health
}

impl Part {
    fn of(reasons: Vec<String>) -> Self {
        Self { ok: reasons.is_empty(), reasons }
    }
}
