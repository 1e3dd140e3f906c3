//! Who may call: the holder of an API key, or, while there are no keys, this machine.

mod keys;
mod loopback;

pub use keys::{ApiKey, Scope, ScopeError};

use crate::{api::Shared, error::ApiError};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use headgate_event::{Covers, Verdict, Verification};
use headgate_http::Arrival;
use http::{Extensions, HeaderMap, Uri};
use keys::KeyRing;
use std::sync::Arc;

/// Who may call.
#[derive(Clone, Debug)]
pub enum Access {
    /// The holders of these keys, each as far as its scopes go.
    Keys(Vec<ApiKey>),
    /// Any program on this machine that speaks to us directly, whatever bearer it brings.
    Loopback,
}

/// The check of every call.
#[derive(Debug)]
pub(crate) enum Guard {
    Keys(KeyRing),
    Loopback,
}

/// What of a request decides whether it is let in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller<'a> {
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    /// Where the call comes from; without it nothing is known of the peer.
    pub(crate) arrival: Option<&'a Arrival>,
}

/// Who was let in.
#[derive(Clone, Debug)]
pub(crate) struct Who {
    /// The name of the key; none while this machine needs none.
    name: Option<Arc<str>>,
}

impl Who {
    /// The name of its key.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// How what it emits was proved.
    pub(crate) fn verification(&self) -> Verification {
        match &self.name {
            Some(name) => Verification {
                verdict: Verdict::Verified,
                method: format!("api_key:{name}").into(),
                covers: Covers::Token,
                detail: None,
                key: None,
            },
            None => Verification {
                covers: Covers::Connection,
                method: "loopback".into(),
                detail: Some("any program on this machine may emit".to_owned()),
                ..Verification::none()
            },
        }
    }
}

impl Guard {
    pub(crate) fn new(access: Access) -> Self {
        match access {
            Access::Keys(keys) => Self::Keys(KeyRing::new(keys)),
            Access::Loopback => Self::Loopback,
        }
    }

    /// Lets the caller in for `scope`, or says why not.
    pub(crate) fn check(&self, scope: Scope, caller: Caller<'_>) -> Result<Who, ApiError> {
        match self {
            Self::Keys(keys) => keys.check(scope, caller.headers),
            Self::Loopback => loopback::check(caller).map(|()| Who { name: None }),
        }
    }
}

impl<'a> Caller<'a> {
    pub(crate) fn new(uri: &'a Uri, headers: &'a HeaderMap, extensions: &'a Extensions) -> Self {
        Self { uri, headers, arrival: extensions.get::<Arrival>() }
    }
}

/// Lets a request through to its route when its caller has the scope.
pub(crate) async fn guard(
    State((api, scope)): State<(Shared, Scope)>,
    mut request: Request,
    next: Next,
) -> Response {
    let caller = Caller::new(request.uri(), request.headers(), request.extensions());
    match api.guard().check(scope, caller) {
        Ok(who) => {
            request.extensions_mut().insert(who);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}
