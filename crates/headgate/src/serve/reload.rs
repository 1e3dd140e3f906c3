//! SIGHUP: the configuration is read anew and takes the place of the one there is; or something is
//! wrong with it, and nothing changes.
//!
//! What can change is a list of steps. All of them look at the new configuration before the first
//! one does anything. What cannot change while the gateway runs is a list too: a configuration
//! that differs there is refused as a whole, because half of a file is what nobody has written.

mod steps;

pub(super) use steps::Running;

use super::{schedules::Timers, supervisor};
use crate::{
    cli::ServeArguments,
    config::{Config, Environment, Known},
    failure::Failure,
    signals::{Hangups, Signals},
};
use headgate_event::{BoxFuture, Clock};
use headgate_quarantine::Bounds;
use metrics::{counter, gauge};
use std::{collections::BTreeMap, sync::Arc};

/// A part of the running gateway that a reload can change.
struct Step {
    /// What it changes, for the log.
    name: &'static str,
    /// Looks at the configuration and changes nothing: all that is wrong with it, or the change.
    prepare: Prepare,
}

type Prepare = Box<dyn Fn(&Config) -> Result<Change, Vec<String>> + Send + Sync>;

/// Puts a part of the new configuration into its place.
type Change = BoxFuture<'static, Result<(), Unfinished>>;

/// Why a change was not made whole.
#[derive(Debug, thiserror::Error)]
#[error("{cause:#}")]
pub(super) struct Unfinished {
    /// What follows the new configuration already, such as ``subscription `agent` ``.
    pub(super) changed: Vec<String>,
    /// What kept the rest from it.
    pub(super) cause: anyhow::Error,
}

/// Why a reload was not made, or not whole.
struct Refused {
    problems: Vec<String>,
    /// What was changed before a disk refused the rest; nothing when the file is at fault.
    changed: Vec<String>,
}

/// Reads the configuration anew whenever it is asked to.
pub(super) struct Reloader {
    arguments: ServeArguments,
    environment: Environment,
    known: Known,
    timers: Timers,
    clock: Arc<dyn Clock>,
    fixed: BTreeMap<&'static str, String>,
    steps: Vec<Step>,
}

impl Reloader {
    /// A reloader of a gateway that runs by `config`.
    pub(super) fn new(
        arguments: &ServeArguments,
        environment: &Environment,
        clock: Arc<dyn Clock>,
        config: &Config,
        running: &Running,
    ) -> Self {
        let reloader = Self {
            arguments: arguments.clone(),
            environment: environment.clone(),
            known: running.known.clone(),
            timers: running.timers.clone(),
            clock,
            fixed: fixed(config),
            steps: steps::all(running),
        };
        reloader.note_success();
        reloader
    }

    /// Reloads with each signal, for ever.
    pub(super) async fn run(self, mut hangups: Hangups, signals: Signals) {
        loop {
            hangups.next().await;
            if hangups.terminal_is_gone() {
                signals.ask_to_stop();
                continue;
            }
            supervisor::reloading();
            match self.reload().await {
                Ok(()) => {
                    counter!("headgate_reloads_total", "outcome" => "applied").increment(1);
                    self.note_success();
                    tracing::info!("reloaded");
                }
                Err(refused) => refused.tell(),
            }
            supervisor::ready();
        }
    }

    async fn reload(&self) -> Result<(), Refused> {
        // The file may name a zone that only the new data knows.
        self.timers.look_for_zones().await;
        let config = self.read().await?;
        self.check_fixed(&config)?;
        let (mut changes, mut problems) = (Vec::new(), Vec::new());
        for step in &self.steps {
            match (step.prepare)(&config) {
                Ok(change) => changes.push((step.name, change)),
                Err(wrong) => problems.extend(wrong),
            }
        }
        if !problems.is_empty() {
            return Err(Refused::unchanged(problems));
        }
        let mut changed = Vec::new();
        for (name, change) in changes {
            if let Err(unfinished) = change.await {
                let problems = vec![format!("{name}: {unfinished}")];
                changed.extend(unfinished.changed);
                return Err(Refused { problems, changed });
            }
            changed.push(name.to_owned());
        }
        config.tell_doubts();
        Ok(())
    }

