//! `headgate serve`: the gateway from its start to its stop, top to bottom.

mod announce;
mod applications;
mod authenticator;
mod certificates;
mod configuration;
mod front;
mod listeners;
mod mail;
mod pushes;
mod rejections;
mod reload;
mod retention;
mod schedules;
mod sockets;
mod sources;
mod storage;
mod subscriptions;
mod supervisor;

pub use authenticator::of_system as system_dns;

use crate::{
    captures::Captures,
    cli::ServeArguments,
    clock::SystemClock,
    config::{Config, Environment, Known, Server},
    failure::Failure,
    fetcher::Fetcher,
    open_files,
    signals::{Hangups, Signals},
    telemetry,
};
use announce::Announcer;
use anyhow::Context;
use certificates::Certificates;
use headgate_api::{
    Access, Api, ApiOptions, AppOptions, Links, Measure, Readiness, Reception, StreamRules,
};
use headgate_event::{Clock, prompt::PromptKey};
use headgate_http::{BodyBound, DrainReport, Intake, IntakeOptions, TrustedProxies};
use headgate_push::Pushes;
use headgate_quarantine::Quarantine;
use headgate_queue::{Embedded, Queue};
use headgate_webhook::{Fetched, Ports};
use listeners::{Addresses, Listeners};
use mail::Hearing;
use metrics_exporter_prometheus::PrometheusHandle;
use reload::{Reloader, Running};
use schedules::Timers;
use sources::{OfMail, Sources};
use std::{borrow::Cow, sync::Arc, time::Duration};
use storage::Storage;
use tokio::sync::watch;

/// How long open streams may take to say goodbye, once requests are finished.
const STREAMS_TIMEOUT: Duration = Duration::from_secs(5);
/// How long closing the queue may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// What `/metrics` shows.
struct Shown {
    metrics: PrometheusHandle,
    measure: Measure,
}

/// Runs the gateway until a signal asks it to stop.
pub async fn run(arguments: &ServeArguments, environment: &Environment) -> Result<(), Failure> {
    let known = Known::of_system(environment);
    let config = configuration::read(arguments, environment, &known)?;
    config.tell_doubts();
    let (signals, hangups) = (Signals::listen()?, Hangups::listen()?);
    let metrics = telemetry::record_metrics()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    open_files::allow(config.server.connections_max() + config.mail.connections_max());
    let storage = storage::open(&config, &clock).await?;
    let queue = Arc::clone(&storage.queue);
    subscriptions::bring_in_line(&*queue, &config.subscriptions).await.map_err(|it| it.cause)?;
    let quarantine = rejections::open(&config, &clock)?;
    let timers = Timers::open(&config, &storage, &known.calendar, &clock).await?;
    let ports = ports(&config, &storage, &clock, quarantine.as_ref())?;
    let bodies = ports.intake.bound();
    let of_mail = of_mail(&config, &storage)?;
    let sources = Sources::open(&config.channels, &config.providers, ports, of_mail)?;
    let listeners = Listeners::bind(&config).await?;
    let (stop, stopping) = watch::channel(false);
    let app = applications::options(&config, &storage);
    let shown = Shown { metrics, measure: storage.measure };
    let mut options =
        api_options(&config, &storage.embedded, &clock, (shown, app, bodies), stopping.clone());
    let pushes = Pushes::new(Arc::clone(&storage.embedded) as _, pushes::configured(&config));
    options.pushes = Some(pushes.clone());
    options.readiness = readiness(&signals, &sources, &timers);
    options.rejections = rejections::for_admins(quarantine.as_ref(), &sources);
    options.backups = storage.backups;
    options.schedules = Some(timers.api());
    options.zones = Some(timers.zones());
    options.links = Some(links(&config, &storage.prompt_key, listeners.addresses()?));
    let api = Api::new(options);

    let push_ports = pushes::ports(&storage.embedded, &api, &clock);
    let certificates = Certificates::begin(config.tls.as_ref(), &clock);
    let announcer = Announcer::begin(&config, listeners.addresses()?, &queue);
    let retention = watch::Sender::new(config.retention);
    let retaining = retention::keep_to(retention.subscribe(), storage.embedded, stop.subscribe());
    let retaining = tokio::spawn(retaining);
    let running = Running {
        queue: Arc::clone(&queue),
        sources: sources.clone(),
        known,
        timers: timers.clone(),
        api: api.clone(),
        pushes: pushes.clone(),
        retention,
        tls: config.tls.clone(),
    };
    sources.sockets.adopt(&config.channels)?;
    let reloader = Reloader::new(arguments, environment, Arc::clone(&clock), &config, &running);
    let reloading = tokio::spawn(reloader.run(hangups, signals.clone()));
    let (firing, pushing) = (timers.start(), pushes.start(push_ports));
    supervisor::ready();

    let serving = listeners.serve(&config, &sources, &api, clock, &stopping);
    finish(serving, stop_when_asked(&signals, &config.server, &stop), &signals).await;
    announcer.end();
    drop(certificates);
    reloading.abort();
    let (sockets, within) = (&sources.sockets, CLOSE_TIMEOUT);
    tokio::join!(firing.stop(within), pushing.stop(within), sockets.stop(within));
    // What it has begun is finished by the next start, if it does not end in time.
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, retaining).await;
    close(&api, quarantine.as_deref(), &*queue).await
}

