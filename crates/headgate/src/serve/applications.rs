//! The channel of what applications emit: there is always one.

use super::storage::Storage;
use crate::config::{APP_CHANNEL, Config};
use headgate_api::{AppOptions, ChannelView};
use headgate_event::{Channel, ChannelType};
use std::sync::Arc;

/// Where applications emit.
const PATH: &str = "/v1/events";

/// What the API makes events of applications with.
pub(super) fn options(config: &Config, storage: &Storage) -> AppOptions {
    AppOptions {
        channel: Arc::new(channel()),
        prompt_key: storage.prompt_key.clone(),
        catalog: Arc::new(config.catalog.clone()),
    }
}

/// The channel as the API shows it.
pub(super) fn view() -> ChannelView {
    ChannelView {
        channel: channel(),
        provider: None,
        verification: "api_key".to_owned(),
        path: Some(PATH.to_owned()),
    }
}

fn channel() -> Channel {
    let id = APP_CHANNEL.to_owned();
    Channel { label: id.clone(), id, kind: ChannelType::App.into() }
}
