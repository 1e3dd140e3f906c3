//! What a definition of a schedule means, whether it stands in the configuration or came over the
//! API. Both have the same keys, and the same errors.

use crate::failure::chain;
use headgate_api::ScheduleAsk;
use headgate_cron::{
    Catchup, CatchupPolicy, CronText, DstPolicy, Fields, Fold, Gap, Overlap, Rules, Schedule,
    ScheduleOrigin, ScheduleSpec, Timing, TimingError, Timings,
};
use headgate_event::{Channel, Span, Timestamp};
use serde_json::value::RawValue;
use std::{fmt::Display, str::FromStr, sync::Arc, time::Duration};
use uuid::Uuid;

/// What is wrong with a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// The key that it is about.
    pub(crate) key: &'static str,
    /// What was expected and what was found.
    pub(crate) text: String,
}

/// Makes the schedule that a definition describes.
pub(crate) fn schedule(
    ask: &ScheduleAsk,
    channel: &Arc<Channel>,
    origin: ScheduleOrigin,
    timings: &mut Timings,
) -> Result<Schedule, Wrong> {
    if ask.name.is_empty() {
        return Err(wrong("name", "expected a name, found none"));
    }
    let id = Schedule::id_of(channel, &ask.name, ask.id.as_deref());
    let id = id.map_err(|error| wrong("id", error))?;
    let timing = timing(ask, id, timings)?;
    let rules = timings.rules(rules(ask)?);
    let null = || RawValue::from_string("null".to_owned()).map_err(|error| wrong("payload", error));
    let payload = ask.payload.clone().map_or_else(null, Ok)?;
    let spec = ScheduleSpec {
        channel: Arc::clone(channel),
        name: ask.name.clone(),
        id,
        timing,
        payload,
        rules,
        enabled: ask.enabled.unwrap_or(true),
        origin,
    };
    Schedule::new(spec).map_err(|error| wrong(error.key(), chain(&error)))
}

fn timing(ask: &ScheduleAsk, id: Uuid, timings: &mut Timings) -> Result<Arc<Timing>, Wrong> {
    let kinds = [("cron", &ask.cron), ("every", &ask.every), ("at", &ask.at)];
    let mut given = kinds.into_iter().filter_map(|(key, text)| Some((key, text.as_deref()?)));
    let Some((key, text)) = given.next() else {
        return Err(wrong("cron", "expected one of `cron`, `every` and `at`, found none"));
    };
    if let Some((other, _)) = given.next() {
        return Err(wrong(other, format!("expected no `{other}` beside `{key}`, found one")));
    }
    refuse_idle(ask, key)?;
    let zone = ask.timezone.as_deref();
    match key {
        "cron" => {
            let text = CronText {
                expression: text,
                fields: if ask.seconds == Some(true) { Fields::WithSeconds } else { Fields::Five },
                timezone: zone.unwrap_or("UTC"),
                policy: policy(ask)?,
            };
            timings.cron(text, id).map_err(timing_wrong("cron"))
        }
        "every" => {
            let span = span("every", text)?;
            let anchor = ask.anchor.as_deref().map(|text| moment("anchor", text)).transpose()?;
            timings.every(span, anchor).map_err(timing_wrong("every"))
        }
        _ => timings.at(text, zone).map_err(timing_wrong("at")),
    }
}

/// Refuses keys that mean nothing beside this kind of timing.
fn refuse_idle(ask: &ScheduleAsk, key: &str) -> Result<(), Wrong> {
    let idle = [
        ("anchor", ask.anchor.is_some(), "every"),
        ("seconds", ask.seconds.is_some(), "cron"),
        ("dst_gap", ask.dst_gap.is_some(), "cron"),
        ("dst_fold", ask.dst_fold.is_some(), "cron"),
    ];
    let found = idle.into_iter().find(|(_, given, belongs)| *given && *belongs != key);
    if let Some((name, _, belongs)) = found {
        return Err(wrong(name, format!("expected it beside `{belongs}`, found it with `{key}`")));
    }
    if key == "every" && ask.timezone.is_some() {
        let why = "expected none beside `every`, which follows elapsed time; found one";
        return Err(wrong("timezone", why));
    }
    Ok(())
}

