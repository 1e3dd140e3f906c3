//! `headgate verify`: why a captured request is taken or refused, step by step.

use crate::{
    captured,
    cli::VerifyArguments,
    clock::SystemClock,
    config::{Config, Environment, Known},
    failure::Failure,
    fetcher::Fetcher,
    output, providers,
};
use anyhow::anyhow;
use headgate_event::{Clock, Secret, Timestamp};
use headgate_http::RawRequest;
use headgate_slack::{Proofs, SlackChannelSpec};
use headgate_webhook::{
    ChannelSpec, Explanation, Fetched, OtherChannel, Provider, Settings, Step, Terms,
};
use http::Uri;
use std::{path::Path, sync::Arc};

mod slack;

/// What a request is checked by.
enum Gate {
    Webhook {
        provider: Arc<Provider>,
        terms: Box<Terms>,
        /// The channels beside, where a configuration is given.
        others: Vec<OtherChannel>,
    },
    Slack(Proofs),
}

/// Checks the request and says what was found.
pub async fn run(arguments: &VerifyArguments, environment: &Environment) -> Result<(), Failure> {
    let gate = gate(arguments, environment)?;
    let now = match arguments.at.as_deref() {
        None => SystemClock.now(),
        Some(text) => time(text).ok_or_else(|| {
            let expected = "Unix seconds or a time such as `2026-11-21T01:02:03Z`";
            Failure::usage(format!("--at: expected {expected}, found `{text}`"))
        })?,
    };
    let bytes = captured::bytes(&arguments.file).map_err(|error| wrong_file(&error))?;
    let request = captured::request(bytes, now).map_err(|error| wrong_file(&error))?;
    let request = sent_to(request, arguments.url.as_deref())?;
    let explained = gate.explain(&request, now).await?;
    if arguments.json {
        output::line(&serde_json::to_string(&explained)?)?;
    } else {
        output::line(&told(&explained))?;
    }
    if explained.verified { Ok(()) } else { Err(anyhow!("the request is refused").into()) }
}

impl Gate {
    async fn explain(self, request: &RawRequest, now: Timestamp) -> Result<Explanation, Failure> {
        let (provider, mut terms, others) = match self {
            Self::Webhook { provider, terms, others } => (provider, terms, others),
            Self::Slack(proofs) => return Ok(slack::explained(&proofs, request, now)),
        };
        terms.fetched = Arc::new(Fetched::new(Arc::new(Fetcher::of_system())));
        if let Some(wanted) = provider.wants(request, &terms, now) {
            let brought = terms.fetched.bring(wanted, now).await;
            brought.map_err(|error| Failure::from(anyhow!(error)))?;
        }
        Ok(provider.explain_among(request, &terms, &others, now))
    }
}

fn wrong_file(error: &anyhow::Error) -> Failure {
    Failure::usage(format!("{error:#}"))
}

fn gate(arguments: &VerifyArguments, environment: &Environment) -> Result<Gate, Failure> {
    if let (Some(id), Some(file)) = (&arguments.channel, &arguments.own.config) {
        return of_channel(id, file, environment);
    }
    let name = arguments.provider.as_deref().unwrap_or_default();
    if name == slack::NAME {
        return slack::gate(secrets(arguments, environment)?, arguments);
    }
    let known = providers::known(&arguments.own)?;
    let provider = providers::find(&known, name)?;
    if !provider.is_signed() {
        return Err(Failure::usage(format!("provider `{name}` proves nothing")));
    }
    let (secrets, settings) = (secrets(arguments, environment)?, settings_of(&arguments.setting)?);
    let needs_secrets = provider.takes_secrets() && !provider.asks_by(&settings);
    if needs_secrets && secrets.is_empty() {
        return Err(Failure::usage("expected --secret-env, found none".to_owned()));
    }
    let terms = Terms {
        secrets,
        settings,
        public_url: arguments.url.as_deref().and_then(origin),
        ..Terms::default()
    };
    let (provider, terms) = (Arc::clone(provider), Box::new(terms));
    Ok(Gate::Webhook { provider, terms, others: Vec::new() })
}

