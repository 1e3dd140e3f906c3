//! `headgate send`: a sample of what a provider sends, signed as the provider signs.

mod letter;
mod smtp;

use crate::{
    cli::SendArguments,
    client::{Reply, Transport, url},
    clock::SystemClock,
    config::Environment,
    failure::Failure,
    output, providers,
    verify::settings_of,
};
use anyhow::anyhow;
use bytes::Bytes;
use headgate_event::{Clock, Secret};
use headgate_webhook::{Provider, Providers, Terms};
use http::{HeaderMap, Method, Uri};
use serde_json::{Value, json};
use std::time::Duration;

/// Who sends to Slack channels, and is no provider of webhooks.
const SLACK: &str = "slack";
/// Who sends by SMTP, and is no provider of webhooks either.
const EMAIL: &str = "email";
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// A sample that is sent as it is.
struct Ready {
    method: Method,
    headers: HeaderMap,
    body: Bytes,
}

/// Sends one sample and shows the answer.
pub async fn run(arguments: &SendArguments, environment: &Environment) -> Result<(), Failure> {
    let providers = providers::known(&arguments.own)?;
    let (slack, email) = (arguments.provider == SLACK, arguments.provider == EMAIL);
    let provider = providers
        .find(&arguments.provider)
        .filter(|provider| provider.sample_events().next().is_some());
    let events: Vec<&str> = match provider {
        Some(provider) => provider.sample_events().collect(),
        None if slack => headgate_slack::Sample::events().collect(),
        None if email => letter::NAMES.to_vec(),
        None => return Err(unknown_provider(&arguments.provider, &providers)),
    };
    let Some(to) = arguments.to.as_deref().filter(|_| !arguments.list) else {
        if arguments.json {
            return output::line(&json!(events).to_string());
        }
        return events.into_iter().try_for_each(output::line);
    };
    if email {
        return smtp::run(arguments, to).await;
    }
    let to_url = url(to).map_err(Failure::usage)?;
    let secret = secret(arguments, environment)?;
    if secret.is_none() {
        eprintln!("not signed: name the variable that holds the secret with --secret-env");
    }
    let ready = match provider {
        Some(provider) => of_webhook(provider, arguments, &to_url, secret.as_ref())?,
        None => of_slack(arguments, secret.as_ref())?,
    };
    let reply = Transport::new(&to_url)?
        .send(ready.method, to, ready.headers, ready.body, ANSWER_TIMEOUT)
        .await?;
    let answer = String::from_utf8_lossy(&reply.body);
    if arguments.json {
        output::line(&told(&reply, arguments).to_string())?;
    } else {
        output::line(format!("{} {}", reply.status, answer.trim()).trim_end())?;
    }
    if reply.status.is_success() { Ok(()) } else { Err(anyhow!("the webhook was refused").into()) }
}

fn of_webhook(
    provider: &Provider,
    arguments: &SendArguments,
    to: &Uri,
    secret: Option<&Secret>,
) -> Result<Ready, Failure> {
    let fresh = u128::from(getrandom::u64()?) << 64 | u128::from(getrandom::u64()?);
    let sample = provider.sample(arguments.event.as_deref(), fresh);
    let sample = sample.ok_or_else(|| unknown_event(arguments, provider.sample_events()))?;
    let sample = match secret {
        Some(secret) => {
            let own = format!("http://{}", to.authority().map_or("", |host| host.as_str()));
            let terms = Terms {
                settings: settings_of(&arguments.setting)?,
                public_url: arguments.public_url.clone().or(Some(own)),
                ..Terms::default()
            };
            let target = to.path_and_query().map_or("/", |target| target.as_str());
            let signed = provider.sign_by(&terms, sample, target, secret, SystemClock.now());
            signed.map_err(|error| Failure::usage(format!("the secret cannot sign: {error}")))?
        }
        None => sample.sent_at(SystemClock.now()),
    };
    let headers = sample.headers.into_iter().collect();
    Ok(Ready { method: sample.method, headers, body: sample.body })
}

fn of_slack(arguments: &SendArguments, secret: Option<&Secret>) -> Result<Ready, Failure> {
    use headgate_slack::Sample;
    let now = SystemClock.now();
    let sample = Sample::of(arguments.event.as_deref(), getrandom::u64()?, now);
    let sample = sample.ok_or_else(|| unknown_event(arguments, Sample::events()))?;
    let headers = match secret {
        Some(secret) => sample.signed(secret, now),
        None => sample.headers(),
    };
    Ok(Ready { method: Method::POST, headers, body: sample.body })
}

/// The answer; its body as JSON where it is some.
fn told(reply: &Reply, arguments: &SendArguments) -> Value {
    let text = || Value::from(String::from_utf8_lossy(&reply.body));
    let body = serde_json::from_slice(&reply.body).unwrap_or_else(|_| text());
    json!({
        "status": reply.status.as_u16(),
        "signed": arguments.secret_env.is_some(),
        "body": body,
    })
}

fn unknown_event<'a>(arguments: &SendArguments, events: impl Iterator<Item = &'a str>) -> Failure {
    let (events, asked): (Vec<&str>, _) = (events.collect(), arguments.event.as_deref());
    Failure::usage(format!(
        "expected a sample of `{}` out of `{}`, found `{}`",
        arguments.provider,
        events.join("`, `"),
        asked.unwrap_or_default()
    ))
}

fn secret(arguments: &SendArguments, environment: &Environment) -> Result<Option<Secret>, Failure> {
    let Some(name) = &arguments.secret_env else { return Ok(None) };
    let value = environment.variable(name).filter(|value| !value.is_empty());
    let value = value.ok_or_else(|| {
        Failure::usage(format!("expected a secret in environment variable `{name}`, found none"))
    })?;
    Ok(Some(Secret::new(value.into_encoded_bytes())))
}

fn unknown_provider(name: &str, providers: &Providers) -> Failure {
    let known = providers.iter().filter(|provider| provider.sample_events().next().is_some());
    let mut known: Vec<&str> = known.map(Provider::name).chain([SLACK, EMAIL]).collect();
    known.sort_unstable();
    Failure::usage(format!("expected a provider out of `{}`, found `{name}`", known.join("`, `")))
}
