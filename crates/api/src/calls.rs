//! What one call of the API is: where it goes, what it needs, what answers it, and what the
//! document says of it. The table of all calls is in `router.rs`.

use crate::{Scope, api::Shared, openapi::Operation};
use axum::{
    handler::Handler,
    routing::{MethodFilter, MethodRouter, on},
};

/// One call of the API.
pub(crate) struct Call {
    pub(crate) method: Verb,
    /// As `axum` and OpenAPI both write it: `/v1/events/{id}`.
    pub(crate) path: &'static str,
    pub(crate) needs: Needs,
    pub(crate) answers: MethodRouter<Shared>,
    pub(crate) operation: Operation,
}

/// The methods that calls have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Post,
    Put,
    Delete,
}

/// What a caller needs to be let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing: anyone may call.
    Nothing,
    /// A key with this scope.
    Scope(Scope),
    /// A key with a scope that the call asks for itself, because it depends on its parameters.
    OneOf(&'static [Scope]),
}

impl Call {
    /// A call that `handler` answers.
    pub(crate) fn new<H, T>(
        (method, path): (Verb, &'static str),
        needs: Needs,
        handler: H,
        operation: Operation,
    ) -> Self
    where
        H: Handler<T, Shared>,
        T: 'static,
    {
        Self { method, path, needs, answers: on(method.filter(), handler), operation }
    }
}

impl Verb {
    fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
            Self::Put => MethodFilter::PUT,
            Self::Delete => MethodFilter::DELETE,
        }
    }

    /// The name of the method in an OpenAPI document.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Put => "put",
            Self::Delete => "delete",
        }
    }
}

impl Needs {
    /// The scopes of which one is needed; none when nothing is.
    pub(crate) fn scopes(self) -> Vec<Scope> {
        match self {
            Self::Nothing => Vec::new(),
            Self::Scope(scope) => vec![scope],
            Self::OneOf(scopes) => scopes.to_vec(),
        }
    }
}