/// The secrets in the environment variables that are named.
fn secrets(arguments: &VerifyArguments, environment: &Environment) -> Result<Vec<Secret>, Failure> {
    let secret = |name: &String| {
        let value = environment.variable(name).filter(|value| !value.is_empty());
        value.map(|value| Secret::new(value.into_encoded_bytes())).ok_or_else(|| {
            Failure::usage(format!(
                "expected a secret in environment variable `{name}`, found none"
            ))
        })
    };
    arguments.secret_env.iter().map(secret).collect()
}

fn of_channel(id: &str, file: &Path, environment: &Environment) -> Result<Gate, Failure> {
    let known = Known::of_system(environment);
    let config = Config::load(file, environment, &known).map_err(Failure::Configuration)?;
    let mut over_slack = config.channels.slack_specs().into_iter();
    if let Some(channel) = over_slack.find(|channel| channel.channel.id == id) {
        if channel.signing_secrets.is_empty() {
            let wrong = format!("channel `{id}` receives by Socket Mode, which signs nothing");
            return Err(Failure::usage(wrong));
        }
        let SlackChannelSpec { signing_secrets, client_certificate, .. } = channel;
        return Ok(Gate::Slack(Proofs { signing_secrets, client_certificate }));
    }
    let (own, others): (Vec<_>, Vec<_>) =
        config.channels.webhooks.iter().partition(|channel| channel.channel.id == id);
    let Some(channel) = own.into_iter().next() else {
        let wrong = format!("expected a channel of `{}`, found `{id}`", file.display());
        return Err(Failure::usage(wrong));
    };
    let other = |other: &ChannelSpec| OtherChannel {
        id: other.channel.id.clone(),
        secrets: other.secrets.clone(),
    };
    let others = others.into_iter().map(other).collect();
    let provider = match &channel.own {
        Some(own) => Arc::clone(own),
        None => Arc::clone(providers::find(&config.providers, &channel.provider)?),
    };
    if !provider.is_signed() {
        return Err(Failure::usage(format!("channel `{id}` verifies nothing")));
    }
    Ok(Gate::Webhook { provider, terms: Box::new(channel.terms()), others })
}

/// What the provider asks for beside secrets, as `NAME=VALUE`.
pub(crate) fn settings_of(given: &[String]) -> Result<Settings, Failure> {
    let pair = |text: &String| {
        let (name, value) = text.split_once('=').ok_or_else(|| {
            Failure::usage(format!("--setting: expected `NAME=VALUE`, found `{text}`"))
        })?;
        Ok((name.to_owned(), Secret::new(value)))
    };
    given.iter().map(pair).collect()
}

/// Scheme and host of a URL.
fn origin(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    Some(format!("{}://{}", uri.scheme()?, uri.authority()?))
}

fn time(text: &str) -> Option<Timestamp> {
    text.parse::<i64>().map(Timestamp::from_unix_s).ok().or_else(|| text.parse().ok())
}

/// The request as it was sent to this URL.
fn sent_to(request: RawRequest, url: Option<&str>) -> Result<RawRequest, Failure> {
    let Some(url) = url else { return Ok(request) };
    let read: Option<Uri> = url.parse().ok().filter(|uri: &Uri| uri.scheme().is_some());
    let uri = read.ok_or_else(|| {
        Failure::usage(format!("--url: expected `https://host/path`, found `{url}`"))
    })?;
    let (path, query) = (uri.path().to_owned(), uri.query().unwrap_or_default().to_owned());
    Ok(RawRequest { path, query, ..request })
}

fn told(explained: &Explanation) -> String {
    let mut text = match (&explained.covers, &explained.code) {
        (Some(covers), _) => format!("verified: {}, covers {covers}\n", explained.provider),
        (None, Some(code)) => format!("refused: {}, {code}\n", explained.provider),
        (None, None) => format!("refused: {}\n", explained.provider),
    };
    for Step { step, ok, text: found } in &explained.steps {
        let mark = match ok {
            Some(true) => "ok",
            Some(false) => "wrong",
            None => "",
        };
        text.push_str(&format!("\n{mark:5}  {step:9}  {found}"));
    }
    if let Some(cause) = &explained.likely_cause {
        text.push_str(&format!("\n\nlikely cause: {cause}"));
    }
    text
}
