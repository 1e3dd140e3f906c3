//! `POST /v1/backups`: a copy of the running queue, in the folder that the configuration names.
//!
//! Where it goes is the operator's word alone: no call names a path.

use crate::{api::Shared, error::ApiError, parameters::Parameters};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use headgate_queue::BackupError;
use http::{StatusCode, Uri};
use std::error::Error;

/// Makes a backup, and answers when it is durable.
pub(crate) async fn make(State(api): State<Shared>, uri: Uri) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    let backups = api.backups.as_ref().ok_or_else(|| {
        let message = "expected `backup_dir` in the configuration's `[queue]`, found none";
        ApiError::new(StatusCode::CONFLICT, "no_backup_dir", message)
    })?;
    let report = backups.back_up().await.map_err(failed)?;
    tracing::info!(folder = %report.folder.display(), bytes = report.bytes, "a backup is made");
    Ok((StatusCode::CREATED, Json(report)).into_response())
}

fn failed(error: BackupError) -> ApiError {
    if matches!(error, BackupError::Running) {
        return ApiError::new(StatusCode::CONFLICT, "backup_running", error.to_string());
    }
    let cause = match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    let message = "the backup could not be made; the log says why";
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "backup_failed", message).with_cause(cause)
}
