//! The configuration without a file: open channels on this machine, to look around with.

use super::{Channels, Config, Server, channel::UNSIGNED};
use headgate_event::{Channel, ChannelType};
use headgate_quarantine::Bounds;
use headgate_queue::{Retention, Start, SubscriptionSpec};
use headgate_webhook::{ChannelSpec, DedupePolicy, Settings};
use std::sync::Arc;

/// The name of the demo's channel for webhooks and of its subscription.
pub const DEMO_NAME: &str = "demo";
/// The name of its channel for schedules, which are made over the API.
const DEMO_TIMERS: &str = "demo-timers";

pub(super) const DATA_DIR: &str = "./headgate-data";

impl Config {
    /// What Headgate runs with when there is no configuration.
    #[must_use]
    #[expect(clippy::expect_used, reason = "both names are fit for an id")]
    pub fn demo() -> Self {
        let channel = ChannelSpec {
            channel: Channel::new(DEMO_NAME, "Demo", ChannelType::Webhook).expect("a channel id"),
            provider: UNSIGNED.to_owned(),
            own: None,
            secrets: Vec::new(),
            settings: Settings::new(),
            public_url: None,
            splits: false,
            body_bytes_max: None,
            dedupe: DedupePolicy::default(),
            tolerance: None,
            rate: None,
            allow_ips: Vec::new(),
        };
        let timers = Channel::new(DEMO_TIMERS, "Demo timers", ChannelType::Cron);
        let timers = timers.expect("a channel id");
        let mut subscription = SubscriptionSpec::new(DEMO_NAME);
        subscription.start = Start::Earliest;
        subscription.configured = true;
        Self {
            data_dir: DATA_DIR.into(),
            backup_dir: None,
            server: Server::default(),
            retention: Retention::default(),
            tls: None,
            api_keys: Vec::new(),
            channels: Channels {
                webhooks: vec![channel],
                cron: vec![Arc::new(timers)],
                ..Channels::default()
            },
            subscriptions: vec![subscription],
            quarantine: Some(Bounds::default()),
            file: None,
        }
    }
}
