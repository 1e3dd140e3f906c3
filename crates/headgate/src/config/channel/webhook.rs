//! A channel of type `webhook`: who sends to it, how they prove it, what they may send.

mod dedupe;
mod limits;
mod proof;

use super::settings;
use crate::config::{Context, section::Section};
use headgate_event::Channel;
use headgate_webhook::{ChannelSpec, Provider, Tolerance};
use std::{sync::Arc, time::Duration};

pub(in crate::config) use proof::UNSIGNED;

/// Reads what belongs to such a channel; notes all that is wrong with it.
pub(super) fn read(
    section: &Section<'_>,
    channel: Option<Channel>,
    context: &Context<'_>,
    public_url: Option<&str>,
) -> Option<ChannelSpec> {
    let proof = proof::read(section, context);
    let own = own(section, proof.provider.as_deref());
    let body_bytes_max = limits::body_bytes_max(section);
    let rate = limits::rate(section);
    let allow_ips = limits::allow_ips(section);
    let tolerance = tolerance(section);
    let dedupe = dedupe::read(section, tolerance.flatten());
    let settings = settings::read(section, context);
    let splits = section.optional("split").map_or(Some(false), |value| value.truth());
    section.report_unknown(&[]);
    let spec = ChannelSpec {
        channel: channel?,
        provider: proof.provider?,
        own: own?,
        secrets: proof.secrets?,
        settings: settings?,
        public_url: public_url.map(str::to_owned),
        splits: splits?,
        body_bytes_max: body_bytes_max?,
        dedupe: dedupe?,
        tolerance: tolerance?.map(|span| Tolerance { past: span, future: span }),
        rate: rate?,
        allow_ips: allow_ips?,
    };
    proof::check(section, &spec, context).then_some(spec)
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
