//! `GET /v1/export`: every stored event with its exact bytes, as a file of JSON lines.
//!
//! It is written while it is read, and holds up nobody. What fails on the way breaks the answer
//! off before its last line, so that nobody takes a part for the whole.

use crate::{
    api::Shared,
    error::ApiError,
    events::{selection, time},
    parameters::Parameters,
};
use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use headgate_event::limits::STORE_RETRY_AFTER;
use headgate_queue::{Export, ExportQuery};
use http::{HeaderValue, StatusCode, Uri, header};
use std::{io, sync::Arc};
use tokio::sync::OwnedSemaphorePermit;

const PARAMETERS: [&str; 6] = ["type", "channel", "provider", "filter", "since", "until"];

/// An export on its way to its client.
struct Answering {
    /// What was read to see that reading works.
    first: Option<Bytes>,
    export: Export,
    _permit: OwnedSemaphorePermit,
}

/// `GET /v1/export`: oldest first. Filters but `since` and `until` may repeat, which means any.
pub(crate) async fn export(State(api): State<Shared>, uri: Uri) -> Result<Response, ApiError> {
    let parameters = Parameters::of(&uri, &PARAMETERS)?;
    let query = ExportQuery {
        selection: selection(&parameters)?,
        since: time(&parameters, "since")?,
        until: time(&parameters, "until")?,
    };
    let permit = Arc::clone(&api.exports).try_acquire_owned().map_err(|_| too_many())?;
    let mut export = Export::new(Arc::clone(&api.queue), query);
    let first = export.piece().await?;
    let answering = Answering { first, export, _permit: permit };
    let pieces = stream::try_unfold(answering, |mut answering| async {
        let piece = match answering.first.take() {
            Some(first) => Some(first),
            None => answering.export.piece().await.map_err(|error| {
                tracing::error!(%error, "an export is broken off");
                io::Error::other(error)
            })?,
        };
        Ok::<_, io::Error>(piece.map(|piece| (piece, answering)))
    });
    let mut answer = Body::from_stream(pieces).into_response();
    let lines = HeaderValue::from_static("application/x-ndjson");
    answer.headers_mut().insert(header::CONTENT_TYPE, lines);
    Ok(answer)
}

fn too_many() -> ApiError {
    let message = "other exports are being written, please try again";
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_exports", message)
        .with_header(header::RETRY_AFTER, HeaderValue::from(STORE_RETRY_AFTER.as_secs()))
}
