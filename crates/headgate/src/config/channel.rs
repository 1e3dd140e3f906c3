//! `[[channel]]`: the ways in.

mod dedupe;
mod limits;
mod proof;

use super::{Context, section::Section, value::Value};
use headgate_event::{Channel, ChannelType, limits::CHANNEL_LABEL_BYTES_MAX};
use headgate_webhook::{ChannelSpec, Provider, Tolerance};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

pub(super) use proof::UNSIGNED;

/// The channels, and the ids of all of them, also of those with something wrong.
pub(super) struct Channels {
    pub(super) ids: Vec<String>,
    pub(super) channels: Option<Vec<ChannelSpec>>,
}

const LATER: [&str; 3] = ["addresses", "schedule", "signing_secrets"];

pub(super) fn read(root: &Section<'_>, context: &Context<'_>) -> Channels {
    let sections =
        root.optional("channel").map(|value| value.sections("channel", "id")).unwrap_or_default();
    let mut ids = BTreeMap::new();
    let channels: Vec<Option<ChannelSpec>> =
        sections.into_iter().map(|section| one(section, &mut ids, context)).collect();
    Channels { ids: ids.into_keys().collect(), channels: channels.into_iter().collect() }
}

fn one(
    section: Section<'_>,
    ids: &mut BTreeMap<String, usize>,
    context: &Context<'_>,
) -> Option<ChannelSpec> {
    let id = section.required("id", "an id").and_then(|value| {
        let fits = |text: &str| Channel::new(text, text, ChannelType::Webhook).ok();
        let channel = value.parsed("1 to 64 of `a-z`, `0-9`, `-`, `_`", fits)?;
        value.first_of_its_name(&channel.id, ids)
    });
    let kind = section.required("type", "`webhook`").map(|value| kind(&value));
    if kind == Some(Kind::Later) {
        // What belongs to a channel of such a type is not known here, so nothing is said of it.
        return None;
    }
    let channel = label(&section, id.as_deref());
    let proof = proof::read(&section, context);
    let own = own(&section, proof.provider.as_deref());
    let body_bytes_max = limits::body_bytes_max(&section);
    let rate = limits::rate(&section);
    let allow_ips = limits::allow_ips(&section);
    let tolerance = tolerance(&section);
    let dedupe = dedupe::read(&section, tolerance.flatten());
    section.report_unknown(&LATER);
    let spec = ChannelSpec {
        channel: channel?,
        provider: proof.provider?,
        own: own?,
        secrets: proof.secrets?,
        body_bytes_max: body_bytes_max?,
        dedupe: dedupe?,
        tolerance: tolerance?.map(|span| Tolerance { past: span, future: span }),
        rate: rate?,
        allow_ips: allow_ips?,
    };
    let fits = proof::check(&section, &spec, context);
    (fits && kind == Some(Kind::Webhook)).then_some(spec)
}

/// What a `type` says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Webhook,
    Later,
    Wrong,
}

fn kind(value: &Value<'_>) -> Kind {
    let later = ["email", "slack", "cron", "app"];
    if let Some(name) = value.plain_text().filter(|name| later.contains(name)) {
        value.note(&format!("expected `webhook`, found `{name}`, which is not there yet"));
        return Kind::Later;
    }
    value.word(&[("webhook", Kind::Webhook)]).unwrap_or(Kind::Wrong)
}

fn label(section: &Section<'_>, id: Option<&str>) -> Option<Channel> {
    let label = section.optional("label");
    let id = id?;
    let Some(value) = label else { return Channel::new(id, id, ChannelType::Webhook).ok() };
    let expected = format!("1 to {CHANNEL_LABEL_BYTES_MAX} bytes without control characters");
    value.parsed(&expected, |text| Channel::new(id, text, ChannelType::Webhook).ok())
}

/// The sender that the channel itself describes, when it has one.
fn own(section: &Section<'_>, provider: Option<&str>) -> Option<Option<Arc<Provider>>> {
    let Some(value) = section.optional(Provider::GENERIC) else { return Some(None) };
    if provider.is_some_and(|name| name != Provider::GENERIC) {
        value.note("expected no such table without `provider = \"generic\"`, found one");
        return None;
    }
    Some(Some(Arc::new(value.provider()?)))
}

fn tolerance(section: &Section<'_>) -> Option<Option<Duration>> {
    let Some(value) = section.optional("tolerance") else { return Some(None) };
    let span = value.duration()?;
    let most = Duration::from_secs(24 * 3600);
    if span.is_zero() || span > most {
        return value.wrong("a duration from 1ms to 24h");
    }
    Some(Some(span))
}
