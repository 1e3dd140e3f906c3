//! What a model is told of an event: a sentence, the facts around it, and the text of the message.

mod facts;
mod secrets;
mod table;
mod template;

use crate::{channel::SlackChannel, mapping::scalar, payload::Payload, text::Rendered};
use headgate_event::{
    data::SlackParts,
    json::Node,
    prompt::{Foreign, Rendering, inline, outline},
};
use secrets::{Secrets, is_live};
use table::Beside;

/// An event as it is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Telling<'a> {
    pub(crate) channel: &'a SlackChannel,
    pub(crate) payload: &'a Payload,
    pub(crate) parts: &'a SlackParts,
    pub(crate) rendered: &'a Rendered,
}

/// What is said of an event. Live tokens of its payload are in none of it.
pub(crate) fn rendering(telling: &Telling<'_>) -> Rendering {
    let mut rendering = told(telling);
    let secrets = Secrets::of(telling.payload);
    secrets.redact(&mut rendering.headline);
    for fact in &mut rendering.facts {
        secrets.redact(&mut fact.value);
    }
    for foreign in &mut rendering.foreign {
        secrets.redact(&mut foreign.text);
    }
    rendering
}

fn told(telling: &Telling<'_>) -> Rendering {
    let parts = telling.parts;
    let subtype = telling.subtype();
    let known = table::sentence(&parts.event_type, subtype);
    let (headline, beside) = match known {
        Some((sentence, beside)) => (template::filled(sentence, telling), beside),
        None => (format!("{} happened", inline(&parts.event_type)), Beside::Outline),
    };
    let mut rendering = Rendering {
        headline: format!("Slack: {headline}"),
        facts: facts::facts(telling),
        foreign: Vec::new(),
    };
    if let Some(text) = &telling.rendered.text {
        rendering.foreign.push(Foreign { label: None, text: text.clone() });
    }
    rendering.foreign.extend(facts::texts(telling));
    let event = telling.payload.event();
    let outlined = match (event, beside) {
        (Some(event), Beside::Outline) => Some(outline(event)),
        (Some(event), Beside::Inside(part)) => event.path(part).map(outline),
        (Some(_), Beside::Facts) => None,
        // What cannot be read may hold live tokens anywhere.
        (None, _) => None,
    };
    if let Some(outlined) = outlined {
        let facts = outlined.facts.into_iter();
        rendering.facts.extend(facts.filter(|fact| !is_live(&fact.label)));
        let texts = outlined.foreign.into_iter();
        let live = |text: &Foreign| text.label.as_deref().is_some_and(is_live);
        rendering.foreign.extend(texts.filter(|text| !live(text)));
    }
    rendering
}

impl Telling<'_> {
    /// The subtype by which it is told, which is not always Slack's.
    fn subtype(&self) -> Option<&str> {
        let event = self.payload.event()?;
        let message = event.path("message.subtype").and_then(Node::as_str);
        match (self.parts.subtype.as_deref(), message) {
            // The first message of a thread, of which only the answers are left.
            (Some("message_changed"), Some("tombstone")) => Some("tombstone"),
            (Some(subtype), _) => Some(subtype),
            (None, _) => self.is_reply().then_some("reply"),
        }
    }

    /// Whether a message answers another one in its thread.
    fn is_reply(&self) -> bool {
        let parts = self.parts;
        parts.thread_ts.is_some() && parts.thread_ts != parts.message_ts
    }

    /// Who did it: a person, else a bot by what it calls itself.
    fn author(&self) -> Option<String> {
        let (directory, event) = (&self.channel.directory, self.payload.event()?);
        if let Some(user) = &self.parts.user_id {
            let shown = [
                "user.username",
                "user.name",
                "user_name",
                "user_profile.display_name",
                "user_profile.real_name",
                "user_profile.name",
            ];
            let shown = scalar(event, &shown);
            return Some(directory.inlined('@', user, shown.as_deref()));
        }
        let named =
            ["username", "bot_profile.name", "message.username", "message.bot_profile.name"];
        let named = scalar(event, &named).map(|name| inline(&name));
        let bot = self.parts.bot_id.as_deref().map(inline);
        match (named, bot) {
            (Some(name), Some(bot)) => Some(format!("the bot {name} ({bot})")),
            (Some(name), None) | (None, Some(name)) => Some(format!("the bot {name}")),
            (None, None) => None,
        }
    }

    /// Where it happened.
    fn place(&self) -> Option<String> {
        let (id, event) = (self.parts.channel_id.as_deref()?, self.payload.event()?);
        let direct = match self.parts.channel_type.as_deref() {
            Some("im") => Some("a direct message"),
            Some("mpim") => Some("a group direct message"),
            Some("app_home") => Some("the app's home"),
            _ if id.starts_with('D') => Some("a direct message"),
            _ => None,
        };
        if let Some(direct) = direct {
            return Some(format!("{direct} ({})", inline(id)));
        }
        let shown = scalar(event, &["channel.name", "channel_name"]);
        Some(self.channel.directory.inlined('#', id, shown.as_deref()))
    }
}
