//! The configuration without a file: open channels on this machine, to look around with.

use super::{Channels, Config, DnsServers, Mail, Server, channel::UNSIGNED};
use headgate_app::Catalog;
use headgate_email::{
    Terms,
    smtp::{AddressPattern, MailChannel},
};
use headgate_event::{Channel, ChannelType, limits::MAIL_BYTES_MAX};
use headgate_quarantine::Bounds;
use headgate_queue::{Retention, Start, SubscriptionSpec};
use headgate_webhook::{ChannelSpec, DedupePolicy, Providers, Settings};
use std::{collections::BTreeMap, net::Ipv4Addr, sync::Arc};

/// The name of the demo's channel for webhooks and of its subscription.
pub const DEMO_NAME: &str = "demo";
/// The name of its channel for schedules, which are made over the API.
const DEMO_TIMERS: &str = "demo-timers";

/// The name of its channel for mail.
const DEMO_MAIL: &str = "demo-mail";
/// Where mail is taken for it, if nobody else listens there.
const DEMO_MAIL_PORT: u16 = 2525;
/// The domain whose mail it takes.
const DEMO_MAIL_DOMAIN: &str = "localhost";

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
        let mailbox = MailChannel {
            channel: Arc::new(
                Channel::new(DEMO_MAIL, "Demo mail", ChannelType::Email).expect("a channel id"),
            ),
            addresses: vec![AddressPattern::Domain(DEMO_MAIL_DOMAIN.to_owned())],
            senders_allow: Vec::new(),
            senders_deny: Vec::new(),
            bytes_max: MAIL_BYTES_MAX,
            terms: Terms::default(),
        };
        let mut subscription = SubscriptionSpec::new(DEMO_NAME);
        subscription.start = Start::Earliest;
        subscription.configured = true;
        Self {
            data_dir: DATA_DIR.into(),
            backup_dir: None,
            server: Server::default(),
            mail: Mail {
                listen: Some((Ipv4Addr::LOCALHOST, DEMO_MAIL_PORT).into()),
                // Nobody asked for questions to leave this machine.
                resolver: DnsServers::Off,
                ..Mail::without_listener()
            },
            retention: Retention::default(),
            tls: None,
            api_keys: Vec::new(),
            channels: Channels {
                webhooks: vec![channel],
                mail: vec![mailbox],
                cron: vec![Arc::new(timers)],
                ..Channels::default()
            },
            catalog: Catalog::default(),
            subscriptions: vec![subscription],
            push: BTreeMap::new(),
            quarantine: Some(Bounds::default()),
            providers: Arc::new(Providers::embedded()),
            file: None,
        }
    }
}
