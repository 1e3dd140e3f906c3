//! One service for the one listener: webhooks go to their source, all else to the API.

use headgate_api::{Api, ChannelView};
use headgate_http::Handler;
use headgate_webhook::{ChannelSpec, WebhookSource};
use http::Request;
use http_body_util::Either;
use hyper::body::Incoming;
use std::{convert::Infallible, sync::Arc};
use tower::Service;

/// Where webhooks are sent.
pub(super) const WEBHOOK_PATH: &str = "/v1/webhook/";

/// The service that every connection is given.
pub(super) fn service(webhooks: Arc<WebhookSource>, api: Api) -> impl Handler {
    let router = headgate_api::router(api);
    tower::service_fn(move |request: Request<Incoming>| {
        let webhooks = Arc::clone(&webhooks);
        let mut router = router.clone();
        // On the heap, because a future of both branches is large and moves often.
        Box::pin(async move {
            if request.uri().path().starts_with(WEBHOOK_PATH) {
                return Ok::<_, Infallible>(webhooks.answer(request).await.map(Either::Left));
            }
            Ok(router.call(request).await?.map(Either::Right))
        })
    })
}

/// A channel as the API shows it.
pub(super) fn channel_view(spec: &ChannelSpec) -> ChannelView {
    let signed = !spec.secrets.is_empty();
    ChannelView {
        channel: spec.channel.clone(),
        provider: signed.then(|| spec.provider.clone()),
        verification: if signed { spec.provider.clone() } else { "none".to_owned() },
        path: Some(format!("{WEBHOOK_PATH}{}", spec.channel.id)),
    }
}
