//! `headgate providers`: who is known, how they sign and what they want to hear.

mod draft;

use crate::{
    cli::{OwnProvidersArguments, ProvidersCommand, ProvidersShowArguments},
    config::{providers_in, providers_of, samples},
    failure::Failure,
    output,
};
use headgate_webhook::{Provider, Providers};
use serde_json::{Value, json};
use std::{fs, path::Path, sync::Arc};

/// Shows what was asked for.
pub fn run(command: &ProvidersCommand) -> Result<(), Failure> {
    match command {
        ProvidersCommand::List(arguments) if arguments.json => {
            let providers = known(&arguments.own)?;
            output::line(&Value::from_iter(providers.iter().map(summary)).to_string())
        }
        ProvidersCommand::List(arguments) => {
            known(&arguments.own)?.iter().try_for_each(|provider| {
                output::line(&format!("{:20}  {}", provider.name(), provider.title()))
            })
        }
        ProvidersCommand::Show(arguments) => show(arguments, &known(&arguments.own)?),
        ProvidersCommand::Check(arguments) => check(&arguments.file),
        ProvidersCommand::New(arguments) => output::line(&draft::of(arguments)?),
    }
}

/// Says that a file is right, or all that is wrong with it.
fn check(file: &Path) -> Result<(), Failure> {
    let name = file.display().to_string();
    let text = fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("cannot read `{name}`: {error}")))?;
    // The samples that stand beside the file, as those of a `providers_dir` do.
    let beside = samples(file.parent().unwrap_or_else(|| Path::new("")))
        .map_err(|error| Failure::usage(format!("cannot read the samples of `{name}`: {error}")))?;
    match Provider::parse_with(&name, &text, &beside) {
        Ok(provider) => {
            let (title, proof) = (provider.title(), provider.proof());
            output::line(&format!("{name} is right: {} ({title}), {proof}", provider.name()))
        }
        Err(errors) => {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            Err(Failure::usage(lines.join("\n")))
        }
    }
}

/// The providers that are built in, and the user's own; or all that is wrong with theirs.
pub(crate) fn known(own: &OwnProvidersArguments) -> Result<Providers, Failure> {
    let embedded = Providers::embedded();
    match (&own.providers_dir, &own.config) {
        (Some(folder), _) => providers_in(folder, &embedded).map_err(|wrong| {
            let lines: Vec<String> =
                wrong.iter().map(|text| format!("--providers-dir: {text}")).collect();
            Failure::usage(lines.join("\n"))
        }),
        (None, Some(file)) => providers_of(file, &embedded).map_err(Failure::Configuration),
        (None, None) => Ok(embedded),
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
    rows.push(("covers", provider.covers().as_str().to_owned()));
    for setting in provider.settings() {
        let need = if setting.is_required { "" } else { " (may be left out)" };
        rows.push(("setting", format!("{}: {}{need}", setting.name, setting.about)));
    }
    rows.extend(provider.handshakes().into_iter().map(|text| ("shakes", text)));
    rows.push(("body", format!("at most {} bytes", provider.body_bytes_max())));
    rows.push(("answer", provider.answer().to_string()));
    let sender = provider.sender();
    rows.extend(sender.timeout.map(|span| ("timeout", format!("{} s", span.as_secs_f64()))));
    rows.extend(sender.retries.clone().map(|text| ("retries", text)));
    rows.extend(sender.stops.clone().map(|text| ("stops", text)));
    if provider.can_split() {
        rows.push(("split", "a body of several events can become one event for each".to_owned()));
    }
    rows.extend(provider.unconfirmed().iter().map(|text| ("unsure", text.clone())));
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
        "covers": provider.covers().as_str(),
        "settings": provider.settings().iter().map(|setting| json!({
            "name": setting.name,
            "about": setting.about,
            "required": setting.is_required,
        })).collect::<Vec<_>>(),
        "handshakes": provider.handshakes(),
        "can_split": provider.can_split(),
        "unconfirmed": provider.unconfirmed(),
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
