//! Who may call: the holder of an API key, or, while there are no keys, this machine.

mod audit;
mod bounds;
mod keys;
mod loopback;

pub use bounds::Bounds;
pub use keys::{ApiKey, KeySecret, Scope, ScopeError};

use crate::{api::Shared, calls::Verb, error::ApiError};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use headgate_event::{Covers, Timestamp, Verdict, Verification};
use headgate_http::Arrival;
use http::{Extensions, HeaderMap, StatusCode, Uri, header};
use keys::{KeyRing, RingKey};
use std::sync::Arc;

/// Where applications emit.
const EMIT_PATH: &str = "/v1/events";

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
    /// The key; none while this machine needs none.
    key: Option<Arc<RingKey>>,
}

/// What the way into a call asks for.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) api: Shared,
    pub(crate) method: Verb,
    /// As the table of calls has it.
    pub(crate) path: &'static str,
    pub(crate) scope: Scope,
}

impl Who {
    /// The name of its key.
    pub(crate) fn name(&self) -> Option<&str> {
        self.key.as_ref().map(|key| &*key.name)
    }

    fn key(&self) -> Option<&RingKey> {
        self.key.as_deref()
    }

    /// Takes one call out of the rate of its key.
    pub(crate) fn take(&self, now: Timestamp) -> Result<(), ApiError> {
        let Some(rate) = self.key().and_then(|key| key.rate.as_ref()) else { return Ok(()) };
        rate.take(now).map_err(|wait| {
            let name = self.name().unwrap_or_default();
            let seconds = wait.as_secs().max(1);
            metrics::counter!("headgate_api_rate_limited_total").increment(1);
            let message = format!("key `{name}` has used up its rate, try again in {seconds} s");
            ApiError::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", message)
                .with_header(header::RETRY_AFTER, seconds.into())
        })
    }

    /// How what it emits was proved.
    pub(crate) fn verification(&self) -> Verification {
        match self.name() {
            Some(name) => Verification {
                verdict: Verdict::Verified.into(),
                method: format!("api_key:{name}").into(),
                covers: Covers::Token.into(),
                detail: None,
                key: None,
            },
            None => Verification {
                covers: Covers::Connection.into(),
                method: "loopback".into(),
                detail: Some("any program on this machine may emit".to_owned()),
                ..Verification::none()
            },
        }
    }
}

impl Guard {
    /// A check that goes on where the one before it was.
    pub(crate) fn new(access: Access, before: Option<&Self>) -> Self {
        let before = match before {
            Some(Self::Keys(keys)) => Some(keys),
            _ => None,
        };
        match access {
            Access::Keys(keys) => Self::Keys(KeyRing::new(keys, before)),
            Access::Loopback => Self::Loopback,
        }
    }

    /// The keys; none while this machine needs none.
    pub(crate) fn keys(&self) -> &[Arc<RingKey>] {
        match self {
            Self::Keys(keys) => keys.keys(),
            Self::Loopback => &[],
        }
    }

    /// Lets the caller in for `scope`, or says why not.
    pub(crate) fn check(
        &self,
        scope: Scope,
        caller: Caller<'_>,
        now: Timestamp,
    ) -> Result<Who, ApiError> {
        match self {
            Self::Keys(keys) => keys.check(scope, caller.headers, now),
            Self::Loopback => loopback::check(caller).map(|()| Who { key: None }),
        }
    }
}

impl<'a> Caller<'a> {
    pub(crate) fn new(uri: &'a Uri, headers: &'a HeaderMap, extensions: &'a Extensions) -> Self {
        Self { uri, headers, arrival: extensions.get::<Arrival>() }
    }
}

/// Lets a request through to its route when its caller has the scope, keeps to what its key is
/// bound to and within its rate.
pub(crate) async fn guard(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    let caller = Caller::new(request.uri(), request.headers(), request.extensions());
    let checked = door.check(caller);
    if door.scope != Scope::Admin {
        return match checked {
            Ok(who) => {
                request.extensions_mut().insert(who);
                next.run(request).await
            }
            Err(error) => error.into_response(),
        };
    }
    let noted = audit::Noted::of(&request);
    let who = checked.as_ref().ok().and_then(Who::name).map(str::to_owned);
    let answer = match checked {
        Ok(who) => {
            request.extensions_mut().insert(who);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    };
    noted.log(who.as_deref(), answer.status());
    answer
}

impl Door {
    fn check(&self, caller: Caller<'_>) -> Result<Who, ApiError> {
        let now = self.api.clock.now();
        let who = self.api.guard().check(self.scope, caller, now)?;
        if !bounds::is_kept_by(self.method, self.path) {
            who.check_unbound()?;
        }
        // What is for the record passes any rate; what is emitted is known once it is read.
        if (self.method, self.path) != (Verb::Post, EMIT_PATH) {
            who.take(now)?;
        }
        Ok(who)
    }
}
