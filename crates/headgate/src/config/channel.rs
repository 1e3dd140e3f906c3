//! `[[channel]]`: the ways in, each read by its type.

mod cron;
mod email;
mod settings;
mod slack;
mod webhook;

use super::{Context, Mail, Server, section::Section, value::Value};
use headgate_cron::Schedule;
use headgate_email::{inbound::InboundSpec, smtp::MailChannel};
use headgate_event::{Channel, ChannelType, limits::CHANNEL_LABEL_BYTES_MAX};
use headgate_slack::{SlackChannelSpec, socket::SocketSpec};
use headgate_webhook::ChannelSpec;
use std::{collections::BTreeMap, sync::Arc};

pub(super) use webhook::UNSIGNED;

/// The ways in, by type.
#[derive(Clone, Debug, Default)]
pub struct Channels {
    /// Channels that senders POST webhooks to.
    pub webhooks: Vec<ChannelSpec>,
    /// Channels that mail is sent to.
    pub mail: Vec<MailChannel>,
    /// Channels that providers hand mail to.
    pub inbound: Vec<InboundSpec>,
    /// Channels of Slack apps.
    pub slack: Vec<SlackChannel>,
    /// Channels that schedules fire into.
    pub cron: Vec<Arc<Channel>>,
    /// The schedules of all of them.
    pub schedules: Vec<Schedule>,
}

/// A channel of a Slack app, which receives over HTTP, over Socket Mode, or both.
#[derive(Clone, Debug)]
pub struct SlackChannel {
    /// The channel. It receives over HTTP if it has a signing secret.
    pub spec: SlackChannelSpec,
    /// Socket Mode, if it receives by that.
    pub socket: Option<SocketSpec>,
}