/// Serves until it was asked to stop and what was begun is finished, or a second signal comes.
async fn finish(
    serving: impl Future<Output = DrainReport>,
    asked: impl Future<Output = ()>,
    signals: &Signals,
) {
    tokio::select! {
        (report, ()) = async { tokio::join!(serving, asked) } => {
            let DrainReport { open, cut, took } = report;
            tracing::info!(open, cut, ?took, "requests are finished");
        }
        () = signals.cut() => tracing::warn!("cut by a second signal"),
    }
}

/// Waits for a signal, and has everything stop: at once, or when balancers have had their time.
async fn stop_when_asked(signals: &Signals, server: &Server, stop: &watch::Sender<bool>) {
    signals.finish().await;
    supervisor::stopping();
    let delay = server.drain_delay;
    if !delay.is_zero() {
        tracing::info!(?delay, "stopping soon: not ready any more, so that balancers look away");
        tokio::time::sleep(delay).await;
    }
    tracing::info!("stopping: no new connections, what was begun is finished");
    stop.send_replace(true);
}

/// Lets streams say goodbye, and closes the quarantine and the queue.
async fn close(
    api: &Api,
    quarantine: Option<&Quarantine>,
    queue: &dyn Queue,
) -> Result<(), Failure> {
    if tokio::time::timeout(STREAMS_TIMEOUT, api.streams_ended()).await.is_err() {
        tracing::warn!("streams were cut because they did not end in time");
    }
    if let Some(quarantine) = quarantine
        && tokio::time::timeout(CLOSE_TIMEOUT, quarantine.close()).await.is_err()
    {
        tracing::warn!("the last refused requests were not kept: the quarantine did not close");
    }
    if tokio::time::timeout(CLOSE_TIMEOUT, queue.close()).await.is_err() {
        return Err(anyhow::anyhow!("the queue did not close within {CLOSE_TIMEOUT:?}").into());
    }
    tracing::info!("stopped");
    Ok(())
}

/// What sources need of the program.
fn ports(
    config: &Config,
    storage: &Storage,
    clock: &Arc<dyn Clock>,
    quarantine: Option<&Arc<Quarantine>>,
) -> anyhow::Result<Ports> {
    Ok(Ports {
        sink: Arc::clone(&storage.sink),
        intake: Arc::new(intake(config)?),
        proxies: TrustedProxies::new(config.server.trusted_proxies.clone()),
        clock: Arc::clone(clock),
        prompt_key: storage.prompt_key.clone(),
        rejections: rejections::sink(quarantine),
        fetched: Arc::new(Fetched::new(Arc::new(Fetcher::of_system()))),
        captures: Some(Arc::new(Captures::at(&config.data_dir))),
    })
}

/// What the source of mail needs of the queue and of the network.
fn of_mail(config: &Config, storage: &Storage) -> anyhow::Result<OfMail> {
    let embedded = Arc::clone(&storage.embedded);
    Ok(OfMail {
        room: Arc::new(move || embedded.has_room()),
        authenticator: authenticator::of(config)?,
        held: Arc::new(Fetcher::of_system()),
        hearing: Hearing::wanted_by(&config.mail),
    })
}

fn intake(config: &Config) -> anyhow::Result<Intake> {
    let folder = config.data_dir.join("spool");
    Intake::new(IntakeOptions::new(&folder))
        .with_context(|| format!("cannot use `{}` for large bodies", folder.display()))
}

fn api_options(
    config: &Config,
    queue: &Arc<Embedded>,
    clock: &Arc<dyn Clock>,
    (shown, app, bodies): (Shown, AppOptions, BodyBound),
    stop: watch::Receiver<bool>,
) -> ApiOptions {
    ApiOptions {
        queue: Arc::clone(queue) as _,
        attempts: Arc::clone(queue) as _,
        pushes: None,
        access: access(config),
        clock: Arc::clone(clock),
        version: env!("CARGO_PKG_VERSION"),
        readiness: Arc::new(Reception::default),
        metrics: Some(shown.metrics),
        measure: shown.measure,
        channels: front::channel_views(&config.channels),
        rejections: None,
        schedules: None,
        zones: None,
        links: None,
        stop,
        stream: StreamRules::default(),
        backups: None,
        bodies,
        app,
    }
}

/// Why it cannot receive, apart from the queue, which the API asks itself: whoever can ask has
/// reached the listener, so only a stop that has not closed it yet, connections to Slack, which we
/// open, and the listeners of mail. Channels of schedules are named when nothing fires.
fn readiness(signals: &Signals, sources: &Sources, timers: &Timers) -> Readiness {
    let (signals, sources, timers) = (signals.clone(), sources.clone(), timers.clone());
    Arc::new(move || {
        let mut reception = sources.reception();
        reception.channels.extend(timers.silent());
        if signals.finishing() {
            reception.reasons = vec!["a stop was asked for".to_owned()];
        }
        reception
    })
}

/// Makes the URLs of messages and attachments, which lead to the API.
fn links(config: &Config, key: &PromptKey, at: Addresses) -> Links {
    Links {
        key: key.derived("links"),
        base: config.server.api_url(at.api.unwrap_or(at.public)),
        lifetime: config.mail.link_lifetime,
        attachment: |raw, attachment| {
            headgate_email::attachment_bytes(raw, attachment).map(Cow::into_owned)
        },
    }
}

/// Who may call: the holders of the keys, or without any this machine.
fn access(config: &Config) -> Access {
    match config.api_keys.as_slice() {
        [] => Access::Loopback,
        keys => Access::Keys(keys.to_vec()),
    }
}
