//! An answer that is too large to hold: read a piece at a time.

use super::{ANSWER_TIMEOUT, Client, ClientError, url};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;

/// The longest refusal that is read, in bytes.
const REFUSAL_BYTES_MAX: usize = 64 << 10;

/// An answer on its way.
#[derive(Debug)]
pub struct Download {
    url: String,
    body: Incoming,
}

impl Client {
    /// Asks for `path` (with its query) and takes a 2xx for an answer, to be read by pieces.
    pub async fn download(&self, path: &str) -> Result<Download, ClientError> {
        let url = format!("{}{path}", self.base);
        let mut request = Request::new(Full::new(Bytes::new()));
        *request.uri_mut() = self::url(&url)?;
        let headers = request.headers_mut();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/x-ndjson"));
        if let Some(authorization) = &self.authorization {
            headers.insert(header::AUTHORIZATION, authorization.clone());
        }
        let timed_out = || ClientError::TimedOut { url: url.clone(), after: ANSWER_TIMEOUT };
        let answer = tokio::time::timeout(ANSWER_TIMEOUT, self.transport.client.request(request))
            .await
            .map_err(|_| timed_out())?
            .map_err(|error| ClientError::unreachable(&url, error.into()))?;
        let (head, body) = answer.into_parts();
        if head.status.is_success() {
            return Ok(Download { url, body });
        }
        let body = Limited::new(body, REFUSAL_BYTES_MAX).collect();
        let body = tokio::time::timeout(ANSWER_TIMEOUT, body).await.map_err(|_| timed_out())?;
        let body = body.map_or(Bytes::new(), http_body_util::Collected::to_bytes);
        Err(ClientError::of_status(head.status, &HeaderMap::new(), &body))
    }
}

impl Download {
    /// The next piece; none at the end of a whole answer.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, ClientError> {
        loop {
            let frame = tokio::time::timeout(ANSWER_TIMEOUT, self.body.frame()).await;
            let timed_out =
                |_| ClientError::TimedOut { url: self.url.clone(), after: ANSWER_TIMEOUT };
            match frame.map_err(timed_out)? {
                Some(Ok(frame)) => {
                    if let Ok(piece) = frame.into_data() {
                        return Ok(Some(piece));
                    }
                }
                Some(Err(error)) => {
                    return Err(ClientError::unreachable(&self.url, error.into()));
                }
                None => return Ok(None),
            }
        }
    }
}
