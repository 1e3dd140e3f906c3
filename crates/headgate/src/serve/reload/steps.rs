//! What a reload can change. A part that is added to the gateway gets its line in [`all`].

use super::{Change, Step, Unfinished};
use crate::{
    config::{Config, Known},
    failure::chain,
    serve::{
        access, certificates, front, pushes, schedules::Timers, sources::Sources, subscriptions,
    },
};
use headgate_api::Api;
use headgate_http::Tls;
use headgate_push::Pushes;
use headgate_queue::{Queue, Retention};
use std::{error::Error, sync::Arc};
use tokio::sync::watch;

/// The parts of the running gateway that a reload reaches.
pub(in crate::serve) struct Running {
    pub(in crate::serve) queue: Arc<dyn Queue>,
    pub(in crate::serve) sources: Sources,
    pub(in crate::serve) known: Known,
    pub(in crate::serve) timers: Timers,
    pub(in crate::serve) api: Api,
    pub(in crate::serve) pushes: Pushes,
    pub(in crate::serve) retention: watch::Sender<Retention>,
    pub(in crate::serve) tls: Option<Tls>,
}

/// The steps in the order in which they are made: first what a disk may refuse, so that nothing
/// else has changed when it does; last who may call.
pub(super) fn all(running: &Running) -> Vec<Step> {
    vec![
        subscriptions_of(running),
        schedules_of(&running.timers),
        channels_of(&running.sources, &running.api),
        retention_of(&running.retention),
        certificate_of(running.tls.as_ref()),
        catalog_of(&running.api),
        api_keys_of(&running.api),
    ]
}

fn subscriptions_of(running: &Running) -> Step {
    let (queue, api) = (Arc::clone(&running.queue), running.api.clone());
    let pushes = running.pushes.clone();
    step("subscriptions", move |config| {
        let (queue, api, specs) = (Arc::clone(&queue), api.clone(), config.subscriptions.clone());
        let (pushes, configured) = (pushes.clone(), pushes::configured(config));
        Ok(Box::pin(async move {
            pushes.expect(&configured);
            let change = subscriptions::bring_in_line(&*queue, &specs);
            // Where a disk refuses some, both stay in force: each by the URL that it has.
            let brought = api.while_subscriptions_stand(change).await;
            match &brought {
                Ok(()) => pushes.configure(configured),
                Err(_) => pushes.changed(),
            }
            brought
        }))
    })
}

/// Unchanged schedules go on where they are.
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
fn channels_of(sources: &Sources, api: &Api) -> Step {
    let (sources, api) = (sources.clone(), api.clone());
    step("channels", move |config| {
        let (channels, providers) = (config.channels.clone(), Arc::clone(&config.providers));
        let (webhooks, slack) = (channels.webhooks.clone(), channels.slack_specs());
        let (mail, inbound) = (channels.mail.clone(), channels.inbound.clone());
        let mut wrong = Vec::new();
        for spec in &webhooks {
            let errors = spec.check(&providers).err().unwrap_or_default();
            wrong.extend(errors.iter().map(|error| in_channel(&spec.channel.id, error)));
        }
        for spec in channels.slack.iter().map(|channel| &channel.spec) {
            let errors = spec.clone().prepare().err().unwrap_or_default();
            wrong.extend(errors.iter().map(|error| in_channel(&spec.channel.id, error)));
        }
        for spec in &inbound {
            let errors = spec.check().err().unwrap_or_default();
            wrong.extend(errors.iter().map(|error| in_channel(&spec.mail.channel.id, error)));
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let sources = sources.clone();
        let (api, views) = (api.clone(), front::channel_views(&config.channels));
        Ok(Box::pin(async move {
            sources
                .sockets
                .adopt(&channels)
                .map_err(|cause| Unfinished { changed: Vec::new(), cause })?;
            let webhooks = sources.webhooks.replace(webhooks, &providers);
            webhooks.map_err(|errors| not_taken(&errors, &["connections to Slack"]))?;
            let slack = sources.slack.replace(slack);
            slack.map_err(|errors| {
                not_taken(&errors, &["connections to Slack", "webhook channels"])
            })?;
            let inbound = sources.inbound.replace(inbound);
            inbound.map_err(|errors| {
                let changed = ["connections to Slack", "webhook channels", "Slack channels"];
                not_taken(&errors, &changed)
            })?;
            sources.mail.replace(mail);
            api.replace_channels(views);
            Ok(())
        }))
    })
}

fn in_channel(id: &str, error: &dyn Error) -> String {
    format!("channel `{id}`: {}", chain(error))
}

/// A source knows of something that was not looked for, when this had changed already.
fn not_taken(errors: &[impl Error], changed: &[&str]) -> Unfinished {
    let texts: Vec<String> = errors.iter().map(|error| chain(error)).collect();
    let changed = changed.iter().map(|&part| part.to_owned()).collect();
    Unfinished { changed, cause: anyhow::anyhow!(texts.join("; ")) }
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

/// Events that were emitted before stay what they are.
fn catalog_of(api: &Api) -> Step {
    let api = api.clone();
    step("catalog", move |config| {
        let (api, catalog) = (api.clone(), Arc::new(config.catalog.clone()));
        Ok(Box::pin(async move {
            api.replace_catalog(catalog);
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
