//! Which call goes where, what it needs, and what the document says of it.
//!
//! Both the router and the OpenAPI document are made from the one table below, so that neither can
//! know a call that the other does not. The scopes are in it too: whoever reads the table knows
//! what a key can do.

use crate::{
    Api, Scope, access, answer, attachments, backups, body, bus,
    calls::{
        Call, Needs,
        Verb::{Delete, Get, Post, Put},
    },
    channels, dead_letters, emit,
    error::ApiError,
    event_deliveries, events, export, health, keys, lease, metrics,
    openapi::{self, says},
    rejections, replays, schedules, settle, stream, subscriptions,
};
use axum::{Router, middleware::from_fn_with_state};
use http::Uri;

/// The routes of the API. Everything else answers 404 in JSON.
///
/// Erasing an event, changing what subscriptions exist, and pausing them need `admin`: who may only
/// consume cannot take a subscription away from another consumer. `admin` implies all other scopes.
pub fn router(api: Api) -> Router {
    let Api(api) = api;
    let mut router = Router::new();
    for Call { method, path, needs, answers, .. } in calls() {
        let answers = match needs {
            Needs::Scope(scope) => {
                let door = access::Door { api: api.clone(), method, path, scope };
                answers.route_layer(from_fn_with_state(door, access::guard))
            }
            Needs::Nothing | Needs::OneOf(_) => answers,
        };
        router = router.route(path, answers);
    }
    router
        .fallback(unknown_path)
        .layer(from_fn_with_state(api.clone(), body::counted))
        .layer(from_fn_with_state(api.clone(), answer::complete))
        .with_state::<()>(api)
}

/// Every call of the API.
pub(crate) fn calls() -> Vec<Call> {
    const READ: Needs = Needs::Scope(Scope::Read);
    const CONSUME: Needs = Needs::Scope(Scope::Consume);
    const ADMIN: Needs = Needs::Scope(Scope::Admin);
    // Its scope depends on whether it names a subscription, so it asks for it itself.
    const STREAM: Needs = Needs::OneOf(&[Scope::Read, Scope::Consume]);
    // A signed URL is good for these without a key.
    const LINKED: Needs = Needs::OneOf(&[Scope::Read]);
    let attachment = "/v1/events/{id}/attachments/{number}";
    let one = "/v1/subscriptions/{name}";
    let (pause, resume) = ("/v1/subscriptions/{name}/pause", "/v1/subscriptions/{name}/resume");
    let (lease, settle) = ("/v1/subscriptions/{name}/lease", "/v1/subscriptions/{name}/settle");
    let mut calls = vec![
        Call::new((Get, "/v1/events"), READ, events::list, says::events::list()),
        Call::new((Get, "/v1/events/{id}"), READ, events::show, says::events::show()),
        Call::new((Delete, "/v1/events/{id}"), ADMIN, events::erase, says::events::erase()),
        Call::new((Get, "/v1/events/{id}/raw"), LINKED, events::raw, says::events::raw()),
        Call::new((Get, attachment), LINKED, attachments::show, says::events::attachment()),
        Call::new(
            (Get, "/v1/events/{id}/deliveries"),
            READ,
            event_deliveries::list,
            says::events::deliveries(),
        ),
        Call::new((Get, "/v1/stream"), STREAM, stream::open, says::stream::open()),
        Call::new(
            (Get, "/v1/subscriptions"),
            READ,
            subscriptions::list,
            says::subscriptions::list(),
        ),
        Call::new((Get, one), READ, subscriptions::show, says::subscriptions::show()),
        Call::new((Put, one), ADMIN, subscriptions::make, says::subscriptions::make()),
        Call::new((Delete, one), ADMIN, subscriptions::end, says::subscriptions::end()),
        Call::new((Post, pause), ADMIN, subscriptions::pause, says::subscriptions::pause()),
        Call::new((Post, resume), ADMIN, subscriptions::resume, says::subscriptions::resume()),
        Call::new((Post, lease), CONSUME, lease::lease, says::deliveries::lease()),
        Call::new((Post, settle), CONSUME, settle::settle, says::deliveries::settle()),
        Call::new((Get, "/v1/dead-letters"), READ, dead_letters::list, says::deliveries::dead()),
        Call::new((Get, "/v1/channels"), READ, channels::list, says::operation::channels()),
        Call::new((Get, "/metrics"), READ, metrics::show, says::operation::metrics()),
        Call::new((Get, "/openapi.json"), READ, openapi::show, says::operation::document()),
        Call::new((Get, "/healthz"), Needs::Nothing, health::alive, says::operation::alive()),
        Call::new((Get, "/readyz"), Needs::Nothing, health::ready, says::operation::ready()),
    ];
    calls.extend([
        Call::new((Get, "/v1/export"), ADMIN, export::export, says::copies::export()),
        Call::new((Post, "/v1/backups"), ADMIN, backups::make, says::copies::back_up()),
        Call::new((Get, "/v1/keys"), ADMIN, keys::list, says::operation::keys()),
    ]);
    calls.extend(again());
    calls.extend(applications());
    calls.extend(timers());
    calls.extend(quarantine());
    calls
}

