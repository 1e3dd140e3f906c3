//! The task of one push: it leases what its gate lets through, posts it, and settles what came of
//! it. It shares nothing with those of other pushes but the queue.

use crate::{
    allowance::Allowance,
    credentials::Credentials,
    gate::{Gate, Room, UnderWay},
    lease::{self, Leased},
    line::{Landed, Line},
    measures::Measures,
    pushes::PushPorts,
    target::Reach,
    transport::Shared,
    verdict::{Health, Reply, verdict},
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use headgate_event::{
    BoxFuture,
    limits::{PUSH_LEASE_BEYOND, PUSH_LEASE_WAIT, PUSH_QUEUE_PAUSE, PUSH_UNSETTLED_MAX},
};
use headgate_queue::{
    Attempt, LeaseAsk, PushSpec, QueueError, RetryPolicy, SettleError, Settlement, Tried,
};
use std::{future::pending, sync::Arc};
use tokio::{sync::watch, time::Instant};

/// What a push is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) spec: PushSpec,
    pub(crate) retry: RetryPolicy,
    pub(crate) credentials: Credentials,
    pub(crate) reach: Reach,
}

/// One push.
pub(crate) struct Endpoint {
    name: String,
    ports: PushPorts,
    shared: Shared,
    setting: watch::Receiver<Arc<Setting>>,
    measures: Measures,
    allowance: Allowance,
    line: Arc<Line>,
    /// What the endpoint of this line says of itself.
    gate: Gate,
    /// When and how often a delivery comes again.
    retry: RetryPolicy,
    /// Attempts that are under way, on this line and on those before it.
    flying: FuturesUnordered<BoxFuture<'static, Landed>>,
    /// How many of them are on this line.
    in_flight: usize,
    /// Attempts that have ended and are not settled.
    landed: Vec<Tried>,
    leasing: Option<BoxFuture<'static, Result<Vec<Leased>, QueueError>>>,
    settling: Option<BoxFuture<'static, Settling>>,
    /// When the queue is asked again that did not answer.
    not_before: Option<Instant>,
    /// Whether nothing more is leased.
    ending: bool,
}

/// What came of settling these.
type Settling = (Vec<Tried>, Result<Vec<Result<(), SettleError>>, QueueError>);

/// What has happened.
enum Step {
    Landed(Landed),
    Leased(Result<Vec<Leased>, QueueError>),
    Settled(Settling),
    Told,
    Gone,
    Again,
}

impl Endpoint {
    pub(crate) fn new(
        name: &str,
        ports: PushPorts,
        shared: Shared,
        mut setting: watch::Receiver<Arc<Setting>>,
    ) -> Self {
        let told = Arc::clone(&setting.borrow_and_update());
        let allowance = Allowance::new(&shared.pool);
        let line = Arc::new(Line::new(&told, &shared));
        let gate = Gate::new(told.spec.max_in_flight, told.spec.rate, Instant::now());
        Self {
            name: name.to_owned(),
            ports,
            shared,
            setting,
            measures: Measures::new(name),
            allowance,
            line,
            gate,
            retry: told.retry,
            flying: FuturesUnordered::new(),
            in_flight: 0,
            landed: Vec::new(),
            leasing: None,
            settling: None,
            not_before: None,
            ending: false,
        }
    }

    /// Pushes until its setting is dropped or its subscription is gone, and what is under way then
    /// has ended.
    pub(crate) async fn run(mut self) {
        self.measures.breaker(0.0);
        while !self.has_ended() {
            let wake = self.begin_more();
            match self.step(wake).await {
                Step::Landed(landed) => self.land(landed).await,
                Step::Leased(leased) => self.take(leased),
                Step::Settled((tried, answer)) => self.settled(tried, answer),
                Step::Told => self.turn(),
                Step::Gone => self.end(),
                Step::Again => {}
            }
        }
        self.measures.breaker(0.0);
    }

    fn has_ended(&self) -> bool {
        self.ending && self.flying.is_empty() && self.landed.is_empty() && self.settling.is_none()
    }

    /// Begins what can be begun, and says when to look again at the latest.
    fn begin_more(&mut self) -> Option<Instant> {
        let now = Instant::now();
        if let Some(at) = self.not_before.filter(|at| *at > now) {
            return Some(at);
        }
        self.not_before = None;
        if self.settling.is_none() && !self.landed.is_empty() {
            self.settling = Some(self.settle());
        }
        let unsettled = self.landed.len() >= PUSH_UNSETTLED_MAX;
        if self.leasing.is_some() || self.ending || unsettled {
            return None;
        }
        let (here, all) = (self.in_flight, self.flying.len());
        match self.gate.room(UnderWay { here, before: all - here }, now) {
            Room::For(max) => self.leasing = Some(self.lease(max)),
            Room::NotBefore(at) => return Some(at),
            Room::None => {}
        }
        None
    }

    async fn step(&mut self, wake: Option<Instant>) -> Step {
        tokio::select! {
            Some(landed) = self.flying.next(), if !self.flying.is_empty() => Step::Landed(landed),
            settled = next(&mut self.settling) => Step::Settled(settled),
            leased = next(&mut self.leasing) => Step::Leased(leased),
            told = self.setting.changed(), if !self.ending => match told {
                Ok(()) => Step::Told,
                Err(_) => Step::Gone,
            },
            () = sleep_until(wake) => Step::Again,
        }
    }

