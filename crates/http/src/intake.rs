//! The body of a request, taken whole: capped, timed and counted while it arrives.
//!
//! Not for what the body means, and not for its head: that is the server loop's.

mod arriving;
mod counted;
pub(crate) mod hold;
mod pace;
mod spool;

pub use arriving::Arriving;
pub use counted::{BodyBound, Counted, CountedHold};
pub use hold::{BodyHold, Exhausted};
pub use pace::{Pace, PaceLimits, Slow};

use crate::{Arrival, RawRequest, Refusal, Reject, RequestId};
use bytes::Bytes;
use headgate_event::limits;
use hold::{BoundKind, ByteBound};
use http::{Request, request::Parts};
use http_body::Body;
use http_body_util::BodyExt;
use metrics::counter;
use spool::SpoolDir;
use std::{error::Error, io, path::PathBuf, pin::pin, sync::Arc, time::Duration};
use tokio::time::Instant;

/// What bodies may cost.
#[derive(Clone, Debug)]
pub struct IntakeOptions {
    /// Where large bodies wait while they arrive. The folder is made when it is missing, belongs
    /// to one process, and is cleared at the start.
    pub spool_dir: PathBuf,
    /// The bodies in memory, of all requests together, in bytes.
    pub bodies_in_flight_bytes_max: usize,
    /// A body beyond this many bytes waits in a temporary file while it arrives.
    pub body_memory_bytes_max: usize,
    /// The bodies in temporary files, of all requests together, in bytes.
    pub spool_bytes_max: usize,
    /// How long a whole body may wait in its file for memory.
    pub memory_wait: Duration,
    /// How fast a body has to come.
    pub pace: PaceLimits,
}

/// Takes the bodies of requests. A clone shares the limits.
#[derive(Clone, Debug)]
pub struct Intake {
    options: Arc<IntakeOptions>,
    memory: ByteBound,
    spool: SpoolDir,
}

/// Why a body does not become a request.
#[derive(Debug)]
enum Failure {
    Refused(Reject),
    SenderGone(String),
}

impl IntakeOptions {
    /// The limits of `headgate_event::limits`.
    #[must_use]
    pub fn new(spool_dir: impl Into<PathBuf>) -> Self {
        Self {
            spool_dir: spool_dir.into(),
            bodies_in_flight_bytes_max: limits::BODIES_IN_FLIGHT_BYTES_MAX,
            body_memory_bytes_max: limits::BODY_MEMORY_BYTES_MAX,
            spool_bytes_max: limits::SPOOL_BYTES_MAX,
            memory_wait: limits::BODY_MEMORY_WAIT,
            pace: PaceLimits::default(),
        }
    }
}

impl Intake {
    /// Opens the spool folder, and clears what a killed process left in it.
    pub fn new(options: IntakeOptions) -> io::Result<Self> {
        let spool = SpoolDir::open(&options.spool_dir, options.spool_bytes_max)?;
        let memory = ByteBound::new(BoundKind::Memory, options.bodies_in_flight_bytes_max);
        Ok(Self { options: Arc::new(options), memory, spool })
    }

    /// Takes the whole body, or refuses it as soon as that is certain, without reading on.
    ///
    /// The request must come from [`serve`](crate::serve), which notes its [`Arrival`].
    pub async fn receive<B>(
        &self,
        request: Request<B>,
        body_bytes_max: usize,
    ) -> Result<RawRequest, Refusal>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (mut parts, body) = request.into_parts();
        let Some(arrival) = parts.extensions.remove::<Arrival>() else {
            let cause = "the request carries no arrival: another server took it";
            let fault = Reject::unavailable(cause, limits::STORE_RETRY_AFTER);
            return Err(Refusal::new(fault, RequestId::new("none")));
        };
        match self.take(body, body_bytes_max).await {
            Ok((body, hold)) => Ok(raw_request(parts, body, arrival, hold)),
            Err(failure) => Err(refused(failure, arrival.request_id)),
        }
    }

    /// A body of which nothing has come: for what arrives by another protocol and shares the
    /// bounds. What is announced is at most a hint.
    #[must_use]
    pub fn arriving(&self, announced: u64) -> Arriving<'_> {
        Arriving::new(&self.options, &self.memory, &self.spool, announced)
    }

    /// The memory that these bodies share, for bodies that are read elsewhere.
    #[must_use]
    pub fn bound(&self) -> BodyBound {
        BodyBound::of(&self.memory)
    }

    async fn take<B>(&self, body: B, bytes_max: usize) -> Result<(Bytes, BodyHold), Failure>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        // What the sender announces is refused before a byte of it is read.
        let announced = body.size_hint().lower();
        if announced > bytes_max as u64 {
            return Err(Failure::Refused(Reject::body_too_large(bytes_max)));
        }
        let mut body = pin!(body);
        let mut pace = Pace::new(self.options.pace, Instant::now());
        let mut arriving = self.arriving(announced);
        while let Some(frame) = pace.within(body.frame()).await.map_err(Failure::from)? {
            let frame = frame.map_err(|error| Failure::of_body(&*error.into()))?;
            let Ok(data) = frame.into_data() else { continue }; // trailers say nothing here
            if data.len() > bytes_max.saturating_sub(arriving.bytes()) {
                return Err(Failure::Refused(Reject::body_too_large(bytes_max)));
            }
            pace.count(data.len());
            arriving.append(&data).await.map_err(Failure::Refused)?;
        }
        arriving.finish().await.map_err(Failure::Refused)
    }
}

fn raw_request(parts: Parts, body: Bytes, arrival: Arrival, hold: BodyHold) -> RawRequest {
    RawRequest {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
        arrival,
        hold,
    }
}

fn refused(failure: Failure, request_id: RequestId) -> Refusal {
    let refusal = match failure {
        Failure::Refused(reject) => Refusal::new(reject, request_id),
        Failure::SenderGone(cause) => Refusal::sender_gone(&cause, request_id),
    };
    counter!("headgate_http_body_refused_total", "code" => refusal.reject().code()).increment(1);
    refusal
}

impl Failure {
    /// A body that is not well formed is the sender's fault; any other error of its stream means
    /// that the sender or the line is gone.
    fn of_body(error: &(dyn Error + 'static)) -> Self {
        let malformed = io_errors(error)
            .any(|kind| matches!(kind, io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData));
        if malformed {
            let message = "the chunks of the body are malformed";
            Self::Refused(Reject::bad_request("body_malformed", message).with_cause(error))
        } else {
            Self::SenderGone(error.to_string())
        }
    }
}

/// The kinds of the io errors among an error and its causes.
fn io_errors<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = io::ErrorKind> + 'e {
    std::iter::successors(Some(error), |error| (*error).source())
        .filter_map(|error| error.downcast_ref::<io::Error>().map(io::Error::kind))
}

impl From<Slow> for Failure {
    fn from(slow: Slow) -> Self {
        Self::Refused(Reject::too_slow(Slow::CODE, slow.to_string()))
    }
}
