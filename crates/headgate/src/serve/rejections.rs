//! The quarantine in the gateway: opened, filled by the sources, shown to admins, and the way back
//! from it to the source that refused.

mod inbound;

use super::sources::Sources;
use crate::config::Config;
use anyhow::Context;
use headgate_api::{Rejections, Releaser, Releasing, Unreleased};
use headgate_event::{Accepted, BoxFuture, ChannelType, Clock};
use headgate_http::{RawRequest, Reject, RejectionSink};
use headgate_quarantine::{Kept, Quarantine};
use http::Method;
use serde_json::{
    json,
    value::{RawValue, to_raw_value},
};
use std::sync::Arc;

/// The folder of the quarantine in `data_dir`.
const FOLDER: &str = "quarantine";

/// Opens the quarantine, unless it is switched off.
pub(super) fn open(
    config: &Config,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Option<Arc<Quarantine>>> {
    let Some(bounds) = config.quarantine else { return Ok(None) };
    let folder = config.data_dir.join(FOLDER);
    let opened = Quarantine::open(&folder, bounds, Arc::clone(clock));
    opened.map(|quarantine| Some(Arc::new(quarantine))).context("cannot keep what is refused")
}

/// The quarantine as sources see it.
pub(super) fn sink(quarantine: Option<&Arc<Quarantine>>) -> Option<Arc<dyn RejectionSink>> {
    quarantine.map(|quarantine| Arc::clone(quarantine) as Arc<dyn RejectionSink>)
}

/// The quarantine as the API shows it.
pub(super) fn for_admins(
    quarantine: Option<&Arc<Quarantine>>,
    sources: &Sources,
) -> Option<Rejections> {
    quarantine.map(|quarantine| Rejections {
        quarantine: Arc::clone(quarantine),
        releaser: Arc::new(sources.clone()),
    })
}

/// A rejection whose bytes are kept, by the type of the channel that refused it.
enum Refusal {
    Webhook(RawRequest),
    Slack(RawRequest),
    Mail(RawRequest),
    Inbound(RawRequest),
}

impl Refusal {
    fn of(rejection: &Kept) -> Option<Self> {
        let (source, request) = (&rejection.summary.source, rejection.request()?);
        match source {
            _ if *source == ChannelType::Webhook.to_string() => Some(Self::Webhook(request)),
            // What came by SMTP has a method of its own.
            _ if *source == ChannelType::Email.to_string() => Some(match request.method {
                Method::POST => Self::Inbound(request),
                _ => Self::Mail(request),
            }),
            _ if *source == ChannelType::Slack.to_string() => Some(Self::Slack(request)),
            _ => None,
        }
    }
}

impl Releaser for Sources {
    fn release(
        &self,
        rejection: Kept,
        how: Releasing,
    ) -> BoxFuture<'_, Result<Option<Accepted>, Unreleased>> {
        Box::pin(async move {
            match Refusal::of(&rejection).ok_or(Unreleased::UnknownChannel)? {
                Refusal::Webhook(request) => self.release_webhook(&rejection, request, how).await,
                Refusal::Slack(request) => self.release_slack(&rejection, request, how).await,
                Refusal::Mail(request) => self.release_mail(&rejection, request, how).await,
                Refusal::Inbound(request) => self.release_inbound(&rejection, request, how).await,
            }
        })
    }

    fn explain(&self, rejection: Kept) -> BoxFuture<'_, Option<Box<RawValue>>> {
        Box::pin(async move {
            let channel = &rejection.summary.channel;
            match Refusal::of(&rejection)? {
                Refusal::Webhook(request) => {
                    to_raw_value(&self.webhooks.explain(channel, request).await?).ok()
                }
                Refusal::Slack(request) => self.explain_slack(channel, request),
                Refusal::Mail(request) => self.explain_mail(channel, request).await,
                Refusal::Inbound(request) => self.explain_inbound(channel, request).await,
            }
        })
    }
}