    /// The configuration as it is at this moment, with its secrets.
    async fn read(&self) -> Result<Config, Refused> {
        let (arguments, environment) = (self.arguments.clone(), self.environment.clone());
        let known = self.known.clone();
        let reading = move || super::configuration::read(&arguments, &environment, &known);
        match tokio::task::spawn_blocking(reading).await {
            Ok(Ok(config)) => Ok(config),
            Ok(Err(Failure::Configuration(problems))) => {
                Err(Refused::unchanged(problems.lines().collect()))
            }
            Ok(Err(failure)) => Err(Refused::unchanged(vec![failure.to_string()])),
            Err(error) => Err(Refused::unchanged(vec![format!("reading ended early: {error}")])),
        }
    }

    fn check_fixed(&self, config: &Config) -> Result<(), Refused> {
        let found = fixed(config);
        let differs = self.fixed.iter().filter_map(|(key, runs)| {
            let found = found.get(key).filter(|found| *found != runs)?;
            Some(format!(
                "{key}: expected `{runs}`, with which this process runs, found `{found}`: \
                 it takes a restart"
            ))
        });
        let problems: Vec<String> = differs.collect();
        if problems.is_empty() { Ok(()) } else { Err(Refused::unchanged(problems)) }
    }

    fn note_success(&self) {
        gauge!("headgate_config_last_reload_successful").set(1.0);
        gauge!("headgate_config_last_reload_success_timestamp_seconds")
            .set(self.clock.now().unix_ms() as f64 / 1000.0);
    }
}

impl Refused {
    fn unchanged(problems: Vec<String>) -> Self {
        Self { problems, changed: Vec::new() }
    }

    /// Says what is wrong, and whether the gateway runs as before.
    fn tell(&self) {
        let Self { problems, changed } = self;
        gauge!("headgate_config_last_reload_successful").set(0.0);
        if changed.is_empty() {
            counter!("headgate_reloads_total", "outcome" => "refused").increment(1);
            for problem in problems {
                tracing::error!(problem, "wrong in the configuration");
            }
            tracing::error!(problems = problems.len(), "not reloaded, nothing changed");
            return;
        }
        counter!("headgate_reloads_total", "outcome" => "unfinished").increment(1);
        for problem in problems {
            tracing::error!(problem, "a change could not be made");
        }
        tracing::error!(
            changed = changed.join(", "),
            "reloaded in part: what is named follows the new configuration, all else the old one; \
             reload again when the cause is mended"
        );
    }
}

/// What cannot change while the gateway runs, by its key.
fn fixed(config: &Config) -> BTreeMap<&'static str, String> {
    let api_listen = config.server.api_listen;
    let proxies: Vec<_> = config.server.trusted_proxies.iter().map(ToString::to_string).collect();
    let backup_dir = config.backup_dir.as_ref();
    let quarantine = config.quarantine.map_or("off".to_owned(), |Bounds { count, bytes, age }| {
        format!("count {count}, bytes {bytes}, age {age:?}")
    });
    let tls = config.server.tls.as_ref().map_or("none".to_owned(), |files| {
        format!("{}, {}", files.certificate.display(), files.key.display())
    });
    let connections = config.server.connections;
    let connections = format!("{} and {}", connections.total, connections.per_network);
    BTreeMap::from([
        ("quarantine", quarantine),
        ("server.tls", tls),
        ("server.connections", connections),
        ("server.drain_delay", format!("{:?}", config.server.drain_delay)),
        ("data_dir", config.data_dir.display().to_string()),
        ("queue.backup_dir", backup_dir.map_or("none".into(), |dir| dir.display().to_string())),
        ("email", config.mail.told()),
        ("server.listen", config.server.listen.to_string()),
        ("server.api_listen", api_listen.map_or("none".to_owned(), |at| at.to_string())),
        ("server.trusted_proxies", format!("[{}]", proxies.join(", "))),
    ])
}
