//! `[[subscription]]`: the consumers that the configuration knows.

mod push;

use super::{
    Context,
    section::{Section, one_of},
    value::Value,
};
use headgate_event::{
    EventType, is_name,
    limits::{FILTER_VALUE_BYTES_MAX, FILTER_VALUES_MAX, SUBSCRIPTION_NAME_BYTES_MAX},
};
use headgate_push::{Keyring, Reach};
use headgate_queue::{
    AckMode, Filter, KeyName, Order, PushSpec, RetryPolicy, Selection, Start, SubscriptionError,
    SubscriptionSpec,
};
use std::{collections::BTreeMap, str::FromStr, time::Duration};

/// Subscriptions, and what those that push are signed with, by their names.
type Subscriptions = (Vec<SubscriptionSpec>, BTreeMap<String, Keyring>);

/// The subscriptions; none when something is wrong with one of them.
pub(super) fn read(
    root: &Section<'_>,
    channels: &[&str],
    reach: Reach,
    context: &Context<'_>,
) -> Option<Subscriptions> {
    let Some(value) = root.optional("subscription") else { return Some(Subscriptions::default()) };
    let mut names = BTreeMap::new();
    let sections = value.sections("subscription", "name");
    let specs = sections.into_iter().map(|section| {
        let push = section.optional("push").map(|value| push::read(&value, reach, context));
        let is_wrong = matches!(push, Some(None));
        let (push, credentials) = push.flatten().unzip();
        let keyring = push.as_ref().zip(credentials).map(|(push, it)| Keyring::of(push, it));
        let spec = one(section, push, &mut names, channels, context);
        let spec = spec.filter(|_| !is_wrong)?;
        Some((spec, keyring))
    });
    let specs: Vec<Option<_>> = specs.collect();
    let (mut all, mut signed) = Subscriptions::default();
    for one in specs {
        let (spec, keyring) = one?;
        signed.extend(keyring.map(|keyring| (spec.name.clone(), keyring)));
        all.push(spec);
    }
    Some((all, signed))
}

const ORDERS: [(&str, Order); 3] =
    [("none", Order::None), ("thread", Order::Thread), ("strict", Order::Strict)];

fn one(
    section: Section<'_>,
    push: Option<PushSpec>,
    names: &mut BTreeMap<String, usize>,
    channels: &[&str],
    context: &Context<'_>,
) -> Option<SubscriptionSpec> {
    let name = section.required("name", "a name").and_then(|value| {
        let fits = |text: &str| is_name(text, SUBSCRIPTION_NAME_BYTES_MAX).then(|| text.to_owned());
        let name = value.parsed("1 to 64 of `a-z`, `0-9`, `-`, `_`", fits)?;
        value.first_of_its_name(&name, names)
    });
    let selection = selection(&section, channels, context);
    let start = section.optional("start").map_or(Some(Start::Now), |value| start(&value));
    let default = if push.is_some() { RetryPolicy::of_push() } else { RetryPolicy::default() };
    let retry = section.optional("retry").map_or(Some(default), |v| retry(&v, default));
    let lease = section.optional("lease").map(|value| value.duration().map(ms));
    let ack = section.optional("ack").map_or(Some(AckMode::Explicit), |value| {
        value.word(&[("explicit", AckMode::Explicit), ("on_send", AckMode::OnSend)])
    });
    let order = section.optional("order").map_or(Some(Order::None), |value| value.word(&ORDERS));
    let mut spec = SubscriptionSpec::new(name.as_deref().unwrap_or("unnamed"));
    spec.retry = retry.unwrap_or_default();
    spec.lease_ms = lease.flatten().unwrap_or(spec.lease_ms);
    spec.push = push;
    let in_range = check(&section, &spec);
    section.report_unknown(&[]);
    spec.selection = selection?;
    spec.start = start?;
    spec.ack = ack?;
    spec.order = order?;
    spec.configured = true;
    (name.is_some() && in_range).then_some(spec)
}

/// Whether the numbers are in range; notes the one that is not.
fn check(section: &Section<'_>, spec: &SubscriptionSpec) -> bool {
    let Err(error) = spec.check() else { return true };
    let (key, text) = match error {
        SubscriptionError::Range { field, found, expected, .. } => {
            let unit = if field.ends_with("attempts") { "" } else { " ms" };
            let key = if field == "lease_ms" { "lease" } else { field };
            (key, format!("expected {expected}, found `{found}`{unit}"))
        }
        error => ("name", error.to_string()),
    };
    section.wrong(key, &text);
    false
}

