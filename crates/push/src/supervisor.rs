//! Keeps one task for each subscription that pushes, told what it is to be told.

use crate::{
    endpoint::{self, Setting},
    measures,
    pushes::{PushPorts, Pushes},
    transport::Shared,
};
use futures_util::future::join_all;
use headgate_event::limits::PUSH_LOOK_EVERY;
use headgate_queue::{QueueError, SubscriptionStatus};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, task::JoinHandle};

/// The pushes while they run.
#[derive(Debug)]
pub struct Running {
    stop: watch::Sender<bool>,
    supervisor: JoinHandle<()>,
}

/// The task of one push.
struct One {
    setting: watch::Sender<Arc<Setting>>,
    task: JoinHandle<()>,
}

struct Supervisor {
    pushes: Pushes,
    ports: PushPorts,
    shared: Shared,
    running: BTreeMap<String, One>,
    /// Those that were told of because nothing signs them.
    unsigned: BTreeSet<String>,
}

pub(crate) fn start(pushes: &Pushes, ports: PushPorts) -> Running {
    let (stop, stopping) = watch::channel(false);
    let supervisor = Supervisor {
        pushes: pushes.clone(),
        ports,
        shared: Shared::new(),
        running: BTreeMap::new(),
        unsigned: BTreeSet::new(),
    };
    Running { stop, supervisor: tokio::spawn(supervisor.run(stopping)) }
}

impl Running {
    /// Leases nothing more, and ends when what is under way was answered and settled, or after
    /// this long: what is not settled then comes again with the next start.
    pub async fn stop(self, within: Duration) {
        self.stop.send_replace(true);
        let aborted = self.supervisor.abort_handle();
        if tokio::time::timeout(within, self.supervisor).await.is_err() {
            aborted.abort();
            tracing::warn!("pushes did not end in time: what they did not settle comes again");
        }
    }
}

impl Supervisor {
    async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut changed = self.pushes.0.changed.subscribe();
        loop {
            changed.mark_unchanged();
            let looked = self.look().await;
            if let Err(error) = &looked {
                tracing::error!(%error, "pushes cannot be brought in line with subscriptions");
            }
            let faults = self.faults(looked.err());
            *self.pushes.0.faults.lock().unwrap_or_else(PoisonError::into_inner) = faults;
            tokio::select! {
                // An error says that whoever could say stop is gone.
                _ = stop.wait_for(|stop| *stop) => break,
                Ok(()) = changed.changed() => {}
                () = tokio::time::sleep(PUSH_LOOK_EVERY) => {}
            }
        }
        let tasks = std::mem::take(&mut self.running).into_values().map(|one| one.task);
        // Their settings are dropped with the rest of each, which ends them.
        join_all(tasks).await;
    }

    /// Begins, tells and ends pushes as the subscriptions are at this moment.
    async fn look(&mut self) -> Result<(), QueueError> {
        let (mut wanted, mut unsigned) = self.wanted().await?;
        if !unsigned.is_empty() {
            // A change between the two reads looks like that: it is whole when they are read again.
            (wanted, unsigned) = self.wanted().await?;
        }
        self.tell_unsigned(unsigned);
        self.running.retain(|name, _| wanted.contains_key(name));
        for (name, setting) in wanted {
            let setting = Arc::new(setting);
            match self.running.get(&name).filter(|one| !one.task.is_finished()) {
                Some(one) => {
                    one.setting.send_if_modified(|told| {
                        let differs = *told != setting;
                        *told = Arc::clone(&setting);
                        differs
                    });
                }
                None => {
                    let (told, hears) = watch::channel(setting);
                    let task = endpoint::start(&name, &self.ports, &self.shared, hears);
                    self.running.insert(name, One { setting: told, task });
                }
            }
        }
        measures::endpoints(self.running.len());
        Ok(())
    }

    /// What each push is to be told, and those that do not run because nothing signs them.
    async fn wanted(&self) -> Result<(Settings, BTreeSet<String>), QueueError> {
        let subscriptions = self.ports.queue.subscriptions().await?;
        let configured = self.pushes.0.configured.load_full();
        let kept = self.pushes.all_kept().await?;
        let (mut wanted, mut unsigned) = (Settings::new(), BTreeSet::new());
        for SubscriptionStatus { spec, .. } in subscriptions {
            let Some(push) = spec.push else { continue };
            let known = if spec.configured { &configured.credentials } else { &kept };
            // Whatever is meant for another URL stays where it is.
            let Some(credentials) = known.get(&spec.name).and_then(|ring| ring.fitting(&push))
            else {
                unsigned.insert(spec.name);
                continue;
            };
            let (credentials, reach) = (credentials.clone(), configured.reach);
            let setting = Setting { spec: push, retry: spec.retry, credentials, reach };
            wanted.insert(spec.name, setting);
        }
        Ok((wanted, unsigned))
    }

    fn tell_unsigned(&mut self, unsigned: BTreeSet<String>) {
        for subscription in unsigned.difference(&self.unsigned) {
            tracing::error!(
                subscription,
                "nothing is pushed: there are no secrets for its URL to sign with"
            );
        }
        self.unsigned = unsigned;
    }

    fn faults(&self, error: Option<QueueError>) -> Vec<String> {
        let unsigned = self.unsigned.iter().map(|name| {
            format!("nothing is pushed for `{name}`: there are no secrets for its URL to sign with")
        });
        error.map(|error| error.to_string()).into_iter().chain(unsigned).collect()
    }
}

/// What pushes are told, by their names.
type Settings = BTreeMap<String, Setting>;
