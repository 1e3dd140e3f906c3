//! An endpoint in this process: answers 204, or is slow, or never answers.

use anyhow::Result;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{net::TcpListener, sync::Notify};

/// How many addresses a sink has. Endpoints are hosts of their own: at one address the connections
/// of a thousand would not find room in its queue, and wait a second each to be asked for again.
const ADDRESSES: usize = 64;

/// What endpoints have seen.
#[derive(Clone, Debug)]
pub(super) struct Sink {
    addresses: Vec<String>,
    seen: Arc<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// Requests at paths that are well.
    count: AtomicUsize,
    news: Notify,
    /// When each number came, in a run that wants to know.
    arrivals: Mutex<Option<Vec<(usize, Instant)>>>,
}

impl Sink {
    pub(super) async fn start() -> Result<Self> {
        let (mut addresses, seen) = (Vec::new(), Arc::new(Seen::default()));
        for _ in 0..ADDRESSES {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            addresses.push(listener.local_addr()?.to_string());
            tokio::spawn(serve(listener, Arc::clone(&seen)));
        }
        Ok(Self { addresses, seen })
    }

    /// The address of the endpoint of this number.
    pub(super) fn address(&self, endpoint: usize) -> &str {
        self.addresses.get(endpoint % ADDRESSES).map_or("", String::as_str)
    }

    /// Waits until so many have come to paths that are well, and says how many have.
    pub(super) async fn wait_for(&self, count: usize) -> usize {
        loop {
            let news = self.seen.news.notified();
            let seen = self.seen.count.load(Ordering::SeqCst);
            if seen >= count {
                return seen;
            }
            let _ = tokio::time::timeout(Duration::from_millis(20), news).await;
        }
    }

    /// Notes from here on when each number comes.
    pub(super) fn note_arrivals(&self) {
        *self.seen.arrivals.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
    }

    /// When each number came.
    pub(super) fn arrivals(&self) -> Vec<(usize, Instant)> {
        let mut arrivals = self.seen.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        arrivals.take().unwrap_or_default()
    }
}

async fn serve(listener: TcpListener, seen: Arc<Seen>) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let seen = Arc::clone(&seen);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let seen = Arc::clone(&seen);
                async move { Ok::<_, Infallible>(seen.answer(request).await) }
            });
            let http = hyper::server::conn::http1::Builder::new();
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

impl Seen {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path().to_owned();
        let body = request.into_body().collect().await.map(|body| body.to_bytes());
        match path.as_str() {
            "/dead" => std::future::pending().await,
            "/slow" => tokio::time::sleep(Duration::from_secs(1)).await,
            _ => {
                let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
                if let (Some(arrivals), Ok(body)) = (arrivals.as_mut(), &body) {
                    arrivals.extend(number(body).map(|number| (number, Instant::now())));
                }
                self.count.fetch_add(1, Ordering::SeqCst);
                self.news.notify_one();
            }
        }
        let mut answer = Response::new(Full::default());
        *answer.status_mut() = http::StatusCode::NO_CONTENT;
        answer
    }
}

/// The number of an event, by its JSON.
pub(super) fn number(json: &[u8]) -> Option<usize> {
    let at = json.windows(12).position(|window| window == b"\"body\":{\"n\":")? + 12;
    let digits = json.get(at..)?.split(|byte| !byte.is_ascii_digit()).next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}
