//! The way back from the quarantine for what providers of mail handed over.

use super::{Sources, not_stored, refused};
use headgate_api::{Releasing, Unreleased};
use headgate_email::inbound::{AgeRule, NotReleased};
use headgate_event::Accepted;
use headgate_http::RawRequest;
use headgate_quarantine::Kept;
use serde_json::{
    json,
    value::{RawValue, to_raw_value},
};

impl Sources {
    pub(super) async fn release_inbound(
        &self,
        rejection: &Kept,
        request: RawRequest,
        how: Releasing,
    ) -> Result<Option<Accepted>, Unreleased> {
        let age = if how.ignore_age { AgeRule::Any } else { AgeRule::Channel };
        let channel = &rejection.summary.channel;
        let released = if how.dry_run {
            self.inbound.try_release(channel, request, age).await.map(|()| None)
        } else {
            let id = rejection.summary.id.to_string();
            self.inbound.release(channel, request, age, &id).await.map(Some)
        };
        released.map_err(|why| match why {
            NotReleased::UnknownChannel => Unreleased::UnknownChannel,
            NotReleased::Refused(reject) => refused(&reject),
            NotReleased::NotStored(reject) => not_stored(&reject),
        })
    }

    pub(super) async fn explain_inbound(
        &self,
        channel: &str,
        request: RawRequest,
    ) -> Option<Box<RawValue>> {
        let explained = match self.inbound.try_release(channel, request, AgeRule::Channel).await {
            Ok(()) => json!({"verified": true, "provider": null}),
            Err(NotReleased::Refused(reject) | NotReleased::NotStored(reject)) => json!({
                "verified": false,
                "provider": null,
                "code": reject.code(),
                "message": reject.message(),
                "cause": reject.cause(),
            }),
            Err(NotReleased::UnknownChannel) => return None,
        };
        to_raw_value(&explained).ok()
    }
}
