//! What `serve` tells: where it listens, where to send a webhook, and, on a terminal, the prompt
//! of each event as it comes. Without a terminal one log line says where it listens.

use super::{
    front::{EMAIL_PATH, SLACK_PATH, WEBHOOK_PATH},
    listeners::Addresses,
    mail::MailAddresses,
};
use crate::{
    config::{Config, SlackChannel},
    output,
};
use headgate_email::smtp::MailChannel;
use headgate_queue::{Queue, Seq};
use headgate_webhook::ChannelSpec;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// Events read at one time.
const READ_EVENTS_MAX: usize = 50;
/// When so many events wait to be shown, nobody can read them: the newest is shown next.
const BEHIND_EVENTS_MAX: Seq = 500;

/// Tells of events until it is ended.
#[derive(Debug)]
pub(super) struct Announcer {
    events: Option<JoinHandle<()>>,
}

impl Announcer {
    /// Says that the gateway listens, and goes on with the events that come.
    pub(super) fn begin(config: &Config, at: Addresses, queue: &Arc<dyn Queue>) -> Self {
        tracing::info!(
            address = %at.public,
            mail_address = at.mail.plain.map(tracing::field::display),
            mail_tls_address = at.mail.immediate.map(tracing::field::display),
            api_address = at.api.map(tracing::field::display),
            data_dir = %config.data_dir.display(),
            channels = config.channels.len(),
            tls = config.tls.is_some(),
            demo = config.file.is_none(),
            version = env!("CARGO_PKG_VERSION"),
            "listening"
        );
        if !output::is_terminal() {
            return Self { events: None };
        }
        // A terminal that is gone takes nothing from a gateway.
        let _ = output::line(&welcome(config, at));
        let next = *queue.head().borrow() + 1;
        Self { events: Some(tokio::spawn(show_events(Arc::clone(queue), next))) }
    }

    /// Tells no more.
    pub(super) fn end(self) {
        if let Some(events) = self.events {
            events.abort();
        }
    }
}

async fn show_events(queue: Arc<dyn Queue>, mut next: Seq) {
    let mut head = queue.head();
    loop {
        let newest = *head.borrow_and_update();
        if newest.saturating_sub(next) > BEHIND_EVENTS_MAX {
            show(format!("({} events are not shown)\n", newest - next)).await;
            next = newest;
        }
        let stored = match queue.read(next, READ_EVENTS_MAX).await {
            Ok(stored) => stored,
            Err(error) => {
                tracing::warn!(%error, "events are not shown any more");
                return;
            }
        };
        for stored in &stored {
            show(format!("{}\n", stored.event.prompt_ready())).await;
            next = stored.seq + 1;
        }
        if stored.is_empty() && head.changed().await.is_err() {
            return;
        }
    }
}

/// A terminal may stand still (Ctrl-S); it must hold up nobody else.
async fn show(text: String) {
    // When the terminal is gone, nobody misses what it does not show.
    let _ = tokio::task::spawn_blocking(move || output::line(&text)).await;
}

/// What a person sees first.
fn welcome(config: &Config, at: Addresses) -> String {
    let scheme = |tls| if tls { "https" } else { "http" };
    let here = format!("{}://{}", scheme(config.tls.is_some()), at.public);
    let base = config.server.public_url.clone().unwrap_or_else(|| here.clone());
    let mut text = format!("headgate {}\n\nlistening on {here}\n", env!("CARGO_PKG_VERSION"));
    if let Some(api) = at.api {
        let scheme = scheme(config.server.api_speaks_tls());
        text.push_str(&format!("the API is on {scheme}://{api}\n"));
    }
    text.push_str(&format!("events are kept in {}\n", config.data_dir.display()));
    if config.channels.is_empty() {
        text.push_str("\nno channel is configured yet: headgate.example.toml shows how\n");
    }
    for channel in &config.channels.webhooks {
        text.push_str(&invitation(channel, &base));
    }
    for channel in &config.channels.slack {
        text.push_str(&slack(channel, &base));
    }
    for channel in &config.channels.mail {
        text.push_str(&mailbox(channel, at.mail));
    }
    for spec in &config.channels.inbound {
        let (id, provider) = (&spec.mail.channel.id, &spec.provider);
        let url = format!("{base}{EMAIL_PATH}{id}");
        text.push_str(&format!("\n`{id}` takes mail that {provider} hands over at {url}\n"));
    }
    if config.file.is_none() {
        text.push_str(
            "\nThis is a demo for this machine: anyone on it may send and read. \
             With a headgate.toml it becomes yours.\n",
        );
    }
    text
}

