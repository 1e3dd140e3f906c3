//! What `headgate channels show` says of the channels that are no webhooks'.

use crate::config::{Config, SlackChannel};
use headgate_email::{inbound::InboundSpec, smtp::MailChannel};
use headgate_event::Channel;
use serde_json::{Map, Value, json};

/// One channel, in the words of its rows; the same in JSON, with `_` for a space.
pub(super) struct Shown(Vec<(&'static str, Value)>);

impl Shown {
    /// The channel with this id.
    pub(super) fn find(config: &Config, id: &str, url: impl Fn(&str) -> String) -> Option<Self> {
        let channels = &config.channels;
        let slack = channels.slack.iter().find(|slack| slack.spec.channel.id == id);
        let mail = channels.mail.iter().find(|mail| mail.channel.id == id);
        let inbound = channels.inbound.iter().find(|spec| spec.mail.channel.id == id);
        let cron = channels.cron.iter().find(|channel| channel.id == id);
        slack
            .map(|slack| Self::slack(slack, url("/v1/slack/")))
            .or_else(|| mail.map(Self::mail))
            .or_else(|| inbound.map(|spec| Self::inbound(spec, url("/v1/email/"))))
            .or_else(|| cron.map(|channel| Self::cron(channel, config)))
    }

    /// Each row with its name.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.0.iter().map(|(name, value)| (*name, text(value)))
    }

    /// One object.
    pub(super) fn json(&self) -> Value {
        let fields = self.0.iter().map(|(name, value)| (name.replace(' ', "_"), value.clone()));
        Value::Object(fields.collect::<Map<_, _>>())
    }

    fn of(channel: &Channel) -> Self {
        let Channel { id, label, kind } = channel;
        Self(vec![("id", json!(id)), ("label", json!(label)), ("type", json!(kind))])
    }

    fn slack(slack: &SlackChannel, url: String) -> Self {
        let secrets = slack.spec.signing_secrets.len();
        let mut shown = Self::of(&slack.spec.channel);
        shown.0.push(("url", if secrets > 0 { json!(url) } else { Value::Null }));
        shown.0.push(("secrets", json!(secrets)));
        shown.0.push(("socket mode", json!(slack.socket.is_some())));
        shown
    }

    fn mail(mail: &MailChannel) -> Self {
        let mut shown = Self::of(&mail.channel);
        let addresses: Vec<_> = mail.addresses.iter().map(ToString::to_string).collect();
        shown.0.push(("addresses", json!(addresses)));
        shown.0.push(("require", json!(mail.terms.require.name())));
        shown
    }

    fn inbound(spec: &InboundSpec, url: String) -> Self {
        let mut shown = Self::mail(&spec.mail);
        shown.0.push(("url", json!(url)));
        shown.0.push(("provider", json!(spec.provider)));
        shown.0.push(("secrets", json!(spec.secrets.len())));
        let settings: Vec<_> = spec.settings.keys().collect();
        shown.0.push(("settings", json!(settings)));
        shown
    }

    fn cron(channel: &Channel, config: &Config) -> Self {
        let of_it = |schedule: &&headgate_cron::Schedule| schedule.channel().id == channel.id;
        let schedules = config.channels.schedules.iter().filter(of_it);
        let mut shown = Self::of(channel);
        shown.0.push(("schedules", json!(schedules.count())));
        shown
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Null => "none".to_owned(),
        other => other.to_string(),
    }
}
