//! What opened a stream, kept to be checked again when the keys change.

use crate::{
    Scope,
    access::{Caller, Who},
    api::{Parts, Shared},
    error::ApiError,
};
use headgate_http::Arrival;
use http::{HeaderMap, Uri, request};
use std::fmt;

/// The caller of a stream and the scope it needs.
pub(super) struct Permit {
    scope: Scope,
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
        let permit = Self {
            scope,
            uri: request.uri.clone(),
            headers: request.headers.clone(),
            arrival: request.extensions.get::<Arrival>().cloned(),
        };
        let who = permit.check(api)?;
        who.take(api.clock.now())?;
        Ok((permit, who))
    }

    /// Resolves when the caller would no longer be let in.
    pub(super) async fn revoked(&self, api: &Shared) {
        let mut changes = api.access_changes();
        while self.check(api).is_ok() {
            if changes.changed().await.is_err() {
                // Nobody is left who could change the keys.
                std::future::pending::<()>().await;
            }
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
