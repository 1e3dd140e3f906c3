//! `[[channel]]`: the ways in, each read by its type.

mod cron;
mod webhook;

use super::{Context, section::Section, value::Value};
use headgate_cron::Schedule;
use headgate_event::{Channel, ChannelType, limits::CHANNEL_LABEL_BYTES_MAX};
use headgate_webhook::ChannelSpec;
use std::{collections::BTreeMap, sync::Arc};

pub(super) use webhook::UNSIGNED;

/// The ways in, by type.
#[derive(Debug, Default)]
pub struct Channels {
    /// Channels that senders POST webhooks to.
    pub webhooks: Vec<ChannelSpec>,
    /// Channels that schedules fire into.
    pub cron: Vec<Arc<Channel>>,
    /// The schedules of all of them.
    pub schedules: Vec<Schedule>,
}

impl Channels {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.webhooks.len() + self.cron.len()
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

/// What a `type` says.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Webhook,
    Cron,
    Later,
    Wrong,
}

/// A channel that holds together.
enum One {
    Webhook(ChannelSpec),
    Cron(Arc<Channel>, Vec<Schedule>),
}

/// Keys of channels whose types come in later versions.
const LATER: [&str; 2] = ["addresses", "signing_secrets"];

pub(super) fn read(root: &Section<'_>, context: &Context<'_>) -> Read {
    let sections =
        root.optional("channel").map(|value| value.sections("channel", "id")).unwrap_or_default();
    let mut ids = BTreeMap::new();
    let read: Vec<Option<One>> =
        sections.into_iter().map(|section| one(section, &mut ids, context)).collect();
    let whole: Option<Vec<One>> = read.into_iter().collect();
    Read { ids: ids.into_keys().collect(), channels: whole.map(sorted) }
}

fn sorted(read: Vec<One>) -> Channels {
    let mut channels = Channels::default();
    for one in read {
        match one {
            One::Webhook(spec) => channels.webhooks.push(spec),
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
    ids: &mut BTreeMap<String, usize>,
    context: &Context<'_>,
) -> Option<One> {
    let id = section.required("id", "an id").and_then(|value| {
        let fits = |text: &str| Channel::new(text, text, ChannelType::Webhook).ok();
        let channel = value.parsed("1 to 64 of `a-z`, `0-9`, `-`, `_`", fits)?;
        value.first_of_its_name(&channel.id, ids)
    });
    let kind = section.required("type", "`webhook` or `cron`").map(|value| kind(&value));
    match kind {
        // What belongs to a channel of such a type is not known here, so nothing is said of it.
        Some(Kind::Later) => None,
        Some(Kind::Webhook) => {
            let channel = channel(&section, id.as_deref(), ChannelType::Webhook);
            webhook::read(&section, channel, context).map(One::Webhook)
        }
        Some(Kind::Cron) => {
            let channel = channel(&section, id.as_deref(), ChannelType::Cron);
            let (channel, schedules) = cron::read(&section, channel, context)?;
            Some(One::Cron(channel, schedules))
        }
        // All that is wrong is said at once: what has no type is most often a webhook's.
        Some(Kind::Wrong) | None => {
            let channel = channel(&section, id.as_deref(), ChannelType::Webhook);
            webhook::read(&section, channel, context).and(None)
        }
    }
}

fn kind(value: &Value<'_>) -> Kind {
    let later = ["email", "slack", "app"];
    if let Some(name) = value.plain_text().filter(|name| later.contains(name)) {
        value
            .note(&format!("expected `webhook` or `cron`, found `{name}`, which is not there yet"));
        return Kind::Later;
    }
    value.word(&[("webhook", Kind::Webhook), ("cron", Kind::Cron)]).unwrap_or(Kind::Wrong)
}

/// The channel itself: its id and its label.
fn channel(section: &Section<'_>, id: Option<&str>, kind: ChannelType) -> Option<Channel> {
    let label = section.optional("label");
    let id = id?;
    let Some(value) = label else { return Channel::new(id, id, kind).ok() };
    let expected = format!("1 to {CHANNEL_LABEL_BYTES_MAX} bytes without control characters");
    value.parsed(&expected, |text| Channel::new(id, text, kind).ok())
}