fn policy(ask: &ScheduleAsk) -> Result<DstPolicy, Wrong> {
    let gap = word::<Gap>("dst_gap", ask.dst_gap.as_deref())?;
    let fold = word::<Fold>("dst_fold", ask.dst_fold.as_deref())?;
    Ok(DstPolicy { gap: gap.unwrap_or_default(), fold: fold.unwrap_or_default() })
}

fn rules(ask: &ScheduleAsk) -> Result<Rules, Wrong> {
    let default = Catchup::default();
    let window = ask.catchup_window.as_deref().map(|text| span("catchup_window", text));
    let catchup = Catchup {
        policy: word("catchup", ask.catchup.as_deref())?.map_or(default.policy, |Policy(it)| it),
        window: window.transpose()?.unwrap_or(default.window),
        limit: ask.catchup_limit.unwrap_or(default.limit),
    };
    let at = |key, text: &Option<String>| text.as_deref().map(|text| moment(key, text)).transpose();
    Ok(Rules {
        catchup,
        jitter: ask.jitter.as_deref().map_or(Ok(Duration::ZERO), |text| span("jitter", text))?,
        overlap: overlap(ask)?,
        start_at: at("start_at", &ask.start_at)?,
        end_at: at("end_at", &ask.end_at)?,
        max_fires: ask.max_fires,
    })
}

fn overlap(ask: &ScheduleAsk) -> Result<Overlap, Wrong> {
    let subscription = ask.overlap_subscription.as_deref();
    match (ask.overlap.as_deref(), subscription) {
        (None | Some("allow"), None) => Ok(Overlap::Allow),
        (None | Some("allow"), Some(_)) => {
            let why = "expected it beside `overlap = \"skip\"`, found it without";
            Err(wrong("overlap_subscription", why))
        }
        (Some("skip"), Some(name)) => Ok(Overlap::Skip { subscription: name.into() }),
        (Some("skip"), None) => {
            let why = "expected the subscription that has to have settled the event before, \
                       found none";
            Err(wrong("overlap_subscription", why))
        }
        (Some(other), _) => {
            let other: String = other.chars().take(40).collect();
            Err(wrong("overlap", format!("expected `allow` or `skip`, found `{other}`")))
        }
    }
}

/// A policy of catching up, by its word.
struct Policy(CatchupPolicy);

impl FromStr for Policy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "skip" => Ok(Self(CatchupPolicy::Skip)),
            "one" => Ok(Self(CatchupPolicy::One)),
            "all" => Ok(Self(CatchupPolicy::All)),
            other => {
                let other: String = other.chars().take(40).collect();
                Err(format!("expected `skip`, `one` or `all`, found `{other}`"))
            }
        }
    }
}

fn word<T: FromStr<Err: Display>>(
    key: &'static str,
    text: Option<&str>,
) -> Result<Option<T>, Wrong> {
    text.map(|text| text.parse().map_err(|error| wrong(key, error))).transpose()
}

fn span(key: &'static str, text: &str) -> Result<Duration, Wrong> {
    text.parse().map(|Span(span)| span).map_err(|error| wrong(key, error))
}

fn moment(key: &'static str, text: &str) -> Result<Timestamp, Wrong> {
    text.parse().map_err(|error| wrong(key, error))
}

/// An error of a timing, at the key that it is about: a zone is not the expression's fault.
fn timing_wrong(key: &'static str) -> impl Fn(TimingError) -> Wrong {
    move |error| match &error {
        TimingError::Zone(_) | TimingError::NoZone { .. } => wrong("timezone", chain(&error)),
        _ => wrong(key, chain(&error)),
    }
}

fn wrong(key: &'static str, text: impl Display) -> Wrong {
    Wrong { key, text: text.to_string() }
}

impl Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}`: {}", self.key, self.text)
    }
}
