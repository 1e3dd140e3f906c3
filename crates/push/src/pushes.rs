//! All pushes: what they are told, and what they need of the program.

use crate::{
    credentials::Credentials,
    keyring::Keyring,
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
    /// Pauses it, when it still pushes to this URL; answers whether it does.
    fn pause(&self, subscription: &str, url: &str) -> BoxFuture<'_, Result<bool, QueueError>>;
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
    pub credentials: BTreeMap<String, Keyring>,
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
    /// Every reason why pushes may not be what they should be.
    pub(crate) faults: Mutex<Vec<String>>,
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
            faults: Mutex::default(),
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

    /// The configuration is about to say this: while subscriptions are brought in line with it,
    /// each is signed as either says, by the URL that it has.
    pub fn expect(&self, next: &Configured) {
        let before = self.0.configured.load_full();
        let mut both = next.clone();
        for (name, ring) in &before.credentials {
            let ring = both.credentials.remove(name).unwrap_or_default().and(ring);
            both.credentials.insert(name.clone(), ring);
        }
        self.0.configured.store(Arc::new(both));
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

    /// What a push of the API is signed with; nothing when what is kept is meant for another URL.
    pub async fn kept(
        &self,
        subscription: &str,
        spec: &PushSpec,
    ) -> Result<Option<Credentials>, QueueError> {
        let ring = self.all_kept().await?.remove(subscription);
        Ok(ring.and_then(|ring| ring.fitting(spec).cloned()))
    }

    /// Keeps what a subscription of the API is signed with; nothing takes it away. `Ok` means
    /// durable.
    ///
    /// Before its URL changes, what fits the one and the other is kept; afterwards what fits the
    /// one that it has. It is taken away before the subscription is.
    pub async fn keep(
        &self,
        subscription: &str,
        keyring: Option<&Keyring>,
    ) -> Result<(), QueueError> {
        let (key, value) = (subscription.as_bytes().to_vec(), keyring.map(Keyring::to_bytes));
        self.0.notes.keep_notes(vec![SourceNote { kind: KIND, key, value }]).await
    }

    /// Every reason why events may not be pushed that should be; none when all is well.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let faults = self.0.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.iter().map(|fault| format!("push: {fault}")).collect()
    }

    /// What all subscriptions of the API are signed with.
    pub(crate) async fn all_kept(&self) -> Result<BTreeMap<String, Keyring>, QueueError> {
        let notes = self.0.notes.notes(KIND).await?;
        let read = |(key, value): (Vec<u8>, Vec<u8>)| {
            Some((String::from_utf8(key).ok()?, Keyring::from_bytes(&value)?))
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
