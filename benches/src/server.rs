//! The anchors: the least a server that verifies can do, and the least one that stores can do.
//!
//! Neither parses, normalizes, renders, looks for duplicates or serves consumers.

use anyhow::Result;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use sha2::Sha256;
use std::{
    convert::Infallible, fs::File, io::Write, net::SocketAddr, path::Path, sync::Arc, thread,
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
};

type Append = (Bytes, oneshot::Sender<()>);

#[derive(Debug)]
struct Anchor {
    key: Hmac<Sha256>,
    log: Option<mpsc::Sender<Append>>,
}

/// Serves for ever; says where on standard error as Headgate does.
pub(crate) fn run(log: Option<&Path>) -> Result<()> {
    let key = Hmac::new_from_slice(crate::push::SECRET.as_bytes())?;
    let log = log.map(spawn_log).transpose()?;
    let anchor = Arc::new(Anchor { key, log });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async move {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        eprintln!(r#"{{"message":"listening","address":"{}"}}"#, listener.local_addr()?);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let anchor = Arc::clone(&anchor);
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let anchor = Arc::clone(&anchor);
                    async move { Ok::<_, Infallible>(anchor.answer(request).await) }
                });
                let served = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                let _ = served.await;
            });
        }
    })
}

impl Anchor {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let Ok(body) = body.collect().await else { return status(400) };
        let body = body.to_bytes();
        let signature = head.headers.get("x-hub-signature-256").map(http::HeaderValue::as_bytes);
        let signature = signature.and_then(|value| value.strip_prefix(b"sha256="));
        let Some(Ok(signature)) = signature.map(hex::decode) else { return status(401) };
        let mut mac = self.key.clone();
        mac.update(&body);
        if mac.verify_slice(&signature).is_err() {
            return status(401);
        }
        let Some(log) = &self.log else { return status(200) };
        let (stored, durable) = oneshot::channel();
        if log.send((body, stored)).await.is_err() || durable.await.is_err() {
            return status(503);
        }
        status(200)
    }
}

/// One thread that appends what is queued, syncs, and answers.
fn spawn_log(path: &Path) -> Result<mpsc::Sender<Append>> {
    let mut file = File::create(path)?;
    let (sender, mut queued) = mpsc::channel::<Append>(4096);
    thread::spawn(move || {
        let (mut batch, mut waiting) = (Vec::new(), Vec::new());
        while let Some((bytes, stored)) = queued.blocking_recv() {
            batch.clear();
            batch.extend_from_slice(&bytes);
            waiting.push(stored);
            while waiting.len() < 512 {
                let Ok((bytes, stored)) = queued.try_recv() else { break };
                batch.extend_from_slice(&bytes);
                waiting.push(stored);
            }
            if file.write_all(&batch).and_then(|()| file.sync_data()).is_err() {
                return;
            }
            for stored in waiting.drain(..) {
                let _ = stored.send(());
            }
        }
    });
    Ok(sender)
}

fn status(code: u16) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(b"{}")));
    *response.status_mut() = http::StatusCode::from_u16(code).unwrap_or_default();
    response
}
