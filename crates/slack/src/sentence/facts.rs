//! The facts of an event, in the order of their worth.

use super::Telling;
use crate::{
    interaction,
    mapping::scalar,
    payload::PayloadKind,
    text::{self, Hidden},
};
use headgate_event::{
    json::Node,
    limits::PROMPT_VALUE_BYTES_MAX,
    prompt::{Fact, Foreign, inline},
};
use std::borrow::Cow;

pub(super) fn facts(telling: &Telling<'_>) -> Vec<Fact> {
    let mut facts = Facts(Vec::new());
    facts.place(telling);
    facts.author(telling);
    facts.thread(telling);
    if telling.payload.kind() == PayloadKind::Interaction {
        facts.interaction(telling);
    }
    facts.warnings(telling);
    facts.0
}

/// What people put into an interaction that no line of ours can hold: each by its control.
pub(super) fn texts(telling: &Telling<'_>) -> impl Iterator<Item = Foreign> {
    let long = given(telling).into_iter().filter(|(_, value)| !is_line(value));
    long.map(|(name, text)| Foreign { label: Some(inline(&name)), text })
}

/// What people put into an interaction, by control.
fn given(telling: &Telling<'_>) -> Vec<(String, String)> {
    let root = telling.payload.root();
    let Some(root) = root.filter(|_| telling.payload.kind() == PayloadKind::Interaction) else {
        return Vec::new();
    };
    let directory = &telling.channel.directory;
    let value = interaction::value(root, directory).map(|value| ("Value".to_owned(), value));
    value.into_iter().chain(interaction::form_values(root, directory)).collect()
}

fn is_line(value: &str) -> bool {
    value.len() <= PROMPT_VALUE_BYTES_MAX && !value.trim().contains(['\n', '\r'])
}

struct Facts(Vec<Fact>);

impl Facts {
    fn add(&mut self, label: &str, value: impl Into<String>) {
        self.0.push(Fact { label: label.to_owned(), value: value.into() });
    }

    fn place(&mut self, telling: &Telling<'_>) {
        let parts = telling.parts;
        let payload = telling.payload;
        let domain = payload.root().and_then(|root| domain(root, parts.team_id.as_deref()));
        if let Some(team) = &parts.team_id {
            let name = parts.team_name.as_deref().or(domain.as_deref());
            let id = inline(team);
            self.add(
                "Workspace",
                name.map_or(id.clone(), |name| format!("{} ({id})", inline(name))),
            );
        }
        let shared = payload.root().and_then(|root| root.get("is_ext_shared_channel"));
        if shared.and_then(Node::as_bool) == Some(true) {
            self.add("Conversation", "shared with other organizations");
        }
    }

    fn author(&mut self, telling: &Telling<'_>) {
        let parts = telling.parts;
        if parts.is_self == Some(true) {
            self.add("Author", "the app itself");
        } else if parts.is_bot {
            self.add("Author", "a bot");
        }
        if parts.is_mention && parts.event_type != "app_mention" {
            self.add("Mentions", "the app");
        }
    }

    fn thread(&mut self, telling: &Telling<'_>) {
        let parts = telling.parts;
        if let Some(message) = &parts.message_ts {
            self.add("Message", inline(message));
        }
        if let Some(thread) = &parts.thread_ts {
            self.add("Thread", inline(thread));
        }
        if let Some(link) = permalink(telling) {
            self.add("Link", inline(&link));
        }
    }

    fn interaction(&mut self, telling: &Telling<'_>) {
        let Some(root) = telling.payload.root() else { return };
        let title = scalar(root, &["view.title.text"]);
        if let Some(title) = title {
            self.add("Title", inline(&text::plain(&title)));
        }
        for (name, value) in given(telling).into_iter().filter(|(_, value)| is_line(value)) {
            self.add(&inline(&name), inline(&value));
        }
    }

    fn warnings(&mut self, telling: &Telling<'_>) {
        if telling.parts.no_text_change {
            self.add("Edit", "the text is as it was: a link was unfolded or folded");
        }
        for hidden in &telling.rendered.hidden {
            self.add(
                "Careful",
                match hidden {
                    Hidden::LinkLabel => "a link leads to another host than its label names",
                    Hidden::TextDiffers => "`text` is not what people see of this message",
                    Hidden::InvisibleCharacters => "the text has characters that show nothing",
                },
            );
        }
        if let Some(defect) = telling.payload.defect() {
            self.add("Careful", format!("the payload is not one of Slack's: {defect}"));
        }
        if telling.payload.root().is_none() {
            self.add("Body", format!("{} bytes", telling.payload.bytes().len()));
        }
    }
}

/// Where people find the message: where the payload says it, or names the workspace's address.
fn permalink(telling: &Telling<'_>) -> Option<String> {
    let event = telling.payload.event()?;
    let places = ["permalink", "message.permalink", "item.message.permalink"];
    if let Some(link) = scalar(event, &places) {
        return Some(link.into_owned());
    }
    let root = telling.payload.root()?;
    let domain = domain(root, telling.parts.team_id.as_deref())?;
    let channel = telling.parts.channel_id.as_deref()?;
    let message = telling.parts.message_ts.as_deref()?.replace('.', "");
    Some(format!("https://{domain}.slack.com/archives/{channel}/p{message}"))
}

/// The address of the workspace, where it is that of this one: a form can be submitted in another
/// workspace than the one that installed the app.
fn domain<'a>(root: Node<'a>, team: Option<&str>) -> Option<Cow<'a, str>> {
    let of = scalar(root, &["team.id", "team_id"]);
    scalar(root, &["team.domain", "team_domain"]).filter(|_| of.as_deref() == team)
}
