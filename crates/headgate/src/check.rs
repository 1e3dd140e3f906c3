//! `headgate check`: all that is wrong with a configuration, or what it amounts to.

use crate::{
    cli::CheckArguments,
    config::{Config, Environment, Known, Problems, SlackChannel},
    failure::Failure,
    output,
};
use headgate_email::smtp::MailChannel;
use serde_json::{Value, json};
use std::net::SocketAddr;

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
    let mail = &config.mail;
    for (listen, how) in [(mail.listen, ""), (mail.tls_listen, " with TLS")] {
        if let Some(at) = listen {
            text.push_str(&format!("mail          {at}{how}, as {}\n", mail.hostname));
        }
    }
    for channel in &config.channels.webhooks {
        let proof = if !channel.is_proved() { "not verified" } else { &channel.provider };
        text.push_str(&format!("channel       {} ({proof})\n", channel.channel.id));
    }
    for channel in &config.channels.mail {
        let (id, addresses) = (&channel.channel.id, addresses(channel).join(", "));
        text.push_str(&format!("channel       {id} (mail to {addresses})\n"));
    }
    for spec in &config.channels.inbound {
        let (id, provider) = (&spec.mail.channel.id, &spec.provider);
        text.push_str(&format!("channel       {id} (mail from {provider})\n"));
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
    for doubt in config.doubts() {
        text.push_str(&format!("\nwarning: {doubt}"));
    }
    text.trim_end().to_owned()
}

fn addresses(channel: &MailChannel) -> Vec<String> {
    channel.addresses.iter().map(ToString::to_string).collect()
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
            "verified": channel.is_proved(),
        })
    });
    let mail = config.channels.mail.iter().map(|channel| {
        let (id, require) = (&channel.channel.id, channel.terms.require.name());
        json!({"id": id, "type": "email", "addresses": addresses(channel), "require": require})
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
    let inbound = config.channels.inbound.iter().map(|spec| {
        let (id, require) = (&spec.mail.channel.id, spec.mail.terms.require.name());
        json!({
            "id": id,
            "type": "email",
            "provider": spec.provider,
            "addresses": addresses(&spec.mail),
            "require": require,
        })
    });
    let channels = webhooks.chain(mail).chain(inbound).chain(slack).chain(cron);
    json!({
        "ok": true,
        "listen": config.server.listen.to_string(),
        "api_listen": config.server.api_listen.map(|address| address.to_string()),
        "trusted_proxies": proxies(config),
        "public_url": config.server.public_url,
        "mail": mail_listeners(config),
        "data_dir": config.data_dir,
        "api_keys": config.api_keys.iter().map(|key| key.name.as_str()).collect::<Vec<_>>(),
        "channels": channels.collect::<Vec<_>>(),
        "subscriptions": config.subscriptions,
        "warnings": config.doubts(),
    })
}

fn mail_listeners(config: &Config) -> Value {
    let mail = &config.mail;
    let at = |address: Option<SocketAddr>| address.map(|address| address.to_string());
    json!({
        "listen": at(mail.listen),
        "tls_listen": at(mail.tls_listen),
        "hostname": mail.hostname,
        "starttls": mail.starttls.name(),
        "resolver": mail.resolver.shown(),
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