impl Sources {
    async fn release_webhook(
        &self,
        rejection: &Kept,
        request: RawRequest,
        how: Releasing,
    ) -> Result<Option<Accepted>, Unreleased> {
        use headgate_webhook::{AgeRule, NotReleased};
        let age = if how.ignore_age { AgeRule::Any } else { AgeRule::Channel };
        let channel = &rejection.summary.channel;
        let released = if how.dry_run {
            self.webhooks.try_release(channel, request, age).await.map(|()| None)
        } else {
            let id = rejection.summary.id.to_string();
            self.webhooks.release(channel, request, age, &id).await.map(Some)
        };
        released.map_err(|why| match why {
            NotReleased::UnknownChannel => Unreleased::UnknownChannel,
            NotReleased::Refused(reject) => refused(&reject),
            NotReleased::NotStored(reject) => not_stored(&reject),
        })
    }

    async fn release_slack(
        &self,
        rejection: &Kept,
        request: RawRequest,
        how: Releasing,
    ) -> Result<Option<Accepted>, Unreleased> {
        use headgate_slack::{AgeRule, NotReleased};
        let age = if how.ignore_age { AgeRule::Any } else { AgeRule::Channel };
        let channel = &rejection.summary.channel;
        let released = if how.dry_run {
            self.slack.try_release(channel, request, age).map(|()| None)
        } else {
            let id = rejection.summary.id.to_string();
            self.slack.release(channel, request, age, &id).await.map(Some)
        };
        released.map_err(|why| match why {
            NotReleased::UnknownChannel => Unreleased::UnknownChannel,
            NotReleased::Refused(reject) => refused(&reject),
            NotReleased::NotStored(reject) => not_stored(&reject),
            NotReleased::NoEvent => Unreleased::NoEvent,
        })
    }

    /// A message has no signed time whose age could be judged: it is looked at as of when it came.
    async fn release_mail(
        &self,
        rejection: &Kept,
        request: RawRequest,
        how: Releasing,
    ) -> Result<Option<Accepted>, Unreleased> {
        use headgate_email::NotReleased;
        let channel = &rejection.summary.channel;
        let released = if how.dry_run {
            self.mail.try_release(channel, request).await.map(|()| None)
        } else {
            let id = rejection.summary.id.to_string();
            self.mail.release(channel, request, &id).await.map(Some)
        };
        released.map_err(|why| match why {
            NotReleased::UnknownChannel => Unreleased::UnknownChannel,
            NotReleased::NoMessage => Unreleased::NoEvent,
            NotReleased::Refused(reject) => refused(&reject),
            NotReleased::NotStored(reject) => not_stored(&reject),
        })
    }

    async fn explain_mail(&self, channel: &str, request: RawRequest) -> Option<Box<RawValue>> {
        use headgate_email::NotReleased;
        let explained = match self.mail.try_release(channel, request).await {
            Ok(()) => json!({"verified": true, "provider": null}),
            Err(NotReleased::Refused(reject) | NotReleased::NotStored(reject)) => json!({
                "verified": false,
                "provider": null,
                "code": reject.code(),
                "message": reject.message(),
                "cause": reject.cause(),
            }),
            Err(NotReleased::UnknownChannel | NotReleased::NoMessage) => return None,
        };
        to_raw_value(&explained).ok()
    }

    /// Slack has one way to sign, so what is wrong is one thing.
    fn explain_slack(&self, channel: &str, request: RawRequest) -> Option<Box<RawValue>> {
        use headgate_slack::{AgeRule, NotReleased};
        let explained = match self.slack.try_release(channel, request, AgeRule::Channel) {
            Ok(()) | Err(NotReleased::NoEvent) => json!({"verified": true, "provider": "slack"}),
            Err(NotReleased::Refused(reject) | NotReleased::NotStored(reject)) => json!({
                "verified": false,
                "provider": "slack",
                "code": reject.code(),
                "message": reject.message(),
            }),
            Err(NotReleased::UnknownChannel) => return None,
        };
        to_raw_value(&explained).ok()
    }
}

fn refused(reject: &Reject) -> Unreleased {
    Unreleased::Refused { code: reject.code().to_owned(), message: reject.message().to_owned() }
}

fn not_stored(reject: &Reject) -> Unreleased {
    Unreleased::NotStored { cause: reject.to_string() }
}