    fn lease(&self, max: usize) -> BoxFuture<'static, Result<Vec<Leased>, QueueError>> {
        let lease = Some(self.line.timeout + PUSH_LEASE_BEYOND);
        let ask = LeaseAsk { max, wait: PUSH_LEASE_WAIT, lease, bytes: None };
        let (queue, name) = (Arc::clone(&self.ports.queue), self.name.clone());
        Box::pin(lease::lease(queue, name, ask, self.allowance.clone()))
    }

    fn take(&mut self, leased: Result<Vec<Leased>, QueueError>) {
        self.leasing = None;
        match leased {
            Ok(leased) => {
                self.gate.passed(leased.len());
                self.in_flight += leased.len();
                for (event, taken) in leased {
                    let given = Arc::clone(&self.line).give(event, self.ports.clone());
                    self.flying.push(Box::pin(async move {
                        let landed = given.await;
                        drop(taken);
                        landed
                    }));
                }
            }
            Err(QueueError::UnknownSubscription { .. }) => self.end(),
            Err(error) => {
                tracing::warn!(subscription = self.name, %error, "nothing can be leased to push");
                self.not_before = Some(Instant::now() + PUSH_QUEUE_PAUSE);
            }
        }
    }

    async fn land(&mut self, landed: Landed) {
        let Landed { line, id, attempt, at, took, reply, now } = landed;
        let verdict = verdict(&reply, now).no_sooner(self.retry, attempt);
        self.measures.attempt(verdict.outcome, took);
        // What an endpoint says that is not pushed to any more says nothing of the one that is.
        if Arc::ptr_eq(&line, &self.line) {
            self.in_flight -= 1;
            self.note(verdict.health, verdict.error.as_deref());
        }
        let (status, answer) = match reply {
            Reply::Answered(answer) => (Some(answer.status), Some(answer.body)),
            Reply::Failed(_) => (None, None),
        };
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let answer = answer.map(|body| String::from_utf8_lossy(&body).into_owned());
        let outcome = verdict.outcome.to_owned();
        let attempt =
            Attempt { attempt, at, took_ms, outcome, status, answer, error: verdict.error };
        self.landed.push(Tried { settlement: Settlement { id, verb: verdict.verb }, attempt });
        if verdict.health == Health::Gone {
            self.pause(&line.url).await;
        }
    }

    /// What an attempt says of the endpoint.
    fn note(&mut self, health: Health, error: Option<&str>) {
        let was_open = self.gate.is_open();
        self.gate.noted(health, Instant::now());
        if was_open != self.gate.is_open() {
            self.tell_breaker(error);
        }
    }

    /// The endpoint of this URL wants no event any more: its subscription is paused until somebody
    /// resumes it, unless it has another URL by now.
    async fn pause(&mut self, url: &str) {
        let subscription = &self.name;
        match self.ports.pauser.pause(subscription, url).await {
            Ok(true) => {
                self.leasing = None;
                self.measures.paused();
                tracing::warn!(
                    subscription,
                    "the endpoint answered 410: the subscription is paused until it is resumed"
                );
            }
            Ok(false) => tracing::info!(
                subscription,
                "an endpoint that is not pushed to any more answered 410: nothing is paused"
            ),
            Err(error) => {
                tracing::error!(subscription, %error, "the endpoint is gone, and cannot be paused");
            }
        }
    }

    fn tell_breaker(&mut self, error: Option<&str>) {
        let subscription = &self.name;
        if self.gate.is_open() {
            // What it would bring finds the gate closed.
            self.leasing = None;
            self.measures.breaker(1.0);
            tracing::warn!(subscription, error, "the endpoint takes nothing: it is left alone");
        } else {
            self.measures.breaker(0.0);
            tracing::info!(subscription, "the endpoint takes events again");
        }
    }

    fn settle(&mut self) -> BoxFuture<'static, Settling> {
        let (queue, name) = (Arc::clone(&self.ports.queue), self.name.clone());
        let tried = std::mem::take(&mut self.landed);
        Box::pin(async move {
            let answer = queue.settle_tried(&name, tried.clone()).await;
            (tried, answer)
        })
    }

    fn settled(
        &mut self,
        tried: Vec<Tried>,
        answer: Result<Vec<Result<(), SettleError>>, QueueError>,
    ) {
        self.settling = None;
        let subscription = &self.name;
        match answer {
            Ok(answers) => {
                for error in answers.into_iter().filter_map(Result::err) {
                    tracing::warn!(subscription, %error, "an attempt could not be settled");
                }
            }
            Err(QueueError::UnknownSubscription { .. }) => self.end(),
            Err(error) => {
                tracing::warn!(subscription, %error, "attempts cannot be settled yet");
                self.not_before = Some(Instant::now() + PUSH_QUEUE_PAUSE);
                self.landed.extend(tried);
            }
        }
    }

    /// Another setting: what is under way ends as it began, and counts until then.
    fn turn(&mut self) {
        let told = Arc::clone(&self.setting.borrow_and_update());
        self.line = Arc::new(Line::new(&told, &self.shared));
        self.gate = Gate::new(told.spec.max_in_flight, told.spec.rate, Instant::now());
        self.retry = told.retry;
        self.in_flight = 0;
        self.leasing = None;
        self.measures.breaker(0.0);
    }

    fn end(&mut self) {
        self.ending = true;
        self.leasing = None;
    }
}

/// What a future of this place gives, and then the place is empty; nothing ever from an empty one.
async fn next<T>(place: &mut Option<BoxFuture<'static, T>>) -> T {
    match place {
        Some(future) => {
            let given = future.await;
            *place = None;
            given
        }
        None => pending().await,
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => pending().await,
    }
}

/// Runs a push as a task of its own.
pub(crate) fn start(
    name: &str,
    ports: &PushPorts,
    shared: &Shared,
    setting: watch::Receiver<Arc<Setting>>,
) -> tokio::task::JoinHandle<()> {
    let endpoint = Endpoint::new(name, ports.clone(), shared.clone(), setting);
    // It is large, and lives for long.
    tokio::spawn(Box::pin(endpoint.run()))
}
