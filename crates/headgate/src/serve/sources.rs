//! What receives from outside: the source of each type of channel, in one hand.

use super::{configuration, mail::Hearing, sockets::Sockets};
use crate::{carriers::Carriers, config::Channels, failure::Failure};
use headgate_api::Reception;
use headgate_email::{
    Authenticator, MailPorts, MailSource, Room,
    inbound::{FetchHeld, InboundPorts, InboundSource},
};
use headgate_http::Intake;
use headgate_slack::SlackSource;
use headgate_webhook::{Ports, Providers, WebhookSource};
use std::sync::Arc;

/// What only the source of mail needs of the program.
pub(super) struct OfMail {
    /// Says whether the store has room.
    pub(super) room: Room,
    /// Finds out who sent a message.
    pub(super) authenticator: Option<Arc<dyn Authenticator>>,
    /// Fetches what providers keep of messages.
    pub(super) held: Arc<dyn FetchHeld>,
    /// Whether mail servers are listened to.
    pub(super) hearing: Hearing,
}

/// The sources that take requests. Clones are the same.
#[derive(Clone)]
pub(super) struct Sources {
    pub(super) webhooks: Arc<WebhookSource>,
    pub(super) mail: Arc<MailSource>,
    pub(super) inbound: Arc<InboundSource>,
    pub(super) slack: Arc<SlackSource>,
    pub(super) sockets: Sockets,
    /// Where what arrives waits until it is whole.
    pub(super) intake: Arc<Intake>,
    pub(super) hearing: Hearing,
}

impl Sources {
    /// The sources of these channels.
    pub(super) fn open(
        channels: &Channels,
        providers: &Providers,
        ports: Ports,
        of_mail: OfMail,
    ) -> Result<Self, Failure> {
        let (intake, hearing) = (Arc::clone(&ports.intake), of_mail.hearing.clone());
        let inbound = inbound_ports(&ports, &of_mail);
        let inbound = InboundSource::new(channels.inbound.clone(), inbound);
        let mail = MailSource::new(channels.mail.clone(), mail_ports(&ports, of_mail));
        let slack = SlackSource::new(channels.slack_specs(), of_slack(&ports));
        let slack = slack.map_err(|errors| configuration::not_taken(&errors))?;
        let sockets = Sockets::new(&ports, slack.merges());
        let webhooks = WebhookSource::new(channels.webhooks.clone(), providers, ports);
        Ok(Self {
            webhooks: Arc::new(webhooks.map_err(|errors| configuration::not_taken(&errors))?),
            slack: Arc::new(slack),
            mail: Arc::new(mail),
            inbound: Arc::new(inbound.map_err(|errors| configuration::not_taken(&errors))?),
            sockets,
            intake,
            hearing,
        })
    }

    /// How the ways in stand.
    pub(super) fn reception(&self) -> Reception {
        let mut reception = self.sockets.reception();
        reception.reasons.extend(self.hearing.deaf());
        reception
    }
}

/// The same ports, as the source of mail calls them.
fn mail_ports(ports: &Ports, OfMail { room, authenticator, .. }: OfMail) -> MailPorts {
    MailPorts {
        sink: Arc::clone(&ports.sink),
        room,
        authenticator,
        clock: Arc::clone(&ports.clock),
        prompt_key: ports.prompt_key.clone(),
        rejections: ports.rejections.clone(),
    }
}

/// The same ports, as the source of what providers hand over calls them.
fn inbound_ports(ports: &Ports, of_mail: &OfMail) -> InboundPorts {
    InboundPorts {
        sink: Arc::clone(&ports.sink),
        intake: Arc::clone(&ports.intake),
        proxies: ports.proxies.clone(),
        authenticator: of_mail.authenticator.clone(),
        clock: Arc::clone(&ports.clock),
        prompt_key: ports.prompt_key.clone(),
        rejections: ports.rejections.clone(),
        carriers: Some(Arc::new(Carriers::new(Arc::clone(&ports.fetched)))),
        held: Some(Arc::clone(&of_mail.held)),
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
