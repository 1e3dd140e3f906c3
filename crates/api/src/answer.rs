//! What every answer has in common: the request's id, the shape of errors, a line in the log.

use crate::{api::Shared, error::ApiError};
use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use headgate_http::{Arrival, RequestId};
use http::{HeaderName, HeaderValue, StatusCode, header};
use std::time::Instant;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Runs a request and gives its answer what all answers have.
pub(crate) async fn complete(
    State(api): State<Shared>,
    mut request: Request,
    next: Next,
) -> Response {
    let arrival = request.extensions().get::<Arrival>();
    let id = arrival.map_or_else(|| api.request_id(), |arrival| arrival.request_id.clone());
    request.extensions_mut().insert(id.clone());
    let path = request.extensions().get::<MatchedPath>().cloned();
    let route = path.as_ref().map_or("other", MatchedPath::as_str).to_owned();
    let begun = Instant::now();
    let mut answer = worded(next.run(request).await, &id);
    metrics::histogram!("headgate_api_answer_seconds", "route" => route.clone())
        .record(begun.elapsed());

    let status = answer.status().as_u16().to_string();
    metrics::counter!("headgate_api_requests_total", "route" => route, "status" => status)
        .increment(1);
    let headers = answer.headers_mut();
    // What is not visible ASCII came from the server loop only by mistake; it is left out.
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        headers.insert(X_REQUEST_ID, value);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// The answer, or the body of the error it stands for.
fn worded(mut answer: Response, id: &RequestId) -> Response {
    let error = match answer.extensions_mut().remove::<ApiError>() {
        Some(error) => error,
        None if is_bare_error(&answer) => bare_error(answer.status()),
        None => return answer,
    };
    let (status, code, cause) = (answer.status(), error.code(), error.cause());
    if status.is_server_error() {
        tracing::error!(request_id = %id, %status, code, cause, "an api call failed");
    } else {
        tracing::debug!(request_id = %id, %status, code, cause, "an api call was refused");
    }
    error.answer(id)
}

/// Whether `axum` itself refused the request, in its own words.
fn is_bare_error(answer: &Response) -> bool {
    let status = answer.status();
    let json = HeaderValue::from_static("application/json");
    (status.is_client_error() || status.is_server_error())
        && answer.headers().get(header::CONTENT_TYPE) != Some(&json)
}

fn bare_error(status: StatusCode) -> ApiError {
    match status {
        // The router adds `Allow` to the answer after this.
        StatusCode::METHOD_NOT_ALLOWED => {
            let message = "the method is not one that the header `Allow` names";
            ApiError::new(status, "method_not_allowed", message)
        }
        _ => ApiError::new(status, "bad_request", "the request cannot be read"),
    }
}
