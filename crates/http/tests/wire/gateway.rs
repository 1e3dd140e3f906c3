//! A server under test, which takes bodies as a source would and keeps them for the test.

use headgate_event::{Clock, Timestamp};
use headgate_http::{
    Answer, DrainReport, Handler, Intake, IntakeOptions, RawRequest, ServerOptions, serve,
    text_answer,
};
use headgate_testkit::ManualClock;
use http::{Request, StatusCode};
use hyper::body::Incoming;
use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};
use tower::service_fn;

/// The body limit of the server under test, in bytes.
pub(crate) const BODY_BYTES_MAX: usize = 8 << 20;

/// A server.
pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    report: JoinHandle<DrainReport>,
}

/// What the intake took, in its order.
pub(crate) struct Taken {
    requests: mpsc::UnboundedReceiver<RawRequest>,
    pub(crate) spool: TempDir,
}

impl Gateway {
    pub(crate) async fn start(service: impl Handler, options: ServerOptions) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (stop, stopped) = oneshot::channel::<()>();
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(Timestamp::from_unix_ms(1234)));
        let report = tokio::spawn(serve(listener, service, options, clock, async {
            let _ = stopped.await;
        }));
        Self { address, stop, report }
    }

    /// A server whose answer to what it takes is 200 and `taken`.
    pub(crate) async fn taking(change: impl FnOnce(&mut IntakeOptions)) -> (Self, Taken) {
        let spool = TempDir::new().expect("a folder");
        let mut options = IntakeOptions::new(spool.path());
        change(&mut options);
        let intake = Intake::new(options).expect("the intake opens");
        let (keep, requests) = mpsc::unbounded_channel();
        let service = service_fn(move |request| take(intake.clone(), keep.clone(), request));
        let gateway = Self::start(service, ServerOptions::default()).await;
        (gateway, Taken { requests, spool })
    }

    /// Asks the server to stop. Its report comes from [`Stopping::report`].
    pub(crate) fn stop(self) -> Stopping {
        self.stop.send(()).expect("the server runs");
        Stopping(self.report)
    }
}

/// A server that was asked to stop.
pub(crate) struct Stopping(JoinHandle<DrainReport>);

impl Stopping {
    pub(crate) async fn report(self) -> DrainReport {
        self.0.await.expect("the server does not panic")
    }
}

impl Taken {
    /// The next request that was taken.
    pub(crate) async fn next(&mut self) -> RawRequest {
        let next = timeout(Duration::from_secs(20), self.requests.recv()).await;
        next.expect("a request is taken in time").expect("the server runs")
    }

    /// Asserts that nothing else was taken.
    pub(crate) fn is_empty(&mut self) {
        assert!(self.requests.try_recv().is_err(), "a request was taken");
    }
}

async fn take(
    intake: Intake,
    keep: mpsc::UnboundedSender<RawRequest>,
    request: Request<Incoming>,
) -> Result<Answer, Infallible> {
    Ok(match intake.receive(request, BODY_BYTES_MAX).await {
        Ok(request) => {
            // A test that is over wants no more.
            let _ = keep.send(request);
            text_answer(StatusCode::OK, "taken")
        }
        Err(refusal) => refusal.answer(),
    })
}
