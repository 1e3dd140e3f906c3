//! `headgate channels`: a channel of the configuration, and what its sender handed over.
//!
//! It reads the configuration and the data folder, not the running gateway: a channel that waits
//! for its secret is shown before anything can be sent to it.

mod shown;

use crate::{
    captures::Captures,
    cli::{ChannelsCommand, ChannelsForgetArguments, ChannelsShowArguments},
    config::{Config, Environment, Known},
    failure::Failure,
    output,
};
use headgate_event::limits::CAPTURES_MAX;
use headgate_webhook::{ChannelSpec, Provider};
use serde_json::json;
use shown::Shown;
use std::path::Path;

/// Shows or does what was asked for.
pub fn run(command: &ChannelsCommand, environment: &Environment) -> Result<(), Failure> {
    match command {
        ChannelsCommand::Show(arguments) => show(arguments, environment),
        ChannelsCommand::Forget(arguments) => forget(arguments, environment),
    }
}

fn load(file: &Path, environment: &Environment) -> Result<Config, Failure> {
    let known = Known::of_system(environment);
    Config::load(file, environment, &known).map_err(Failure::Configuration)
}

fn webhook<'a>(config: &'a Config, id: &str) -> Option<&'a ChannelSpec> {
    config.channels.webhooks.iter().find(|spec| spec.channel.id == id)
}

/// Makes room for what a sender hands over.
fn forget(arguments: &ChannelsForgetArguments, environment: &Environment) -> Result<(), Failure> {
    let config = load(&arguments.config, environment)?;
    let id = &arguments.id;
    if webhook(&config, id).is_none() {
        let wrong = format!("expected the id of a webhook channel, found `{id}`");
        return Err(Failure::usage(wrong));
    }
    let count = Captures::at(&config.data_dir).forget(id)?;
    output::line(&format!("{count} forgotten"))
}

fn show(arguments: &ChannelsShowArguments, environment: &Environment) -> Result<(), Failure> {
    let config = load(&arguments.config, environment)?;
    let public = config.server.public_url.as_deref().unwrap_or_default().trim_end_matches('/');
    let url = |path: &str| format!("{public}{path}{}", arguments.id);
    if let Some(shown) = Shown::find(&config, &arguments.id, url) {
        if arguments.json {
            return output::line(&shown.json().to_string());
        }
        return shown.rows().try_for_each(|(name, text)| row(name, &text));
    }
    let spec = webhook(&config, &arguments.id).ok_or_else(|| {
        let (file, id) = (arguments.config.display(), &arguments.id);
        Failure::usage(format!("expected the id of a channel of `{file}`, found `{id}`"))
    })?;
    let provider = spec.own.as_ref().or_else(|| config.providers.find(&spec.provider));
    let provider = provider.ok_or_else(|| Failure::usage("the provider is gone".to_owned()))?;
    let url = url("/v1/webhook/");
    let captured = Captures::at(&config.data_dir).of(&spec.channel.id)?;
    if arguments.json {
        return output::line(
            &json!({
                "id": spec.channel.id,
                "label": spec.channel.label,
                "provider": provider.name(),
                "url": url,
                "secrets": spec.secrets.len(),
                "settings": spec.settings.keys().collect::<Vec<_>>(),
                "handed_over": captured,
            })
            .to_string(),
        );
    }
    let mut rows = rows(spec, provider, url);
    for kept in &captured {
        rows.push(("handed over", format!("{} ({}, {})", kept.value, kept.handshake, kept.at)));
    }
    if captured.len() >= CAPTURES_MAX {
        let full =
            format!("no more is kept: `headgate channels forget {}` makes room", spec.channel.id);
        rows.push(("handed over", full));
    }
    if captured.is_empty() && provider.brings_secret() {
        rows.push(("handed over", "nothing so far".to_owned()));
    }
    rows.iter().try_for_each(|(name, text)| row(name, text))
}

fn row(name: &str, text: &str) -> Result<(), Failure> {
    output::line(&format!("{name:11}  {text}"))
}

fn rows(spec: &ChannelSpec, provider: &Provider, url: String) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("id", spec.channel.id.clone()),
        ("label", spec.channel.label.clone()),
        ("url", url),
        ("provider", format!("{} ({})", provider.name(), provider.title())),
        ("proof", provider.proof()),
        ("secrets", spec.secrets.len().to_string()),
    ];
    let settings: Vec<&str> = spec.settings.keys().map(String::as_str).collect();
    if !settings.is_empty() {
        rows.push(("settings", settings.join(", ")));
    }
    rows.extend(provider.handshakes().into_iter().map(|text| ("handshake", text)));
    rows
}