fn selection(section: &Section<'_>, channels: &[&str], context: &Context<'_>) -> Option<Selection> {
    let channels = section.optional("channels").map_or(Some(Vec::new()), |value| {
        members(&value, "an array of channel ids", |member| known(member, channels))
    });
    let types = section.optional("types").map_or(Some(Vec::new()), |value| {
        members(&value, "an array of event types", |member| {
            member.parsed("an event type such as `webhook.received`", |text| {
                EventType::from_str(text).ok()
            })
        })
    });
    let providers = section.optional("providers").map_or(Some(Vec::new()), |value| {
        let names: Vec<&str> = context.providers.iter().map(|provider| provider.name()).collect();
        members(&value, "an array of providers", |member| known(member, &names))
    });
    let keys = keys(section);
    let filter = section.optional("filter").map_or(Some(None), |value| filter(&value).map(Some));
    Some(Selection {
        types: types?,
        channels: channels?,
        providers: providers?,
        keys: keys?,
        filter: filter?,
    })
}

/// What holds of the events besides.
fn filter(value: &Value<'_>) -> Option<Filter> {
    let text = value.text("a filter such as `data.body.action == \"opened\"`")?;
    match text.parse::<Filter>() {
        Ok(filter) => Some(filter),
        Err(error) => {
            value.note(&error.to_string());
            None
        }
    }
}

/// The keys that events are selected by, each under the name of the event's field.
fn keys(section: &Section<'_>) -> Option<BTreeMap<KeyName, Vec<String>>> {
    let one = |name: KeyName| {
        let value = section.optional(name.as_str())?;
        let expected = format!("1 to {FILTER_VALUE_BYTES_MAX} bytes");
        let fits = |text: &str| (1..=FILTER_VALUE_BYTES_MAX).contains(&text.len());
        let values = members(&value, "an array of texts", |member| {
            member.parsed(&expected, |text| fits(text).then(|| text.to_owned()))
        });
        Some(values.map(|values| (name, values)))
    };
    let keys: Vec<Option<_>> = KeyName::ALL.into_iter().filter_map(one).collect();
    keys.into_iter().collect()
}

fn members<'a, T>(
    value: &Value<'a>,
    expected: &str,
    read: impl Fn(&Value<'a>) -> Option<T>,
) -> Option<Vec<T>> {
    let members: Vec<Option<T>> = value.list(expected)?.iter().map(read).collect();
    if members.is_empty() {
        value.note(&format!("expected {expected}, or no such key for all of them, found none"));
        return None;
    }
    if members.len() > FILTER_VALUES_MAX {
        let found = members.len();
        value.note(&format!("expected at most {FILTER_VALUES_MAX} values, found {found}"));
        return None;
    }
    members.into_iter().collect()
}

fn known(member: &Value<'_>, names: &[&str]) -> Option<String> {
    let text = member.text(&one_of(names.iter().copied()))?;
    if names.contains(&text) {
        return Some(text.to_owned());
    }
    if names.is_empty() {
        return member.wrong("the id of a `[[channel]]`");
    }
    member.unknown_word(text, names.iter().copied())
}

fn start(value: &Value<'_>) -> Option<Start> {
    let expected = "`now`, `earliest`, an event id or a time such as `2026-11-21T01:02:03Z`";
    if let Some(moment) = value.moment_text() {
        return moment.parse().ok().map(Start::At).or_else(|| value.wrong(expected));
    }
    value.parsed(expected, |text| match text {
        "now" => Some(Start::Now),
        "earliest" => Some(Start::Earliest),
        _ => {
            let after = text.parse().ok().map(Start::After);
            after.or_else(|| text.parse().ok().map(Start::At))
        }
    })
}

fn retry(value: &Value<'_>, default: RetryPolicy) -> Option<RetryPolicy> {
    let section = value.section("`{ attempts = 8, first = \"5s\", longest = \"1h\" }`")?;
    let attempts =
        section.optional("attempts").map_or(Some(default.attempts), |v| v.integer(1..=1_000));
    let span = |key, default| {
        section.optional(key).map_or(Some(default), |value| value.duration().map(ms))
    };
    let (first, longest) = (span("first", default.first_ms), span("longest", default.longest_ms));
    section.report_unknown(&[]);
    Some(RetryPolicy { attempts: attempts?, first_ms: first?, longest_ms: longest? })
}

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
