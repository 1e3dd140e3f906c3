//! A channel of type `email`: the addresses it takes mail for or the provider that hands it over,
//! from whom, and on which terms.

mod provider;

use super::One;
use crate::config::{Context, section::Section, value::Value};
use headgate_email::{
    Require, Terms, Unproven,
    smtp::{AddressPattern, MailChannel},
};
use headgate_event::{
    Channel,
    limits::{DEDUPE_WINDOW_MAX, MAIL_BYTES_MAX},
};
use std::{sync::Arc, time::Duration};

const ADDRESSES: &str = "an array of addresses such as `support@in.example.com`";

/// Reads what belongs to such a channel; notes all that is wrong with it.
pub(super) fn read(
    section: &Section<'_>,
    channel: Option<Channel>,
    context: &Context<'_>,
) -> Option<One> {
    let handed_over = provider::read(section, context);
    let by_provider = !matches!(handed_over, Some(None));
    // A provider knows itself for which addresses it hands mail over.
    let addresses = match section.optional("addresses") {
        Some(value) => patterns(&value, ADDRESSES),
        None if by_provider => Some(Vec::new()),
        None => section.required("addresses", ADDRESSES).and(None),
    };
    let senders_allow = senders(section, "senders_allow");
    let senders_deny = senders(section, "senders_deny");
    let bytes_max =
        section.optional("max_bytes").map_or(Some(MAIL_BYTES_MAX), |value| bytes_max(&value));
    let terms = terms(section);
    let all_known = section.report_unknown(&[]);
    let channel = MailChannel {
        channel: Arc::new(channel?),
        addresses: addresses?,
        senders_allow: senders_allow?,
        senders_deny: senders_deny?,
        bytes_max: bytes_max?,
        terms: terms?,
    };
    let one = match handed_over? {
        None => One::Email(channel),
        Some(by) => One::Inbound(by.spec(section, channel)?),
    };
    all_known.then_some(one)
}
fn terms(section: &Section<'_>) -> Option<Terms> {
    let default = Terms::default();
    let require = section.optional("require").map_or(Some(default.require), |value| {
        let all = [Require::Nothing, Require::SpfOrDkim, Require::Dmarc];
        value.word(&all.map(|require| (require.name(), require)))
    });
    let unproven = section.optional("unproven").map_or(Some(default.unproven), |value| {
        let word = value.word(&[("reject", Unproven::Reject), ("flag", Unproven::Flag)])?;
        if require == Some(Require::Nothing) {
            value.note("expected no such key without a `require` that asks for something");
            return None;
        }
        Some(word)
    });
    let dedupe = section.optional("dedupe").map_or(Some(default.dedupe), |value| dedupe(&value));
    Some(Terms { require: require?, unproven: unproven?, dedupe: dedupe? })
}

/// How long a repeat is known; none of it is known for `"off"`.
fn dedupe(value: &Value<'_>) -> Option<Option<Duration>> {
    if value.plain_text() == Some("off") {
        return Some(None);
    }
    let expected = "`\"off\"` or `{ window = \"5d\" }`";
    let table = value.plain_section().or_else(|| value.wrong(expected))?;
    let window = table.required("window", "a duration").and_then(|value| {
        let window = value.duration()?;
        let fits = !window.is_zero() && window <= DEDUPE_WINDOW_MAX;
        fits.then_some(window).or_else(|| value.wrong("a duration from 1ms to 90d"))
    });
    let all_known = table.report_unknown(&[]);
    window.filter(|_| all_known).map(Some)
}

fn senders(section: &Section<'_>, key: &'static str) -> Option<Vec<AddressPattern>> {
    const LIST: &str = "an array of senders such as `ann@example.com` or `*@example.com`";
    section.optional(key).map_or(Some(Vec::new()), |value| patterns(&value, LIST))
}

/// A list of addresses with at least one in it.
fn patterns(value: &Value<'_>, expected: &str) -> Option<Vec<AddressPattern>> {
    let members = value.list(expected)?;
    if members.is_empty() {
        value.note(&format!("expected {expected}, found an empty array"));
        return None;
    }
    members.iter().map(pattern).collect::<Vec<_>>().into_iter().collect()
}

fn pattern(value: &Value<'_>) -> Option<AddressPattern> {
    let text = value.text("an address or `*@domain`")?;
    match AddressPattern::parse(text) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            value.note(&error.to_string());
            None
        }
    }
}

fn bytes_max(value: &Value<'_>) -> Option<usize> {
    let bytes = value.size().map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX))?;
    if !(1..=MAIL_BYTES_MAX).contains(&bytes) {
        return value.wrong(&format!("a size from 1B to {}MiB", MAIL_BYTES_MAX >> 20));
    }
    Some(bytes)
}
