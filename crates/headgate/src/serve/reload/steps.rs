//! What a reload can change. A part that is added to the gateway gets its line in [`all`].

use super::{Change, Step, Unfinished};
use crate::{
    config::{Config, Known},
    failure::chain,
    serve::{access, certificates, front, schedules::Timers, subscriptions},
};
use headgate_api::Api;
use headgate_http::Tls;
use headgate_queue::{Queue, Retention};
use headgate_webhook::{Providers, WebhookSource};
use std::sync::Arc;
use tokio::sync::watch;

/// The parts of the running gateway that a reload reaches.
pub(in crate::serve) struct Running {
    pub(in crate::serve) queue: Arc<dyn Queue>,
    pub(in crate::serve) webhooks: Arc<WebhookSource>,
    pub(in crate::serve) known: Known,
    pub(in crate::serve) timers: Timers,
    pub(in crate::serve) api: Api,
    pub(in crate::serve) retention: watch::Sender<Retention>,
    pub(in crate::serve) tls: Option<Tls>,
}

/// The steps in the order in which they are made: first what a disk may refuse, so that nothing
/// else has changed when it does; last who may call.
pub(super) fn all(running: &Running) -> Vec<Step> {
    vec![
        subscriptions_of(&running.queue, &running.api),
        schedules_of(&running.timers),
        channels_of(&running.webhooks, &running.known.providers, &running.api),
        retention_of(&running.retention),
        certificate_of(running.tls.as_ref()),
        api_keys_of(&running.api),
    ]
}

fn subscriptions_of(queue: &Arc<dyn Queue>, api: &Api) -> Step {
    let (queue, api) = (Arc::clone(queue), api.clone());
    step("subscriptions", move |config| {
        let (queue, api, specs) = (Arc::clone(&queue), api.clone(), config.subscriptions.clone());
        Ok(Box::pin(async move {
            let change = subscriptions::bring_in_line(&*queue, &specs);
            api.while_subscriptions_stand(change).await
        }))
    })
}

/// Unchanged schedules go on where they are, and the zone data is read anew.
fn schedules_of(timers: &Timers) -> Step {
    let timers = timers.clone();
    step("schedules", move |config| {
        let wrong = timers.check(&config.channels);
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let (timers, channels) = (timers.clone(), config.channels.cron.clone());
        let schedules = config.channels.schedules.clone();
        Ok(Box::pin(async move {
            timers.reload(channels, schedules).await.map_err(|error| Unfinished {
                changed: Vec::new(),
                cause: anyhow::anyhow!(chain(&error)),
            })
        }))
    })
}

/// Requests that are under way finish by the channel they came to.
fn channels_of(webhooks: &Arc<WebhookSource>, providers: &Arc<Providers>, api: &Api) -> Step {
    let (webhooks, providers) = (Arc::clone(webhooks), Arc::clone(providers));
    let api = api.clone();
    step("channels", move |config| {
        let specs = config.channels.webhooks.clone();
        let wrong = |spec: &headgate_webhook::ChannelSpec| {
            let errors = spec.check(&providers).err().unwrap_or_default();
            let id = spec.channel.id.clone();
            errors.into_iter().map(move |error| format!("channel `{id}`: {}", chain(&error)))
        };
        let wrong: Vec<String> = specs.iter().flat_map(wrong).collect();
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let (webhooks, providers) = (Arc::clone(&webhooks), Arc::clone(&providers));
        let (api, views) = (api.clone(), front::channel_views(&config.channels));
        Ok(Box::pin(async move {
            webhooks.replace(specs, &providers).map_err(|errors| {
                let texts: Vec<String> = errors.iter().map(|error| chain(error)).collect();
                Unfinished { changed: Vec::new(), cause: anyhow::anyhow!(texts.join("; ")) }
            })?;
            api.replace_channels(views);
            Ok(())
        }))
    })
}

fn retention_of(retention: &watch::Sender<Retention>) -> Step {
    let retention = retention.clone();
    step("queue.retention", move |config| {
        let (retention, found) = (retention.clone(), config.retention);
        Ok(Box::pin(async move {
            retention.send_if_modified(|known| std::mem::replace(known, found) != found);
            Ok(())
        }))
    })
}

/// Which files hold it is fixed; what is in them was read, and checked, with the configuration.
fn certificate_of(tls: Option<&Tls>) -> Step {
    let running = tls.cloned();
    step("certificate", move |config| {
        let pair = running.clone().zip(config.tls.clone());
        Ok(Box::pin(async move {
            if let Some((running, read)) = pair {
                running.adopt(&read);
                certificates::show_end(&running);
            }
            Ok(())
        }))
    })
}

fn api_keys_of(api: &Api) -> Step {
    let api = api.clone();
    step("api_key", move |config| {
        let (api, access) = (api.clone(), access(config));
        Ok(Box::pin(async move {
            api.replace_access(access);
            Ok(())
        }))
    })
}

fn step(
    name: &'static str,
    prepare: impl Fn(&Config) -> Result<Change, Vec<String>> + Send + Sync + 'static,
) -> Step {
    Step { name, prepare: Box::new(prepare) }
}
