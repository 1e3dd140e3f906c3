//! Which call goes where, and what it needs.
//!
//! The scopes are written beside the routes: whoever reads this table knows what a key can do.

use crate::{
    Api, Scope, access, answer, api::Shared, backups, channels, dead_letters, error::ApiError,
    events, export, health, lease, metrics, rejections, settle, stream, subscriptions,
};
use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{MethodRouter, delete, get, post, put},
};
use http::Uri;

/// The routes of the API. Everything else answers 404 in JSON.
///
/// Erasing an event, changing what subscriptions exist, and pausing them need `admin`: who may only consume cannot
/// take a subscription away from another consumer. `admin` implies all other scopes.
pub fn router(api: Api) -> Router {
    let Api(api) = api;
    let needs = |scope: Scope, methods: MethodRouter<Shared>| {
        methods.route_layer(from_fn_with_state((api.clone(), scope), access::guard))
    };
    let subscription = needs(Scope::Read, get(subscriptions::show))
        .merge(needs(Scope::Admin, put(subscriptions::make).delete(subscriptions::end)));
    let event =
        needs(Scope::Read, get(events::show)).merge(needs(Scope::Admin, delete(events::erase)));
    Router::new()
        .route("/v1/events", needs(Scope::Read, get(events::list)))
        .route("/v1/events/{id}", event)
        .route("/v1/events/{id}/raw", needs(Scope::Read, get(events::raw)))
        // Exact bytes of every channel, and the folder's disk: an operator's business.
        .route("/v1/export", needs(Scope::Admin, get(export::export)))
        .route("/v1/backups", needs(Scope::Admin, post(backups::make)))
        .route("/v1/dead-letters", needs(Scope::Read, get(dead_letters::list)))
        .merge(rejections(&needs))
        .route("/v1/channels", needs(Scope::Read, get(channels::list)))
        .route("/v1/subscriptions", needs(Scope::Read, get(subscriptions::list)))
        .route("/v1/subscriptions/{name}", subscription)
        .route("/v1/subscriptions/{name}/pause", needs(Scope::Admin, post(subscriptions::pause)))
        .route("/v1/subscriptions/{name}/resume", needs(Scope::Admin, post(subscriptions::resume)))
        .route("/v1/subscriptions/{name}/lease", needs(Scope::Consume, post(lease::lease)))
        .route("/v1/subscriptions/{name}/settle", needs(Scope::Consume, post(settle::settle)))
        // Its scope depends on whether it names a subscription, so it asks for it itself.
        .route("/v1/stream", get(stream::open))
        .route("/metrics", needs(Scope::Read, get(metrics::show)))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(unknown_path)
        .layer(from_fn_with_state(api.clone(), answer::complete))
        .with_state(api)
}

/// The quarantine. It holds requests as they came, secrets and all, so `read` is not enough.
fn rejections(
    needs: &impl Fn(Scope, MethodRouter<Shared>) -> MethodRouter<Shared>,
) -> Router<Shared> {
    let admin = |methods| needs(Scope::Admin, methods);
    Router::new()
        .route("/v1/rejections", admin(get(rejections::list).delete(rejections::delete_all)))
        .route("/v1/rejections/release", admin(post(rejections::release_all)))
        .route("/v1/rejections/{id}", admin(get(rejections::show).delete(rejections::delete)))
        .route("/v1/rejections/{id}/raw", admin(get(rejections::raw)))
        .route("/v1/rejections/{id}/verify", admin(post(rejections::verify)))
        .route("/v1/rejections/{id}/release", admin(post(rejections::release)))
}

async fn unknown_path(uri: Uri) -> ApiError {
    let shown: String = uri.path().chars().take(200).collect();
    ApiError::not_found("not_found", format!("there is nothing at `{shown}`"))
}
