//! An endpoint that notes what comes and answers as it is told.

use bytes::Bytes;
use headgate_event::BoxFuture;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{net::TcpListener, sync::watch};

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Posted {
    pub(crate) path: String,
    pub(crate) headers: http::HeaderMap,
    /// The length of its body.
    pub(crate) bytes: usize,
}

impl Posted {
    /// A header, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

pub(crate) type Answer = BoxFuture<'static, Response<Full<Bytes>>>;

/// An answer of this status at once, with this `retry-after` if it is any.
pub(crate) fn answer(status: u16, retry_after: &'static str) -> Answer {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    if !retry_after.is_empty() {
        let value = header::HeaderValue::from_static(retry_after);
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    Box::pin(async move { response })
}

/// It listens until its test ends.
pub(crate) struct Endpoint {
    pub(crate) address: String,
    posted: Arc<Mutex<Vec<Posted>>>,
    count: watch::Receiver<usize>,
}

impl Endpoint {
    pub(crate) async fn start(answer: impl Fn(&Posted) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound").to_string();
        let (posted, answer) = (Arc::<Mutex<Vec<Posted>>>::default(), Arc::new(answer));
        let (told, count) = watch::channel(0);
        let (noted, told) = (Arc::clone(&posted), Arc::new(told));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (noted, told) = (Arc::clone(&noted), Arc::clone(&told));
                let answer = Arc::clone(&answer);
                let service = service_fn(move |request: Request<Incoming>| {
                    let (noted, told) = (Arc::clone(&noted), Arc::clone(&told));
                    let answer = Arc::clone(&answer);
                    async move {
                        let one = read(request).await;
                        let answer = answer(&one);
                        note(&noted, &told, one);
                        Ok::<_, Infallible>(answer.await)
                    }
                });
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, posted, count }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// Everything that came so far.
    pub(crate) fn posted(&self) -> Vec<Posted> {
        self.posted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until so many have come.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Posted> {
        let _ = self.count.clone().wait_for(|came| *came >= count).await.expect("it listens");
        self.posted()
    }
}

fn note(noted: &Mutex<Vec<Posted>>, told: &watch::Sender<usize>, one: Posted) {
    let mut all = noted.lock().unwrap_or_else(PoisonError::into_inner);
    all.push(one);
    told.send_replace(all.len());
}

/// The head is kept, and of the body its length.
async fn read(request: Request<Incoming>) -> Posted {
    let (head, mut body) = request.into_parts();
    let mut bytes = 0;
    while let Some(Ok(frame)) = body.frame().await {
        bytes += frame.data_ref().map_or(0, Bytes::len);
    }
    Posted { path: head.uri.path().to_owned(), headers: head.headers, bytes }
}