/// The calls that give stored events again. What they give goes to the consumers of others, so only
/// looking is for everyone.
fn again() -> Vec<Call> {
    const READ: Needs = Needs::Scope(Scope::Read);
    const ADMIN: Needs = Needs::Scope(Scope::Admin);
    use says::replays as says;
    let (all, one) = ("/v1/replays", "/v1/replays/{id}");
    let (letters, redrive) = ("/v1/dead-letters", "/v1/dead-letters/redrive");
    let test = "/v1/subscriptions/{name}/test";
    vec![
        Call::new((Get, all), READ, replays::list, says::list()),
        Call::new((Post, all), ADMIN, replays::begin, says::begin()),
        Call::new((Get, one), READ, replays::show, says::show()),
        Call::new((Delete, one), ADMIN, replays::cancel, says::cancel()),
        Call::new((Post, redrive), ADMIN, dead_letters::redrive, says::redrive()),
        Call::new((Delete, letters), ADMIN, dead_letters::delete, says::delete()),
        Call::new((Post, test), READ, subscriptions::test, says::test()),
    ]
}

/// The calls of applications, for their own events.
fn applications() -> Vec<Call> {
    const READ: Needs = Needs::Scope(Scope::Read);
    const EMIT: Needs = Needs::Scope(Scope::Emit);
    use says::app as says;
    vec![
        Call::new((Post, "/v1/events"), EMIT, emit::emit, says::emit()),
        Call::new((Get, "/events"), READ, bus::list, says::list()),
        Call::new((Get, "/events/{event_id}"), READ, bus::show, says::show()),
    ]
}

/// The calls of schedules. Running one makes an event, as emitting does.
fn timers() -> Vec<Call> {
    const READ: Needs = Needs::Scope(Scope::Read);
    const EMIT: Needs = Needs::Scope(Scope::Emit);
    const ADMIN: Needs = Needs::Scope(Scope::Admin);
    use says::schedules as says;
    use schedules as them;
    let (all, one) = ("/v1/schedules", "/v1/schedules/{id}");
    let (pause, resume) = ("/v1/schedules/{id}/pause", "/v1/schedules/{id}/resume");
    let (run, backfill) = ("/v1/schedules/{id}/run", "/v1/schedules/{id}/backfill");
    vec![
        Call::new((Get, all), READ, them::list, says::list()),
        Call::new((Post, all), ADMIN, them::make, says::make()),
        Call::new((Get, one), READ, them::show, says::show()),
        Call::new((Put, one), ADMIN, them::change, says::change()),
        Call::new((Delete, one), ADMIN, them::delete, says::delete()),
        Call::new((Post, pause), ADMIN, them::pause, says::pause()),
        Call::new((Post, resume), ADMIN, them::resume, says::resume()),
        Call::new((Post, run), EMIT, them::run, says::run()),
        Call::new((Post, backfill), ADMIN, them::backfill, says::backfill()),
    ]
}

/// The calls of the quarantine. It holds requests as they came, secrets and all, so `read` is not
/// enough.
fn quarantine() -> Vec<Call> {
    const ADMIN: Needs = Needs::Scope(Scope::Admin);
    use rejections as them;
    use says::rejections as says;
    let (all, one) = ("/v1/rejections", "/v1/rejections/{id}");
    let release_all = "/v1/rejections/release";
    let (raw, verify) = ("/v1/rejections/{id}/raw", "/v1/rejections/{id}/verify");
    let release = "/v1/rejections/{id}/release";
    vec![
        Call::new((Get, all), ADMIN, them::list, says::list()),
        Call::new((Delete, all), ADMIN, them::delete_all, says::delete_all()),
        Call::new((Post, release_all), ADMIN, them::release_all, says::release_all()),
        Call::new((Get, one), ADMIN, them::show, says::show()),
        Call::new((Delete, one), ADMIN, them::delete, says::delete()),
        Call::new((Get, raw), ADMIN, them::raw, says::raw()),
        Call::new((Post, verify), ADMIN, them::verify, says::verify()),
        Call::new((Post, release), ADMIN, them::release, says::release()),
    ]
}

async fn unknown_path(uri: Uri) -> ApiError {
    let shown: String = uri.path().chars().take(200).collect();
    ApiError::not_found("not_found", format!("there is nothing at `{shown}`"))
}
