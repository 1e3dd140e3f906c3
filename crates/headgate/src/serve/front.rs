//! The service of a listener: what senders send goes to its source, all else to the API.

use super::{applications, sources::Sources};
use crate::config::{Channels, SlackChannel};
use headgate_api::{Api, ChannelView};
use headgate_email::{inbound::InboundSpec, smtp::MailChannel};
use headgate_event::Channel;
use headgate_http::{Answer, Arrival, Handler, Reject, RequestId};
use headgate_webhook::ChannelSpec;
use http::{Request, StatusCode};
use http_body_util::Either;
use hyper::body::Incoming;
use std::convert::Infallible;
use tower::Service;

/// Where webhooks are sent.
pub(super) const WEBHOOK_PATH: &str = "/v1/webhook/";
/// Where Slack sends.
pub(super) const SLACK_PATH: &str = "/v1/slack/";
/// Where providers of inbound mail send.
pub(super) const EMAIL_PATH: &str = "/v1/email/";
/// What a load balancer asks, on every listener.
const HEALTH_PATH: &str = "/healthz";

/// Which part of the gateway a listener has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// What senders reach: the sources, and whether it is alive.
    Sources,
    /// What consumers and operators reach.
    Api,
}

/// The service that every connection of a listener is given.
pub(super) fn service(sources: Sources, api: Api, part: Part) -> impl Handler {
    let router = headgate_api::router(api);
    tower::service_fn(move |request: Request<Incoming>| {
        let sources = sources.clone();
        let mut router = router.clone();
        // On the heap, because a future of all branches is large and moves often.
        Box::pin(async move {
            let path = request.uri().path();
            if part != Part::Api && path.starts_with(WEBHOOK_PATH) {
                return Ok::<_, Infallible>(
                    sources.webhooks.answer(request).await.map(Either::Left),
                );
            }
            if part != Part::Api && path.starts_with(SLACK_PATH) {
                return Ok(sources.slack.answer(request).await.map(Either::Left));
            }
            if part != Part::Api && path.starts_with(EMAIL_PATH) {
                return Ok(sources.inbound.answer(request).await.map(Either::Left));
            }
            if part == Part::Sources && path != HEALTH_PATH {
                return Ok(not_here(&request).map(Either::Left));
            }
            Ok(router.call(request).await?.map(Either::Right))
        })
    })
}

fn not_here<B>(request: &Request<B>) -> Answer {
    let unknown = || RequestId::new("none");
    let id = Arrival::of(request).map_or_else(unknown, |arrival| arrival.request_id.clone());
    let message = "only what senders send is taken here";
    Reject::new(StatusCode::NOT_FOUND, "not_found", message).answer(&id)
}

/// The channels as the API shows them, by id.
pub(super) fn channel_views(channels: &Channels) -> Vec<ChannelView> {
    let mut views: Vec<ChannelView> = channels.webhooks.iter().map(webhook).collect();
    views.extend(channels.mail.iter().map(mail));
    views.extend(channels.inbound.iter().map(inbound));
    views.extend(channels.slack.iter().map(slack));
    views.extend(channels.cron.iter().map(|channel| internal(channel)));
    views.push(applications::view());
    views.sort_by(|a, b| a.channel.id.cmp(&b.channel.id));
    views
}

/// A channel that no one outside sends to.
fn internal(channel: &Channel) -> ChannelView {
    ChannelView {
        channel: channel.clone(),
        provider: None,
        verification: "internal".to_owned(),
        path: None,
    }
}

/// Mail comes to addresses and not to a path; it is verified by what its channel asks for.
fn mail(channel: &MailChannel) -> ChannelView {
    ChannelView {
        channel: (*channel.channel).clone(),
        provider: None,
        verification: channel.terms.require.name().to_owned(),
        path: None,
    }
}

/// Whoever hands mail over proves itself; the author of a message is another question.
fn inbound(spec: &InboundSpec) -> ChannelView {
    ChannelView {
        provider: Some(spec.provider.clone()),
        path: Some(format!("{EMAIL_PATH}{}", spec.mail.channel.id)),
        ..mail(&spec.mail)
    }
}

fn slack(SlackChannel { spec, socket }: &SlackChannel) -> ChannelView {
    let over_http = !spec.signing_secrets.is_empty();
    let verification = match (over_http, socket) {
        (true, Some(_)) => "slack, slack_socket",
        (false, Some(_)) => "slack_socket",
        (_, None) => "slack",
    };
    ChannelView {
        channel: spec.channel.clone(),
        provider: None,
        verification: verification.to_owned(),
        path: over_http.then(|| format!("{SLACK_PATH}{}", spec.channel.id)),
    }
}

fn webhook(spec: &ChannelSpec) -> ChannelView {
    let signed = spec.is_proved();
    ChannelView {
        channel: spec.channel.clone(),
        provider: signed.then(|| spec.provider.clone()),
        verification: if signed { spec.provider.clone() } else { "none".to_owned() },
        path: Some(format!("{WEBHOOK_PATH}{}", spec.channel.id)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use headgate_event::{ChannelType, Secret};
    use headgate_slack::{
        SigningSecret, SlackChannelSpec,
        socket::{SLACK_API, SocketSpec},
    };

    /// How a Slack channel is shown: its verification and its path.
    fn shown(over_http: bool, over_socket: bool) -> (String, Option<String>) {
        let channel = Channel::new("team", "Team", ChannelType::Slack).expect("a channel");
        let secret = SigningSecret { secret: Secret::new("s"), api_app_id: None };
        let secrets = if over_http { vec![secret] } else { Vec::new() };
        let socket = over_socket.then(|| SocketSpec {
            channel: "team".to_owned(),
            app_token: Secret::new("xapp-1"),
            api: SLACK_API.to_owned(),
        });
        let spec = SlackChannelSpec::new(channel, secrets);
        let view = slack(&SlackChannel { spec, socket });
        (view.verification, view.path)
    }

    #[test]
    fn a_slack_channel_shows_each_way_in() {
        let path = Some("/v1/slack/team".to_owned());
        assert_eq!(shown(true, false), ("slack".to_owned(), path.clone()));
        assert_eq!(shown(false, true), ("slack_socket".to_owned(), None));
        assert_eq!(shown(true, true), ("slack, slack_socket".to_owned(), path));
    }
}
