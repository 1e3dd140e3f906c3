//! `max_body`, `rate` and `allow_ips` of a channel: how much may come, and from where.

use crate::config::{network, section::Section, value::Value};
use headgate_event::limits::BODY_BYTES_MAX;
use headgate_http::IpNet;
use headgate_webhook::RateLimit;

pub(super) fn body_bytes_max(section: &Section<'_>) -> Option<Option<usize>> {
    let Some(value) = section.optional("max_body") else { return Some(None) };
    let bytes = value.size().map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX))?;
    if !(1..=BODY_BYTES_MAX).contains(&bytes) {
        return value.wrong(&format!("a size from 1B to {}MiB", BODY_BYTES_MAX >> 20));
    }
    Some(Some(bytes))
}

pub(super) fn allow_ips(section: &Section<'_>) -> Option<Vec<IpNet>> {
    section.optional("allow_ips").map_or(Some(Vec::new()), |value| network::list(&value))
}

pub(super) fn rate(section: &Section<'_>) -> Option<Option<RateLimit>> {
    let Some(value) = section.optional("rate") else { return Some(None) };
    let Some(table) = value.plain_section() else {
        let expected = format!("{}, or `{{ limit = \"50/s\", burst = 100 }}`", RateLimit::EXPECTED);
        return value.parsed(&expected, |text| text.parse().ok()).map(Some);
    };
    let limit = table.required("limit", RateLimit::EXPECTED).and_then(|value| limit(&value));
    let burst = table.optional("burst").map(|value| value.integer(1..=RateLimit::REQUESTS_MAX));
    table.report_unknown(&[]);
    match burst {
        None => Some(Some(limit?)),
        Some(burst) => Some(Some(limit?.with_burst(burst?)?)),
    }
}

fn limit(value: &Value<'_>) -> Option<RateLimit> {
    value.parsed(RateLimit::EXPECTED, |text| text.parse().ok())
}