/// How to send a webhook to a channel: a line that works when it is pasted.
fn invitation(spec: &ChannelSpec, base: &str) -> String {
    let id = &spec.channel.id;
    let url = format!("{base}{WEBHOOK_PATH}{id}");
    if !spec.is_proved() {
        return format!(
            "\nsend a webhook to `{id}` (anyone may):\n\n  \
             curl -d '{{\"hello\":\"world\"}}' {url}\n"
        );
    }
    let provider = &spec.provider;
    format!(
        "\n`{id}` takes webhooks of {provider}; a signed sample, with its secret in NAME:\n\n  \
         headgate send {provider} --to {url} --secret-env NAME\n"
    )
}

/// How Slack reaches a channel.
fn slack(SlackChannel { spec, socket }: &SlackChannel, base: &str) -> String {
    let id = &spec.channel.id;
    if spec.signing_secrets.is_empty() {
        return format!("\n`{id}` receives from Slack over connections that it opens\n");
    }
    let url = format!("{base}{SLACK_PATH}{id}");
    let besides = if socket.is_some() { ", and over connections that it opens" } else { "" };
    format!(
        "\n`{id}` takes what Slack sends{besides}; a signed sample, with its secret in NAME:\n\n  \
         headgate send slack --to {url} --secret-env NAME\n"
    )
}

/// How mail reaches a channel.
fn mailbox(channel: &MailChannel, at: MailAddresses) -> String {
    let id = &channel.channel.id;
    let addresses: Vec<String> = channel.addresses.iter().map(ToString::to_string).collect();
    let text = format!("\n`{id}` takes mail for {}", addresses.join(", "));
    let to = addresses.first().map(|first| first.replace('*', "someone")).unwrap_or_default();
    match at.plain.or(at.immediate) {
        Some(at) => format!("{text}; a sample:\n\n  headgate send email --to smtp://{at}/{to}\n"),
        None => format!("{text}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Channels;
    use headgate_event::{Channel, ChannelType, Secret};
    use headgate_slack::{SigningSecret, SlackChannelSpec};
    use std::path::PathBuf;

    fn told(change: impl FnOnce(&mut Config)) -> String {
        let mut config = Config::demo();
        change(&mut config);
        let mail = MailAddresses { plain: config.mail.listen, immediate: config.mail.tls_listen };
        let api = config.server.api_listen;
        let at = Addresses { public: ([127, 0, 0, 1], 8080).into(), api, mail };
        welcome(&config, at).replace(env!("CARGO_PKG_VERSION"), "0.0.0")
    }

    #[test]
    fn a_newcomer_is_told_a_line_to_paste() {
        insta::assert_snapshot!("welcome_demo", told(|_| {}));
    }

    #[test]
    fn a_signed_channel_is_shown_at_the_address_of_the_world() {
        let text = told(|config| {
            config.file = Some(PathBuf::from("headgate.toml"));
            config.channels.mail.clear();
            config.server.public_url = Some("https://in.example.com/hooks".to_owned());
            let channel = config.channels.webhooks.first_mut().expect("the demo's channel");
            channel.provider = "github".to_owned();
            channel.secrets = vec![Secret::new("hunter2")];
        });
        insta::assert_snapshot!("welcome_signed", text);
    }

    #[test]
    fn a_slack_channel_is_shown_with_a_sample_to_send() {
        let text = told(|config| {
            config.file = Some(PathBuf::from("headgate.toml"));
            config.channels.mail.clear();
            config.channels.webhooks.clear();
            let channel = Channel::new("team", "Team", ChannelType::Slack).expect("a channel");
            let secret = SigningSecret { secret: Secret::new("hunter2"), api_app_id: None };
            let signed = SlackChannelSpec::new(channel.clone(), vec![secret]);
            let socket = SlackChannelSpec::new(channel, Vec::new());
            config.channels.slack =
                [signed, socket].map(|spec| SlackChannel { spec, socket: None }).into();
        });
        insta::assert_snapshot!("welcome_slack", text);
    }

    #[test]
    fn an_api_of_its_own_is_told_of() {
        let text = told(|config| {
            config.server.api_listen = Some(([127, 0, 0, 1], 8081).into());
        });
        assert!(text.contains("8080\nthe API is on http://127.0.0.1:8081\n"), "{text}");
    }

    #[test]
    fn without_a_channel_the_example_is_named() {
        let text = told(|config| {
            config.file = Some(PathBuf::from("headgate.toml"));
            config.channels.mail.clear();
            config.channels = Channels::default();
        });
        assert!(text.contains("headgate.example.toml"), "{text}");
    }
}
