//! `headgate check`: all that is wrong with a configuration, or what it amounts to.

use crate::{
    cli::CheckArguments,
    config::{Config, Environment, Known, Problems, SlackChannel},
    failure::Failure,
    output,
};
use serde_json::{Value, json};

/// Reads the configuration and says what it found.
pub fn run(arguments: &CheckArguments, environment: &Environment) -> Result<(), Failure> {
    let file = &arguments.config;
    match (Config::load(file, environment, &Known::of_system(environment)), arguments.json) {
        (Ok(config), true) => output::line(&summary(&config).to_string()),
        (Ok(config), false) => output::line(&told(&config)),
        (Err(problems), true) => {
            output::line(&listed(&problems).to_string())?;
            Err(Failure::Configuration(problems))
        }
        (Err(problems), false) => Err(Failure::Configuration(problems)),
    }
}

fn told(config: &Config) -> String {
    let mut text = format!(
        "the configuration is right\n\n\
         listen        {}\n\
         data          {}\n\
         API keys      {}\n",
        config.server.listen,
        config.data_dir.display(),
        names(config.api_keys.iter().map(|key| key.name.as_str())),
    );
    if let Some(api) = config.server.api_listen {
        text.push_str(&format!("API           {api}\n"));
    }
    if !config.server.trusted_proxies.is_empty() {
        text.push_str(&format!("proxies       {}\n", proxies(config).join(", ")));
    }
    for channel in &config.channels.webhooks {
        let proof = if channel.secrets.is_empty() { "not verified" } else { &channel.provider };
        text.push_str(&format!("channel       {} ({proof})\n", channel.channel.id));
    }
    for SlackChannel { spec, socket } in &config.channels.slack {
        let by = if socket.is_some() { "slack, Socket Mode" } else { "slack" };
        text.push_str(&format!("channel       {} ({by})\n", spec.channel.id));
    }
    for channel in &config.channels.cron {
        text.push_str(&format!("channel       {} (cron)\n", channel.id));
    }
    for subscription in &config.subscriptions {
        let from = &subscription.selection.channels;
        let from = names(from.iter().map(String::as_str)).replace("none", "all channels");
        text.push_str(&format!("subscription  {} (from {from})\n", subscription.name));
    }
    text.trim_end().to_owned()
}

fn proxies(config: &Config) -> Vec<String> {
    config.server.trusted_proxies.iter().map(ToString::to_string).collect()
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn summary(config: &Config) -> Value {
    let webhooks = config.channels.webhooks.iter().map(|channel| {
        json!({
            "id": channel.channel.id,
            "type": "webhook",
            "provider": channel.provider,
            "verified": !channel.secrets.is_empty(),
        })
    });
    let slack = config.channels.slack.iter().map(|SlackChannel { spec, socket }| {
        let (id, socket_mode) = (&spec.channel.id, socket.is_some());
        json!({"id": id, "type": "slack", "verified": true, "socket_mode": socket_mode})
    });
    let cron = config
        .channels
        .cron
        .iter()
        .map(|channel| json!({"id": channel.id, "type": "cron", "verified": true}));
    let channels = webhooks.chain(slack).chain(cron);
    json!({
        "ok": true,
        "listen": config.server.listen.to_string(),
        "api_listen": config.server.api_listen.map(|address| address.to_string()),
        "trusted_proxies": proxies(config),
        "public_url": config.server.public_url,
        "data_dir": config.data_dir,
        "api_keys": config.api_keys.iter().map(|key| key.name.as_str()).collect::<Vec<_>>(),
        "channels": channels.collect::<Vec<_>>(),
        "subscriptions": config.subscriptions,
    })
}

fn listed(problems: &Problems) -> Value {
    let each = problems.problems.iter().map(|problem| {
        json!({
            "file": problems.file,
            "line": problem.line,
            "column": problem.column,
            "key": problem.key,
            "message": problem.text,
        })
    });
    json!({ "ok": false, "problems": each.collect::<Vec<_>>() })
}
