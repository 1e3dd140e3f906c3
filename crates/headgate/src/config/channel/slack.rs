//! A channel of type `slack`: by what Slack proves itself, and what is answered and named.

use super::SlackChannel;
use crate::config::{Context, secret, section::Section, value::Value};
use headgate_event::{
    Channel,
    limits::{
        DEDUPE_WINDOW_MAX, SLACK_BODY_BYTES_MAX, SLACK_DEDUPE_WINDOW_DEFAULT, SLACK_MERGE_MAX,
        SLACK_SIGNED_AGE_S_MAX,
    },
};
use headgate_slack::{
    ClientCertificate, SelfEvents, SigningSecret, SlackChannelSpec, SlackChannelSpecErrorKind,
    socket::{SLACK_API, SocketSpec, SocketSpecError},
};
use http::HeaderName;
use serde_json::value::RawValue;
use std::{collections::BTreeMap, time::Duration};

/// The channels by the tokens with which they open connections.
pub(super) type AppTokens = BTreeMap<Vec<u8>, String>;

/// Reads what belongs to such a channel; notes all that is wrong with it.
pub(super) fn read(
    section: &Section<'_>,
    channel: Option<Channel>,
    context: &Context<'_>,
    app_tokens: &mut AppTokens,
) -> Option<SlackChannel> {
    let secrets = optional(section, "signing_secrets", |value| {
        secret::list_of(value, |member| signing_secret(member, context))
    });
    let socket = socket(section, channel.as_ref(), context, app_tokens);
    let proved = !matches!((&secrets, &socket), (Some(None), Some(None)));
    if !proved {
        let expected = "expected the secrets by which Slack signs, or an `app_token`, found none";
        section.wrong("signing_secrets", expected);
    }
    let certificate = optional(section, "client_certificate", client_certificate);
    let body_bytes_max = optional(section, "max_body", body_bytes_max);
    let dedupe = optional(section, "dedupe", dedupe);
    let self_events = optional(section, "self_events", |value| {
        value.word(&[("flag", SelfEvents::Flag), ("drop", SelfEvents::Drop)])
    });
    let merge_mentions = optional(section, "merge_mentions_ms", |value| {
        let longest = u32::try_from(SLACK_MERGE_MAX.as_millis()).unwrap_or(u32::MAX);
        value.integer(1..=longest).map(|ms| Duration::from_millis(ms.into()))
    });
    let team_names = optional(section, "team_names", names);
    let names = optional(section, "names", names);
    let answers = optional(section, "answers", answers);
    section.report_unknown(&[]);
    let spec = SlackChannelSpec {
        channel: channel?,
        signing_secrets: secrets?.unwrap_or_default(),
        client_certificate: certificate?,
        body_bytes_max: body_bytes_max?,
        dedupe: dedupe?.unwrap_or(Some(SLACK_DEDUPE_WINDOW_DEFAULT)),
        self_events: self_events?.unwrap_or_default(),
        merge_mentions: merge_mentions?,
        team_names: team_names?.unwrap_or_default(),
        names: names?.unwrap_or_default(),
        answers: answers?.unwrap_or_default(),
    };
    let socket = socket?;
    (check(section, &spec) && proved).then_some(SlackChannel { spec, socket })
}

/// Socket Mode, when there is a token for it.
fn socket(
    section: &Section<'_>,
    channel: Option<&Channel>,
    context: &Context<'_>,
    app_tokens: &mut AppTokens,
) -> Option<Option<SocketSpec>> {
    let app_token = optional(section, "app_token", |value| secret::read(value, context));
    let api = optional(section, "api_url", |value| value.text("a URL").map(str::to_owned));
    let (app_token, api) = (app_token?, api?);
    let Some(app_token) = app_token else {
        if api.is_some() {
            let text = "expected no such key without `app_token`, because nothing else asks there";
            section.wrong("api_url", text);
            return None;
        }
        return Some(None);
    };
    let api = api.unwrap_or_else(|| SLACK_API.to_owned());
    let spec = SocketSpec { channel: channel?.id.clone(), app_token, api };
    let token = spec.app_token.expose().to_vec();
    if let Some(other) = app_tokens.get(&token) {
        let text = format!(
            "expected a token of its own, found that of channel `{other}`: Slack gives each event to \
             one connection of the app, so that either channel would miss some"
        );
        section.wrong("app_token", &text);
        return None;
    }
    let Err(error) = spec.check() else {
        app_tokens.insert(token, spec.channel.clone());
        return Some(Some(spec));
    };
    let key = match error {
        SocketSpecError::Api { .. } => "api_url",
        _ => "app_token",
    };
    section.wrong(key, &error.to_string());
    None
}

