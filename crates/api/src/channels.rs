//! The configured ways in.

use crate::{api::Shared, error::ApiError, parameters::Parameters};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use headgate_event::Channel;
use http::Uri;
use schemars::JsonSchema;
use serde::Serialize;

/// A configured way in, as the API shows it. Nothing in it is secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ChannelView {
    /// Its id, label and type.
    #[serde(flatten)]
    pub channel: Channel,
    /// Who sends to a webhook channel.
    pub provider: Option<String>,
    /// By what its senders prove themselves; `none` when they do not.
    pub verification: String,
    /// The path its senders use, when it is an HTTP one.
    pub path: Option<String>,
}

/// The configured ways in.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Channels<'a> {
    /// By id.
    channels: &'a [ChannelView],
}

/// `GET /v1/channels`.
pub(crate) async fn list(State(api): State<Shared>, uri: Uri) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    Ok(Json(Channels { channels: &api.channels.load() }).into_response())
}
