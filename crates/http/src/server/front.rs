//! The service as hyper sees it: each request gets its arrival, each answer its id, and a panic
//! becomes an answer.

use super::{
    Handler, answer_body::AnswerBody, exchange::Exchange, refusal::refusal, request_ids::RequestIds,
};
use crate::{Arrival, Reject, RequestId};
use bytes::Bytes;
use futures_util::FutureExt;
use headgate_event::{Clock, limits::STORE_RETRY_AFTER};
use http::{HeaderValue, Request, Response, StatusCode, Version, header};
use http_body_util::{Either, Full};
use hyper::{body::Incoming, service::Service};
use metrics::counter;
use std::{
    convert::Infallible, future::Future, net::SocketAddr, panic::AssertUnwindSafe, pin::Pin,
    sync::Arc,
};
use tokio::time::Instant;
use tower::ServiceExt;

const REQUEST_ID: header::HeaderName = header::HeaderName::from_static("x-request-id");

/// What stands between hyper and the service on one connection.
#[derive(Debug)]
pub(super) struct Front<S> {
    pub(super) service: S,
    pub(super) remote: SocketAddr,
    pub(super) exchange: Arc<Exchange>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) request_ids: Arc<RequestIds>,
    pub(super) head_bytes_max: usize,
}

/// What is known of a request once the service has it.
struct Line {
    request_id: RequestId,
    method: http::Method,
    version: Version,
    remote: SocketAddr,
    started: Instant,
    /// Whether the connection ends with the answer.
    closing: bool,
}

impl<S: Handler> Service<Request<Incoming>> for Front<S> {
    type Response = Response<AnswerBody<S::Body>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let line = self.line(&request);
        let is_http2 = line.version == Version::HTTP_2;
        if is_http2 {
            self.exchange.begin(); // in HTTP/1 the watch began it, with its head
        }
        let in_hand = self.exchange.ends_with();
        let refusal = self.exchange.refusal().or_else(|| refusal(&request, self.head_bytes_max));
        let exchange = Arc::clone(&self.exchange);
        request.extensions_mut().insert(Arrival {
            remote: self.remote,
            received_at: self.clock.now(),
            request_id: line.request_id.clone(),
        });
        let service = self.service.clone();
        Box::pin(async move {
            let answer = match refusal {
                Some(reject) => line.refused(&reject),
                None => line.answered(service, request).await,
            };
            if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
                exchange.upgrade();
            }
            let taking = is_http2.then(|| exchange.follow());
            Ok(line.signed(answer).map(|body| AnswerBody::new(body, taking, in_hand)))
        })
    }
}

impl<S> Front<S> {
    fn line(&self, request: &Request<Incoming>) -> Line {
        Line {
            request_id: self.request_ids.next(),
            method: request.method().clone(),
            version: request.version(),
            remote: self.remote,
            started: Instant::now(),
            // The watch sees no head behind a chunked body, so the connection ends with it.
            closing: request.headers().contains_key(header::TRANSFER_ENCODING)
                || self.exchange.closes_with_answer(),
        }
    }
}

impl Line {
    fn refused<B>(&self, reject: &Reject) -> Response<Either<Full<Bytes>, B>> {
        tracing::debug!(
            request_id = %self.request_id,
            remote = %self.remote,
            code = reject.code(),
            "the head of a request is refused"
        );
        reject.answer(&self.request_id).map(Either::Left)
    }

    async fn answered<S: Handler>(
        &self,
        service: S,
        request: Request<Incoming>,
    ) -> Response<Either<Full<Bytes>, S::Body>> {
        match AssertUnwindSafe(service.oneshot(request)).catch_unwind().await {
            Ok(Ok(answer)) => answer.map(Either::Right),
            Ok(Err(never)) => match never {},
            Err(_panic) => {
                // The panic hook has said what and where.
                tracing::error!(request_id = %self.request_id, "a request panicked");
                let reject = Reject::unavailable("it panicked", STORE_RETRY_AFTER).closing();
                reject.answer(&self.request_id).map(Either::Left)
            }
        }
    }

    /// The answer with what every answer has; counted and logged. The target is not logged: it may
    /// hold a secret, and the service knows which part.
    fn signed<B>(&self, mut answer: Response<B>) -> Response<B> {
        let headers = answer.headers_mut();
        if let Ok(id) = HeaderValue::try_from(self.request_id.as_str()) {
            headers.insert(REQUEST_ID, id);
        }
        if self.closing {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        let status = answer.status();
        counter!("headgate_http_requests_total", "status" => status.as_str().to_owned())
            .increment(1);
        tracing::debug!(
            request_id = %self.request_id,
            method = %self.method,
            version = ?self.version,
            status = status.as_u16(),
            remote = %self.remote,
            took_us = self.started.elapsed().as_micros() as u64,
            "request"
        );
        answer
    }
}
