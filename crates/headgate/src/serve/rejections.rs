//! The quarantine in the gateway: opened, filled by the sources, shown to admins, and the way back
//! from it to the source that refused.

use crate::config::Config;
use anyhow::Context;
use headgate_api::{Rejections, Releaser, Releasing, Unreleased};
use headgate_event::{Accepted, BoxFuture, ChannelType, Clock};
use headgate_http::RejectionSink;
use headgate_quarantine::{Kept, Quarantine};
use headgate_webhook::{AgeRule, NotReleased, WebhookSource};
use serde_json::value::{RawValue, to_raw_value};
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
    webhooks: &Arc<WebhookSource>,
) -> Option<Rejections> {
    quarantine.map(|quarantine| Rejections {
        quarantine: Arc::clone(quarantine),
        releaser: Arc::new(Sources { webhooks: Arc::clone(webhooks) }),
    })
}

/// Who verifies a rejection again: the source of its kind.
struct Sources {
    webhooks: Arc<WebhookSource>,
}

impl Releaser for Sources {
    fn release(
        &self,
        rejection: Kept,
        how: Releasing,
    ) -> BoxFuture<'_, Result<Option<Accepted>, Unreleased>> {
        Box::pin(async move {
            let request = webhook(&rejection).ok_or(Unreleased::UnknownChannel)?;
            let age = if how.ignore_age { AgeRule::Any } else { AgeRule::Channel };
            let channel = &rejection.summary.channel;
            let released = if how.dry_run {
                self.webhooks.try_release(channel, request, age).await.map(|()| None)
            } else {
                let id = rejection.summary.id.to_string();
                self.webhooks.release(channel, request, age, &id).await.map(Some)
            };
            released.map_err(unreleased)
        })
    }

    fn explain(&self, rejection: Kept) -> BoxFuture<'_, Option<Box<RawValue>>> {
        Box::pin(async move {
            let request = webhook(&rejection)?;
            let explained = self.webhooks.explain(&rejection.summary.channel, request).await?;
            to_raw_value(&explained).ok()
        })
    }
}

/// The request of a rejection that a webhook channel refused.
fn webhook(rejection: &Kept) -> Option<headgate_http::RawRequest> {
    let ours = rejection.summary.source == ChannelType::Webhook.to_string();
    rejection.request().filter(|_| ours)
}

fn unreleased(why: NotReleased) -> Unreleased {
    match why {
        NotReleased::UnknownChannel => Unreleased::UnknownChannel,
        NotReleased::Refused(reject) => Unreleased::Refused {
            code: reject.code().to_owned(),
            message: reject.message().to_owned(),
        },
        NotReleased::NotStored(reject) => Unreleased::NotStored { cause: reject.to_string() },
    }
}
