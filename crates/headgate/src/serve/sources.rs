//! What receives from outside: the source of each type of channel, in one hand.

use super::{configuration, sockets::Sockets};
use crate::{config::Channels, failure::Failure};
use headgate_slack::SlackSource;
use headgate_webhook::{Ports, Providers, WebhookSource};
use std::sync::Arc;

/// The sources that take requests. Clones are the same.
#[derive(Clone)]
pub(super) struct Sources {
    pub(super) webhooks: Arc<WebhookSource>,
    pub(super) slack: Arc<SlackSource>,
    pub(super) sockets: Sockets,
}

impl Sources {
    /// The sources of these channels.
    pub(super) fn open(
        channels: &Channels,
        providers: &Providers,
        ports: Ports,
    ) -> Result<Self, Failure> {
        let slack = SlackSource::new(channels.slack_over_http(), of_slack(&ports));
        let sockets = Sockets::new(&ports);
        let webhooks = WebhookSource::new(channels.webhooks.clone(), providers, ports);
        Ok(Self {
            webhooks: Arc::new(webhooks.map_err(|errors| configuration::not_taken(&errors))?),
            slack: Arc::new(slack.map_err(|errors| configuration::not_taken(&errors))?),
            sockets,
        })
    }
}

/// The same ports, as the source of Slack calls them.
fn of_slack(ports: &Ports) -> headgate_slack::Ports {
    headgate_slack::Ports {
        sink: Arc::clone(&ports.sink),
        intake: Arc::clone(&ports.intake),
        proxies: ports.proxies.clone(),
        clock: Arc::clone(&ports.clock),
        prompt_key: ports.prompt_key.clone(),
        rejections: ports.rejections.clone(),
    }
}