impl Channels {
    /// The Slack channels, those among them that receive by Socket Mode alone.
    #[must_use]
    pub fn slack_specs(&self) -> Vec<SlackChannelSpec> {
        self.slack.iter().map(|channel| channel.spec.clone()).collect()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        let mail = self.mail.len() + self.inbound.len();
        self.webhooks.len() + mail + self.slack.len() + self.cron.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What was read: the ids of all channels, also of those with something wrong.
pub(super) struct Read {
    pub(super) ids: Vec<String>,
    pub(super) channels: Option<Channels>,
}

impl Read {
    /// Notes channels whose senders are known by what a proxy says, where none is trusted: they
    /// would refuse everything.
    pub(super) fn check_proxies(&self, root: &Section<'_>, server: Option<&Server>) {
        let (Some(channels), Some(server)) = (&self.channels, server) else { return };
        let specs = channels.slack.iter().map(|channel| &channel.spec);
        let mut by_proxy = specs.filter(|spec| spec.client_certificate.is_some());
        if let Some(spec) = by_proxy.next().filter(|_| server.trusted_proxies.is_empty()) {
            let id = &spec.channel.id;
            let text = format!(
                "expected the proxy that tells of the `client_certificate` of channel `{id}`, \
                 found none"
            );
            root.wrong("server.trusted_proxies", &text);
        }
    }
}

impl Read {
    /// Notes channels that no mail can come to.
    pub(super) fn check_mail(&self, root: &Section<'_>, mail: Option<&Mail>) {
        let (Some(channels), Some(mail)) = (&self.channels, mail) else { return };
        if let Some(deaf) = channels.mail.first().filter(|_| !mail.listens()) {
            let id = &deaf.channel.id;
            let text = format!(
                "expected an address such as `0.0.0.0:25`, on which channel `{id}` gets its mail, \
                 found none"
            );
            root.wrong("email.listen", &text);
        }
    }
}

/// What a `type` says.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Webhook,
    Email,
    Slack,
    Cron,
    Later,
    Wrong,
}

/// What only one channel may have, as far as channels were read.
#[derive(Default)]
struct Seen {
    ids: BTreeMap<String, usize>,
    schedules: cron::Ids,
    app_tokens: slack::AppTokens,
}

/// A channel that holds together.
enum One {
    Webhook(ChannelSpec),
    Email(MailChannel),
    Inbound(InboundSpec),
    Slack(SlackChannel),
    Cron(Arc<Channel>, Vec<Schedule>),
}

/// The channel of what applications emit, which is always there.
pub const APP_CHANNEL: &str = "app";
/// The types that there are.
const TYPES: &str = "`webhook`, `email`, `slack` or `cron`";

pub(super) fn read(root: &Section<'_>, context: &Context<'_>, public_url: Option<&str>) -> Read {
    let sections =
        root.optional("channel").map(|value| value.sections("channel", "id")).unwrap_or_default();
    let mut seen = Seen::default();
    let read: Vec<Option<One>> =
        sections.into_iter().map(|section| one(section, &mut seen, context, public_url)).collect();
    let whole: Option<Vec<One>> = read.into_iter().collect();
    let ids = seen.ids.into_keys().chain([APP_CHANNEL.to_owned()]).collect();
    Read { ids, channels: whole.map(sorted) }
}

fn sorted(read: Vec<One>) -> Channels {
    let mut channels = Channels::default();
    for one in read {
        match one {
            One::Webhook(spec) => channels.webhooks.push(spec),
            One::Email(channel) => channels.mail.push(channel),
            One::Inbound(spec) => channels.inbound.push(spec),
            One::Slack(channel) => channels.slack.push(channel),
            One::Cron(channel, schedules) => {
                channels.cron.push(channel);
                channels.schedules.extend(schedules);
            }
        }
    }
    channels
}

fn one(
    section: Section<'_>,
    seen: &mut Seen,
    context: &Context<'_>,
    public_url: Option<&str>,
) -> Option<One> {
    let id = section.required("id", "an id").and_then(|value| {
        let fits = |text: &str| Channel::new(text, text, ChannelType::Webhook).ok();
        let channel = value.parsed("1 to 64 of `a-z`, `0-9`, `-`, `_`", fits)?;
        if channel.id == APP_CHANNEL {
            return value.wrong("another id than that of the channel of app events");
        }
        value.first_of_its_name(&channel.id, &mut seen.ids)
    });
    let kind = section.required("type", TYPES).map(|value| kind(&value));
    match kind {
        // What belongs to a channel of such a type is not known here, so nothing is said of it.
        Some(Kind::Later) => None,
        Some(Kind::Webhook) => {
            let channel = channel(&section, id.as_deref(), ChannelType::Webhook);
            webhook::read(&section, channel, context, public_url).map(One::Webhook)
        }
        Some(Kind::Email) => {
            let channel = channel(&section, id.as_deref(), ChannelType::Email);
            email::read(&section, channel, context)
        }
        Some(Kind::Slack) => {
            let channel = channel(&section, id.as_deref(), ChannelType::Slack);
            slack::read(&section, channel, context, &mut seen.app_tokens).map(One::Slack)
        }
        Some(Kind::Cron) => {
            let channel = channel(&section, id.as_deref(), ChannelType::Cron);
            let (channel, schedules) = cron::read(&section, channel, &mut seen.schedules, context)?;
            Some(One::Cron(channel, schedules))
        }
        // All that is wrong is said at once: what has no type is most often a webhook's.
        Some(Kind::Wrong) | None => {
            let channel = channel(&section, id.as_deref(), ChannelType::Webhook);
            webhook::read(&section, channel, context, public_url).and(None)
        }
    }
}

fn kind(value: &Value<'_>) -> Kind {
    if let Some(name) = value.plain_text().filter(|name| *name == APP_CHANNEL) {
        value.note(&format!("expected {TYPES}, found `{name}`, whose one channel is always there"));
        return Kind::Later;
    }
    let types = [
        ("webhook", Kind::Webhook),
        ("email", Kind::Email),
        ("slack", Kind::Slack),
        ("cron", Kind::Cron),
    ];
    value.word(&types).unwrap_or(Kind::Wrong)
}

/// The channel itself: its id and its label.
fn channel(section: &Section<'_>, id: Option<&str>, kind: ChannelType) -> Option<Channel> {
    let label = section.optional("label");
    let id = id?;
    let Some(value) = label else { return Channel::new(id, id, kind).ok() };
    let expected = format!("1 to {CHANNEL_LABEL_BYTES_MAX} bytes without control characters");
    value.parsed(&expected, |text| Channel::new(id, text, kind).ok())
}
