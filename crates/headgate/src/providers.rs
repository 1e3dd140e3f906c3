//! `headgate providers`: who is known, how they sign and what they want to hear.

use crate::{
    cli::{ProvidersCommand, ProvidersShowArguments},
    failure::Failure,
    output,
};
use headgate_webhook::{Provider, Providers};
use serde_json::{Value, json};
use std::sync::Arc;

/// Shows what was asked for.
pub fn run(command: &ProvidersCommand) -> Result<(), Failure> {
    let providers = Providers::embedded();
    match command {
        ProvidersCommand::List(arguments) if arguments.json => {
            output::line(&Value::from_iter(providers.iter().map(summary)).to_string())
        }
        ProvidersCommand::List(_) => providers.iter().try_for_each(|provider| {
            output::line(&format!("{:20}  {}", provider.name(), provider.title()))
        }),
        ProvidersCommand::Show(arguments) => show(arguments, &providers),
    }
}

/// The provider of this name.
pub(crate) fn find<'a>(providers: &'a Providers, name: &str) -> Result<&'a Arc<Provider>, Failure> {
    providers.find(name).ok_or_else(|| {
        let known: Vec<&str> = providers.iter().map(Provider::name).collect();
        let known = known.join("`, `");
        Failure::usage(format!("expected a provider out of `{known}`, found `{name}`"))
    })
}

fn show(arguments: &ProvidersShowArguments, providers: &Providers) -> Result<(), Failure> {
    let provider = find(providers, &arguments.name)?;
    if arguments.json {
        return output::line(&details(provider).to_string());
    }
    let mut rows = vec![("name", provider.name().to_owned())];
    rows.push(("title", provider.title().to_owned()));
    rows.extend(provider.docs().map(|docs| ("docs", docs.to_owned())));
    rows.push(("proof", provider.proof()));
    rows.push(("body", format!("at most {} bytes", provider.body_bytes_max())));
    rows.push(("answer", provider.answer().to_string()));
    let sender = provider.sender();
    rows.extend(sender.timeout.map(|span| ("timeout", format!("{} s", span.as_secs_f64()))));
    rows.extend(sender.retries.clone().map(|text| ("retries", text)));
    rows.extend(sender.stops.clone().map(|text| ("stops", text)));
    let samples: Vec<&str> = provider.sample_events().collect();
    if !samples.is_empty() {
        rows.push(("samples", samples.join(", ")));
    }
    rows.iter().try_for_each(|(name, text)| output::line(&format!("{name:8}  {text}")))
}

fn summary(provider: &Provider) -> Value {
    json!({
        "name": provider.name(),
        "title": provider.title(),
        "signed": provider.is_signed(),
        "docs": provider.docs(),
    })
}

fn details(provider: &Provider) -> Value {
    let (answer, sender) = (provider.answer(), provider.sender());
    json!({
        "name": provider.name(),
        "title": provider.title(),
        "signed": provider.is_signed(),
        "docs": provider.docs(),
        "proof": provider.proof(),
        "body_bytes_max": provider.body_bytes_max(),
        "answer": { "status": answer.status.as_u16(), "text": answer.to_string() },
        "sender": {
            "timeout_ms": sender.timeout.map(|span| span.as_millis() as u64),
            "retries": sender.retries,
            "stops": sender.stops,
        },
        "samples": provider.sample_events().collect::<Vec<_>>(),
    })
}
