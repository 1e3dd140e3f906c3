//! What opened a stream, kept to be checked again when keys or subscriptions change.

use super::connection::Kind;
use crate::{
    Bounds, Scope,
    access::{Caller, Who},
    api::{Parts, Shared},
    error::ApiError,
    subscriptions,
};
use headgate_http::Arrival;
use http::{HeaderMap, Uri, request};
use std::fmt;

/// The caller of a stream, the scope it needs, and what its key was bound to.
pub(super) struct Permit {
    scope: Scope,
    bounds: Option<Bounds>,
    uri: Uri,
    headers: HeaderMap,
    arrival: Option<Arrival>,
}

impl Permit {
    /// Lets the caller of a request in for `scope`, or says why not.
    pub(super) fn of(
        request: &request::Parts,
        scope: Scope,
        api: &Parts,
    ) -> Result<(Self, Who), ApiError> {
        let mut permit = Self {
            scope,
            bounds: None,
            uri: request.uri.clone(),
            headers: request.headers.clone(),
            arrival: request.extensions.get::<Arrival>().cloned(),
        };
        let who = permit.check(api)?;
        permit.bounds = who.bounds().cloned();
        who.take(api.clock.now())?;
        Ok((permit, who))
    }

    /// Resolves when the caller would no longer be let in to this stream. One whose key is bound to
    /// something else from then on has to ask anew: what it is given was chosen when it came.
    pub(super) async fn revoked(&self, api: &Shared, kind: &Kind) {
        let mut changes = api.access_changes();
        while self.holds(api, kind).await {
            if changes.changed().await.is_err() {
                // Nobody is left who could change the keys.
                std::future::pending::<()>().await;
            }
        }
    }

    async fn holds(&self, api: &Shared, kind: &Kind) -> bool {
        match (self.check(api), kind) {
            (Ok(who), _) if who.bounds() != self.bounds.as_ref() => false,
            // One that was deleted, or cannot be looked up, ends the stream by itself.
            (Ok(who), Kind::Durable(durable)) => !matches!(
                subscriptions::check(api, durable.subscription(), &who).await,
                Err(error) if error.code() == "outside_bounds"
            ),
            (checked, _) => checked.is_ok(),
        }
    }

    fn check(&self, api: &Parts) -> Result<Who, ApiError> {
        let arrival = self.arrival.as_ref();
        let caller = Caller { uri: &self.uri, headers: &self.headers, arrival };
        api.guard().check(self.scope, caller, api.clock.now())
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("scope", &self.scope).finish_non_exhaustive()
    }
}
