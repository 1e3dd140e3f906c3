//! The line over long polls: leases by one call and settles by another.

use crate::{
    arrival::Arrival,
    error::ClientError,
    http::{Call, Http},
    limits::POLL_WAIT_MS,
    line::{Ended, Heard, Refusal, settle},
    verdict::Batch,
};
use headgate_event::limits::LEASE_DELIVERIES_MAX;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::{fmt, future::Future, pin::Pin, time::Duration};
use tokio::time::Instant;

type Answering<T> = Pin<Box<dyn Future<Output = Result<T, ClientError>> + Send>>;
type Leased = Vec<Arrival>;

/// The calls of one consumer; at most one of each kind is under way.
pub(crate) struct Poll {
    http: Http,
    path: String,
    lease: Duration,
    ends: Option<Instant>,
    leasing: Option<Answering<Leased>>,
    settling: Option<(Batch, Answering<Vec<Refusal>>)>,
}

#[derive(Serialize)]
struct LeaseAsk {
    max: usize,
    wait_ms: u64,
    lease_ms: u64,
}

#[derive(Deserialize)]
struct LeaseAnswer {
    deliveries: Vec<Box<RawValue>>,
}

impl Poll {
    pub(crate) fn new(http: Http, path: &str, lease: Duration, lasts: Duration) -> Self {
        let ends = Instant::now().checked_add(lasts);
        Self { http, path: path.to_owned(), lease, ends, leasing: None, settling: None }
    }

    pub(crate) fn may_say(&self) -> bool {
        self.settling.is_none()
    }

    pub(crate) fn say(&mut self, batch: Batch) {
        let (http, path, said) = (self.http.clone(), self.path.clone(), batch.clone());
        let answer = async move { settle(&http, &path, &said).await };
        self.settling = Some((batch, Box::pin(answer)));
    }

    pub(crate) async fn receive(&mut self, room: usize) -> Result<Heard, Ended> {
        let is_over = self.ends.is_some_and(|ends| Instant::now() >= ends);
        if is_over && self.leasing.is_none() && self.settling.is_none() {
            return Err(Ended::ByItself);
        }
        if self.leasing.is_none() && room > 0 && !is_over {
            self.leasing = Some(self.ask(room));
        }
        tokio::select! {
            leased = answer(&mut self.leasing) => {
                self.leasing = None;
                Ok(Heard { arrivals: leased?, ..Heard::default() })
            }
            refusals = async {
                match &mut self.settling {
                    Some((_, settling)) => settling.await,
                    None => std::future::pending().await,
                }
            } => {
                let answered = self.settling.take().map(|(batch, _)| batch);
                Ok(Heard { refusals: refusals?, answered, ..Heard::default() })
            }
        }
    }

    /// Whether a lease call is under way.
    pub(crate) fn is_leasing(&self) -> bool {
        self.leasing.is_some()
    }

    /// Hangs up on the lease call that is under way.
    pub(crate) fn end_leasing(&mut self) {
        self.leasing = None;
    }

    fn ask(&self, room: usize) -> Answering<Leased> {
        let lease_ms = u64::try_from(self.lease.as_millis()).unwrap_or(u64::MAX);
        let max = room.min(LEASE_DELIVERIES_MAX);
        let ask = LeaseAsk { max, wait_ms: POLL_WAIT_MS, lease_ms };
        let call = Call::post(format!("{}/lease", self.path), &ask)
            .waiting(Duration::from_millis(POLL_WAIT_MS));
        let http = self.http.clone();
        Box::pin(async move {
            let answer: LeaseAnswer = http.call(&call).await?;
            let read = answer.deliveries.iter().map(|delivery| Arrival::read(delivery.get()));
            let wrong = |reason| ClientError::incompatible(http.address.base(), reason);
            read.collect::<Result<_, _>>().map_err(wrong)
        })
    }
}

async fn answer(asked: &mut Option<Answering<Leased>>) -> Result<Leased, ClientError> {
    match asked {
        Some(asked) => asked.await,
        None => std::future::pending().await,
    }
}

impl fmt::Debug for Poll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poll").field("path", &self.path).finish_non_exhaustive()
    }
}