/// A key that may be left out: none when it is wrong.
fn optional<T>(
    section: &Section<'_>,
    key: &'static str,
    read: impl FnOnce(&Value<'_>) -> Option<T>,
) -> Option<Option<T>> {
    match section.optional(key) {
        Some(value) => read(&value).map(Some),
        None => Some(None),
    }
}

fn signing_secret(value: &Value<'_>, context: &Context<'_>) -> Option<SigningSecret> {
    let app = |section: &Section<'_>| {
        optional(section, "app", |value| {
            value.text("the id of an app such as `A0123ABCD`").map(str::to_owned)
        })
    };
    let (secret, api_app_id) = secret::read_with(value, context, app)?;
    Some(SigningSecret { secret, api_app_id })
}

fn client_certificate(value: &Value<'_>) -> Option<ClientCertificate> {
    let table = value.section("`{ header = \"..\", name = \"..\" }`")?;
    let header = table.required("header", "the header of a trusted proxy").and_then(|value| {
        value.parsed("the name of a header", |text| {
            HeaderName::from_bytes(text.to_ascii_lowercase().as_bytes()).ok()
        })
    });
    let name = table.required("name", "the name of the certificate");
    let name = name.and_then(|value| value.text("the name of the certificate").map(str::to_owned));
    let all_known = table.report_unknown(&[]);
    let certificate = ClientCertificate { header: header?, name: name? };
    all_known.then_some(certificate)
}

fn body_bytes_max(value: &Value<'_>) -> Option<usize> {
    let bytes = value.size().map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX))?;
    if !(1..=SLACK_BODY_BYTES_MAX).contains(&bytes) {
        return value.wrong(&format!("a size from 1B to {}MiB", SLACK_BODY_BYTES_MAX >> 20));
    }
    Some(bytes)
}

/// How long a repeat is known; none of it is known for `"off"`.
fn dedupe(value: &Value<'_>) -> Option<Option<Duration>> {
    if value.plain_text() == Some("off") {
        return Some(None);
    }
    let expected = "`\"off\"` or `{ window = \"48h\" }`";
    let table = value.plain_section().or_else(|| value.wrong(expected))?;
    let window = table.required("window", "a duration").and_then(|value| {
        let window = value.duration()?;
        // A signed request that is still believed must still be known.
        let fits = window >= Duration::from_secs(SLACK_SIGNED_AGE_S_MAX * 2);
        let expected = "a duration from 10m to 90d";
        (fits && window <= DEDUPE_WINDOW_MAX).then_some(window).or_else(|| value.wrong(expected))
    });
    let all_known = table.report_unknown(&[]);
    window.filter(|_| all_known).map(Some)
}

/// Names by the ids that Slack has for them.
fn names(value: &Value<'_>) -> Option<BTreeMap<String, String>> {
    let fields = value.fields("a table such as `{ T0123ABCD = \"Acme\" }`")?;
    let one = |(id, value): (&str, Value<'_>)| {
        let is_id = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        if id.is_empty() || !id.bytes().all(is_id) {
            value.note("expected an id of Slack such as `T0123ABCD`, found another key");
            return None;
        }
        let name = value.parsed("a name", |text| (!text.is_empty()).then(|| text.to_owned()))?;
        Some((id.to_owned(), name))
    };
    fields.into_iter().map(one).collect::<Vec<_>>().into_iter().collect()
}

fn answers(value: &Value<'_>) -> Option<BTreeMap<String, Box<RawValue>>> {
    let table = value.section("a table with an answer each")?;
    let mut right = true;
    let mut answers = BTreeMap::new();
    for to in SlackChannelSpec::ANSWERED {
        let Some(value) = table.optional(to) else { continue };
        let json = value.plain_section().or_else(|| value.wrong("a table")).and(value.json());
        right &= json.is_some();
        answers.extend(json.map(|json| (to.to_owned(), json)));
    }
    (table.report_unknown(&[]) && right).then_some(answers)
}

/// Whether the source takes the channel; notes why not.
fn check(section: &Section<'_>, spec: &SlackChannelSpec) -> bool {
    let Err(errors) = spec.clone().prepare() else { return true };
    for error in errors {
        let key = match &error {
            SlackChannelSpecErrorKind::EmptySecret { .. }
            | SlackChannelSpecErrorKind::App { .. } => "signing_secrets",
            SlackChannelSpecErrorKind::Certificate => "client_certificate.name",
            SlackChannelSpecErrorKind::BodyLimit(_) => "max_body",
            SlackChannelSpecErrorKind::MergeMentions(_) => "merge_mentions_ms",
            SlackChannelSpecErrorKind::AnswerTo { .. }
            | SlackChannelSpecErrorKind::Answer { .. } => "answers",
            SlackChannelSpecErrorKind::Repeated => "id",
            SlackChannelSpecErrorKind::Type(_) => "type",
        };
        section.wrong(key, &error.to_string());
    }
    false
}
