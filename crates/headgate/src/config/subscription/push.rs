//! `push` of a `[[subscription]]`: where its events are posted to, and what proves that they are
//! ours.

use super::ms;
use crate::config::{Context, secret, section::Section, value::Value};
use headgate_event::{
    Secret,
    limits::{
        IN_FLIGHT_MAX, PUSH_CA_BYTES_MAX, PUSH_IN_FLIGHT_DEFAULT, PUSH_RATE_MAX,
        PUSH_TIMEOUT_MS_DEFAULT,
    },
};
use headgate_push::{Credentials, Reach, Target};
use headgate_queue::{PushFormat, PushSpec};
use std::{collections::BTreeMap, fs::File, io::Read};

const EXPECTED: &str = "`{ url = \"https://..\", secrets = [{ env = \"NAME\" }] }`";

/// Where to push and what with; none when something is wrong with it.
pub(super) fn read(
    value: &Value<'_>,
    reach: Reach,
    context: &Context<'_>,
) -> Option<(PushSpec, Credentials)> {
    let section = value.section(EXPECTED)?;
    let url = section.required("url", "an `http` or `https` URL");
    let url = url.and_then(|value| value.text("an `http` or `https` URL").map(str::to_owned));
    let credentials = credentials(&section, context);
    let timeout = section.optional("timeout").map(|value| value.duration().map(ms));
    let in_flight = section.optional("max_in_flight").map(|value| value.integer(in_flights()));
    let rate = section.optional("rate").map(|value| value.integer(rates()));
    let ca = section.optional("ca_file").map(|value| certificates(&value, context));
    let format = section.optional("format").map(|value| value.word(&FORMATS));
    section.report_unknown(&[]);
    let credentials = credentials?;
    let spec = PushSpec {
        url: url?,
        headers: credentials.header_names(),
        timeout_ms: timeout.unwrap_or(Some(PUSH_TIMEOUT_MS_DEFAULT))?,
        max_in_flight: in_flight.unwrap_or(Some(PUSH_IN_FLIGHT_DEFAULT))?,
        rate: rate.map_or(Some(None), |rate| rate.map(Some))?,
        ca: ca.map_or(Some(None), |ca| ca.map(Some))?,
        format: format.unwrap_or(Some(PushFormat::Event))?,
    };
    if let Err(error) = Target::new(&spec, reach) {
        let key = if error.field() == "ca" { "ca_file" } else { error.field() };
        section.wrong(key, &error.to_string());
        return None;
    }
    Some((spec, credentials))
}

const FORMATS: [(&str, PushFormat); 4] = [
    ("event", PushFormat::Event),
    ("envelope", PushFormat::Envelope),
    ("cloudevents", PushFormat::Cloudevents),
    ("cloudevents_binary", PushFormat::CloudeventsBinary),
];

fn in_flights() -> std::ops::RangeInclusive<u32> {
    1..=u32::try_from(IN_FLIGHT_MAX).unwrap_or(u32::MAX)
}

fn rates() -> std::ops::RangeInclusive<u32> {
    1..=u32::try_from(PUSH_RATE_MAX).unwrap_or(u32::MAX)
}

fn credentials(section: &Section<'_>, context: &Context<'_>) -> Option<Credentials> {
    let expected = "an array of secrets to sign with";
    let secrets = section.required("secrets", expected);
    let secrets = secrets.and_then(|value| secret::read_list(&value, context));
    let headers = section.optional("headers").map(|value| headers(&value, context));
    let headers = headers.unwrap_or(Some(BTreeMap::new()))?;
    match Credentials::new(secrets?, headers) {
        Ok(credentials) => Some(credentials),
        Err(error) => {
            section.wrong(error.field(), &error.to_string());
            None
        }
    }
}

/// Each value is a text, or a secret from where secrets are.
fn headers(value: &Value<'_>, context: &Context<'_>) -> Option<BTreeMap<String, Secret>> {
    let fields = value.fields("a table of headers")?;
    let header = |(name, value): (&str, Value<'_>)| {
        let read = match value.plain_text() {
            Some(text) => Some(Secret::new(text)),
            None => secret::read(&value, context),
        };
        read.map(|secret| (name.to_owned(), secret))
    };
    let headers: Vec<Option<_>> = fields.into_iter().map(header).collect();
    headers.into_iter().collect()
}

fn certificates(value: &Value<'_>, context: &Context<'_>) -> Option<String> {
    let path = value.parsed("a PEM file", |text| (!text.is_empty()).then(|| text.to_owned()))?;
    let mut text = String::new();
    let most = PUSH_CA_BYTES_MAX as u64 + 1;
    let read = File::open(context.folder.join(&path))
        .and_then(|file| file.take(most).read_to_string(&mut text));
    match read {
        Ok(_) => Some(text),
        Err(error) => {
            value.note(&format!("expected a file that can be read, found `{path}`: {error}"));
            None
        }
    }
}
