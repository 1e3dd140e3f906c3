//! `headgate send`: a sample of what a provider sends, signed as the provider signs.

use crate::{
    cli::SendArguments,
    client::{Reply, Transport, url},
    clock::SystemClock,
    config::Environment,
    failure::Failure,
    output,
};
use anyhow::anyhow;
use headgate_event::{Clock, Secret};
use headgate_webhook::{Provider, Providers, Sample};
use http::HeaderMap;
use serde_json::{Value, json};
use std::time::Duration;

const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Sends one sample and shows the answer.
pub async fn run(arguments: &SendArguments, environment: &Environment) -> Result<(), Failure> {
    let providers = Providers::embedded();
    let provider = providers
        .find(&arguments.provider)
        .filter(|provider| provider.sample_events().next().is_some())
        .ok_or_else(|| unknown_provider(&arguments.provider, &providers))?;
    let Some(to) = arguments.to.as_deref().filter(|_| !arguments.list) else {
        if arguments.json {
            return output::line(&json!(provider.sample_events().collect::<Vec<_>>()).to_string());
        }
        return provider.sample_events().try_for_each(output::line);
    };
    let to_url = url(to).map_err(Failure::usage)?;
    let sample = sample(provider, arguments)?;
    let sample = match secret(arguments, environment)? {
        Some(secret) => {
            let signed = provider.sign(sample, to_url.path(), &secret, SystemClock.now());
            signed.map_err(|error| Failure::usage(format!("the secret cannot sign: {error}")))?
        }
        None => {
            eprintln!("not signed: name the variable that holds the secret with --secret-env");
            sample.sent_at(SystemClock.now())
        }
    };
    let headers: HeaderMap = sample.headers.into_iter().collect();
    let reply = Transport::new(&to_url)?
        .send(sample.method, to, headers, sample.body, ANSWER_TIMEOUT)
        .await?;
    let answer = String::from_utf8_lossy(&reply.body);
    if arguments.json {
        output::line(&told(&reply, arguments).to_string())?;
    } else {
        output::line(&format!("{} {}", reply.status, answer.trim()))?;
    }
    if reply.status.is_success() { Ok(()) } else { Err(anyhow!("the webhook was refused").into()) }
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

fn sample(provider: &Provider, arguments: &SendArguments) -> Result<Sample, Failure> {
    let fresh = u128::from(getrandom::u64()?) << 64 | u128::from(getrandom::u64()?);
    provider.sample(arguments.event.as_deref(), fresh).ok_or_else(|| {
        let events: Vec<&str> = provider.sample_events().collect();
        let asked = arguments.event.as_deref().unwrap_or_default();
        Failure::usage(format!(
            "expected a sample of `{}` out of `{}`, found `{asked}`",
            provider.name(),
            events.join("`, `")
        ))
    })
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
    let known: Vec<&str> = known.map(Provider::name).collect();
    Failure::usage(format!("expected a provider out of `{}`, found `{name}`", known.join("`, `")))
}
