//! Pushes in the running gateway: told by the configuration and the API, and pausing what is gone.

use crate::config::Config;
use headgate_api::Api;
use headgate_event::{BoxFuture, Clock};
use headgate_push::{Configured, Pauser, PushPorts};
use headgate_queue::{Embedded, Queue, QueueError};
use std::sync::Arc;

/// What a configuration says of pushes.
pub(super) fn configured(config: &Config) -> Configured {
    Configured { credentials: config.push.clone(), reach: config.server.push_reach }
}

/// What pushes need of the gateway.
pub(super) fn ports(queue: &Arc<Embedded>, api: &Api, clock: &Arc<dyn Clock>) -> PushPorts {
    let pauser = OverApi { queue: Arc::clone(queue), api: api.clone() };
    let serving = api.clone();
    PushPorts {
        queue: Arc::clone(queue) as _,
        pauser: Arc::new(pauser),
        clock: Arc::clone(clock),
        present: Arc::new(move |event| serving.served(event)),
    }
}

/// Pauses a subscription in its turn among the calls of the API that change one.
struct OverApi {
    queue: Arc<Embedded>,
    api: Api,
}

impl Pauser for OverApi {
    fn pause(&self, subscription: &str, url: &str) -> BoxFuture<'_, Result<bool, QueueError>> {
        let (name, url) = (subscription.to_owned(), url.to_owned());
        Box::pin(async move {
            let pause = async {
                let all = self.queue.subscriptions().await?;
                let unknown = || QueueError::UnknownSubscription { name: name.clone() };
                let known = all.into_iter().find(|status| status.spec.name == name);
                let mut spec = known.ok_or_else(unknown)?.spec;
                if spec.push.as_ref().is_none_or(|push| push.url != url) {
                    return Ok(false);
                }
                spec.paused = true;
                self.queue.put_subscription(spec).await.map(|_| true)
            };
            self.api.while_subscriptions_stand(pause).await
        })
    }
}
