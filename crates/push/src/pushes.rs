//! All pushes: what they are told, and what they need of the program.

use crate::{
    credentials::Credentials,
    supervisor::{self, Running},
    target::{Reach, Target, TargetError},
};
use arc_swap::ArcSwap;
use headgate_event::{BoxFuture, Clock, Event};
use headgate_queue::{Attempts, PushSpec, Queue, QueueError, SourceNote, SourceNotes};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::watch;

/// What kind of note credentials are in the state.
const KIND: &str = "push.credentials";

/// What a push needs of the queue.
pub trait PushQueue: Queue + Attempts {}

impl<T: Queue + Attempts + ?Sized> PushQueue for T {}

/// Pauses a subscription as a call of the API would.
pub trait Pauser: Send + Sync {
    /// Pauses it.
    fn pause(&self, subscription: &str) -> BoxFuture<'_, Result<(), QueueError>>;
}

/// What pushes need of the program.
#[derive(Clone)]
pub struct PushPorts {
    /// Where events come from.
    pub queue: Arc<dyn PushQueue>,
    /// Pauses the subscription of an endpoint that is gone.
    pub pauser: Arc<dyn Pauser>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Makes of an event what an endpoint gets: with links that are good for a while.
    pub present: Present,
}

/// Makes of an event what whoever it is served to gets.
pub type Present = Arc<dyn Fn(Event) -> Event + Send + Sync>;

/// What the configuration says of pushes.
#[derive(Clone, Debug, Default)]
pub struct Configured {
    /// What the pushes of the configuration are signed with, by subscription.
    pub credentials: BTreeMap<String, Credentials>,
    /// Which addresses may be called.
    pub reach: Reach,
}

/// All pushes. Clones are the same.
#[derive(Clone)]
pub struct Pushes(pub(crate) Arc<Parts>);

pub(crate) struct Parts {
    notes: Arc<dyn SourceNotes>,
    pub(crate) configured: ArcSwap<Configured>,
    pub(crate) changed: watch::Sender<u64>,
    /// Why pushes may not be what they should be; nothing when they are.
    pub(crate) fault: Mutex<Option<String>>,
}

impl Pushes {
    /// Pushes that are told this by the configuration, and keep what the API tells them in the
    /// state. None runs yet.
    #[must_use]
    pub fn new(notes: Arc<dyn SourceNotes>, configured: Configured) -> Self {
        Self(Arc::new(Parts {
            notes,
            configured: ArcSwap::from_pointee(configured),
            changed: watch::Sender::new(0),
            fault: Mutex::default(),
        }))
    }

    /// Runs the pushes of all subscriptions, until they are stopped.
    #[must_use]
    pub fn start(&self, ports: PushPorts) -> Running {
        supervisor::start(self, ports)
    }

    /// Whether this can be pushed to.
    pub fn check(&self, spec: &PushSpec) -> Result<(), TargetError> {
        Target::new(spec, self.0.configured.load().reach).map(|_| ())
    }

    /// The configuration says this from here on.
    pub fn configure(&self, configured: Configured) {
        self.0.configured.store(Arc::new(configured));
        self.changed();
    }

    /// Subscriptions have changed.
    pub fn changed(&self) {
        self.0.changed.send_modify(|version| *version = version.wrapping_add(1));
    }

    /// What a subscription of the API is signed with; nothing when it is not there.
    pub async fn kept(&self, subscription: &str) -> Result<Option<Credentials>, QueueError> {
        Ok(self.all_kept().await?.remove(subscription))
    }

    /// Keeps what a subscription of the API is signed with; nothing takes it away. `Ok` means
    /// durable.
    pub async fn keep(
        &self,
        subscription: &str,
        credentials: Option<&Credentials>,
    ) -> Result<(), QueueError> {
        let (key, value) =
            (subscription.as_bytes().to_vec(), credentials.map(Credentials::to_bytes));
        self.0.notes.keep_notes(vec![SourceNote { kind: KIND, key, value }]).await
    }

    /// Why events may not be pushed that should be; nothing when all is well.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let fault = self.0.fault.lock().unwrap_or_else(PoisonError::into_inner);
        fault.iter().map(|fault| format!("push: {fault}")).collect()
    }

    /// What all subscriptions of the API are signed with.
    pub(crate) async fn all_kept(&self) -> Result<BTreeMap<String, Credentials>, QueueError> {
        let notes = self.0.notes.notes(KIND).await?;
        let read = |(key, value): (Vec<u8>, Vec<u8>)| {
            Some((String::from_utf8(key).ok()?, Credentials::from_bytes(&value)?))
        };
        Ok(notes.into_iter().filter_map(read).collect())
    }
}

impl fmt::Debug for Pushes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pushes").field("configured", &self.0.configured).finish_non_exhaustive()
    }
}

impl fmt::Debug for PushPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushPorts").finish_non_exhaustive()
    }
}
