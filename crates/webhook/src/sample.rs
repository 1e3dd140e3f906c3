//! Samples of what a provider sends, to be signed and sent for a trial.

use crate::{
    provider::{Problems, Provider},
    providers::SAMPLES,
    scheme::{SecretError, Signed, Terms, Unsigned},
};
use bytes::Bytes;
use headgate_event::{Secret, Timestamp};
use http::{HeaderName, HeaderValue, Method};
use serde::Deserialize;
use std::{borrow::Cow, collections::BTreeMap};
use toml::Spanned;

/// What stands for the time of sending, in milliseconds and seconds since 1970, and as RFC 3339.
const NOW_MS: &str = "{now_ms}";
const NOW_S: &str = "{now_s}";
const NOW_TEXT: &str = "{now}";
/// What stands for a signature that belongs into the body.
const SIGNATURE: &str = "{signature}";

/// A request as a provider sends it, written by us.
#[derive(Clone, Debug)]
pub struct Sample {
    /// What happened.
    pub event: String,
    /// The method.
    pub method: Method,
    /// The headers; [`Provider::sign`] adds the proof.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Bytes,
    /// The id of the message, for schemes that sign one.
    pub id: String,
}

/// A body of a sample in a file of its own, beside provider files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleFile {
    /// The name of its provider.
    pub provider: String,
    /// What happened.
    pub event: String,
    /// The body, with what stands for ids and times.
    pub body: String,
}

/// The `[sample]` table of a provider file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SampleTable {
    event: Spanned<String>,
    headers: Vec<(Spanned<String>, Spanned<String>)>,
    /// Whether the members of a body are sent as the fields of a form.
    #[serde(default)]
    form: bool,
}

/// The samples of one provider.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    /// The event that is sent when none is asked for.
    usual: Option<String>,
    headers: Vec<(HeaderName, String)>,
    is_form: bool,
    /// By event.
    bodies: Vec<(Cow<'static, str>, Cow<'static, str>)>,
}

impl Samples {
    /// Reads the table, and finds the bodies that are built in or stand beside the file.
    pub(crate) fn read(
        provider: &str,
        table: Option<SampleTable>,
        beside: &[SampleFile],
        problems: &mut Problems,
    ) -> Option<Self> {
        let Some(table) = table else { return Some(Self::default()) };
        let own = SAMPLES.iter().filter(|(owner, ..)| *owner == provider);
        let mut bodies: BTreeMap<Cow<'static, str>, Cow<'static, str>> =
            own.map(|(_, event, body)| ((*event).into(), (*body).into())).collect();
        let beside = beside.iter().filter(|file| file.provider == provider);
        bodies.extend(beside.map(|file| (file.event.clone().into(), file.body.clone().into())));
        let bodies: Vec<_> = bodies.into_iter().collect();
        if !bodies.iter().any(|(event, _)| event == table.event.get_ref()) {
            let message = format!("there is no sample `{}`", table.event.get_ref());
            problems.add(table.event.span(), message);
        }
        let mut headers = Vec::new();
        for (name, value) in table.headers {
            let read = problems.header(name.get_ref(), name.span())?;
            if HeaderValue::from_str(value.get_ref()).is_err() {
                problems.add(value.span(), "expected visible characters in a header");
            }
            headers.push((read, value.into_inner()));
        }
        let usual = Some(table.event.into_inner());
        Some(Self { usual, headers, is_form: table.form, bodies })
    }
}

impl Provider {
    /// The events of which there is a sample.
    pub fn sample_events(&self) -> impl Iterator<Item = &str> {
        self.samples.bodies.iter().map(|(event, _)| event.as_ref())
    }

    /// A sample of an event, or of the usual one. Its ids are made from `fresh`, which is random:
    /// with the same one it is the same delivery.
    #[must_use]
    pub fn sample(&self, event: Option<&str>, fresh: u128) -> Option<Sample> {
        let event = event.or(self.samples.usual.as_deref())?;
        let (event, body) = self.samples.bodies.iter().find(|(known, _)| known == event)?;
        let fresh = Fresh { event, number: fresh };
        let headers = self.samples.headers.iter();
        let headers = headers.filter_map(|(name, value)| {
            Some((name.clone(), HeaderValue::from_str(&fresh.fill(value)).ok()?))
        });
        Some(Sample {
            event: event.clone().into_owned(),
            method: Method::POST,
            headers: headers.collect(),
            body: self.samples.written(fresh.fill(body)).into(),
            id: fresh.fill("msg_{fresh}"),
        })
    }

    /// The sample with its proof, for a channel with this secret at this path.
    pub fn sign(
        &self,
        sample: Sample,
        path: &str,
        secret: &Secret,
        now: Timestamp,
    ) -> Result<Sample, SecretError> {
        self.sign_by(&Terms::default(), sample, path, secret, now)
    }

    /// The same for a channel of these terms, at a path with or without a query.
    pub fn sign_by(
        &self,
        terms: &Terms,
        sample: Sample,
        target: &str,
        secret: &Secret,
        now: Timestamp,
    ) -> Result<Sample, SecretError> {
        let mut sample = sample.sent_at(now);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let Sample { method, headers, body, id, .. } = &sample;
        let unsigned = Unsigned { method, path, query, headers, body, id };
        let Signed { headers, in_body } = self.scheme.sign(&unsigned, terms, secret, now)?;
        sample.headers.extend(headers);
        if let Some(signature) = in_body {
            sample.fill(SIGNATURE, &signature);
        }
        Ok(sample)
    }
}

impl Samples {
    /// A body as it is sent.
    fn written(&self, json: String) -> String {
        if !self.is_form {
            return json;
        }
        let members: BTreeMap<String, String> = serde_json::from_str(&json).unwrap_or_default();
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&members).finish()
    }
}

impl Sample {
    /// The sample as it is sent at a time, for senders that put theirs into the body.
    #[must_use]
    pub fn sent_at(mut self, now: Timestamp) -> Self {
        self.fill(NOW_MS, &now.unix_ms().to_string());
        self.fill(NOW_S, &now.unix_s().to_string());
        self.fill(NOW_TEXT, &now.to_string());
        self
    }

    fn fill(&mut self, what: &str, with: &str) {
        if let Ok(body) = std::str::from_utf8(&self.body)
            && body.contains(what)
        {
            self.body = body.replace(what, with).into();
        }
    }
}

struct Fresh<'a> {
    event: &'a str,
    number: u128,
}

impl Fresh<'_> {
    fn fill(&self, text: &str) -> String {
        let hex = format!("{:032x}", self.number);
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        let uuid = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-");
        text.replace("{event}", self.event)
            .replace("{name}", self.event.split('.').next().unwrap_or_default())
            .replace("{fresh}", part(8, 32))
            .replace("{uuid}", &uuid)
    }
}
