//! How events get to an endpoint by one setting of its push: written, signed, posted.

use crate::{
    body::Form,
    endpoint::Setting,
    pushes::PushPorts,
    target::Target,
    transport::{Request, Shared, Transport},
    verdict::{Fault, Reply},
};
use headgate_event::{Event, Timestamp, limits::PUSH_WRITTEN_INLINE_BYTES_MAX};
use headgate_queue::weight;
use std::{fmt, sync::Arc, time::Duration};
use tokio::time::Instant;

/// The way to an endpoint.
pub(crate) struct Line {
    /// The URL, as it was asked for.
    pub(crate) url: String,
    /// How long one attempt may take.
    pub(crate) timeout: Duration,
    form: Arc<Form>,
    /// The connections; or why there are none.
    transport: Result<Transport, String>,
}

/// An attempt that has ended.
pub(crate) struct Landed {
    /// The way it went.
    pub(crate) line: Arc<Line>,
    /// The delivery.
    pub(crate) id: String,
    pub(crate) attempt: u32,
    /// When it began.
    pub(crate) at: Timestamp,
    pub(crate) took: Duration,
    pub(crate) reply: Reply,
    /// When it ended.
    pub(crate) now: Timestamp,
}

impl Line {
    pub(crate) fn new(setting: &Setting, shared: &Shared) -> Self {
        let Setting { spec, credentials, reach, .. } = setting;
        let headers = credentials.headers();
        let in_flight = usize::try_from(spec.max_in_flight).unwrap_or(usize::MAX);
        let target = Target::new(spec, *reach).map_err(|error| error.to_string());
        let url = target.as_ref().map(|target| target.url.clone()).unwrap_or_default();
        let transport = target.and_then(|target| Transport::new(shared, &target, in_flight));
        let (format, credentials) = (spec.format, credentials.clone());
        Self {
            url: spec.url.clone(),
            timeout: Duration::from_millis(spec.timeout_ms),
            form: Arc::new(Form { url, format, credentials, headers }),
            transport,
        }
    }

    /// One attempt.
    pub(crate) async fn give(self: Arc<Self>, event: Event, ports: PushPorts) -> Landed {
        let (id, attempt) = event
            .delivery()
            .map_or((String::new(), 0), |delivery| (delivery.id.clone(), delivery.attempt));
        let (at, began) = (ports.clock.now(), Instant::now());
        let reply = match &self.transport {
            Ok(transport) => match self.written(event, &ports, at).await {
                Ok(request) => transport.send(request, self.timeout).await,
                Err(fault) => Reply::Failed(fault),
            },
            Err(why) => Reply::Failed(Fault::Unreachable(why.clone())),
        };
        Landed { line: self, id, attempt, at, took: began.elapsed(), reply, now: ports.clock.now() }
    }

    /// The request of an attempt. A large one is written and signed where it holds up no other.
    async fn written(
        &self,
        event: Event,
        ports: &PushPorts,
        at: Timestamp,
    ) -> Result<Request, Fault> {
        let is_large = weight(&event) > PUSH_WRITTEN_INLINE_BYTES_MAX;
        let (form, present) = (Arc::clone(&self.form), Arc::clone(&ports.present));
        let write = move || form.request(&present(event), at);
        if !is_large {
            return Ok(write());
        }
        let written = tokio::task::spawn_blocking(write).await;
        written.map_err(|error| Fault::Unreachable(format!("no request was written: {error}")))
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}
