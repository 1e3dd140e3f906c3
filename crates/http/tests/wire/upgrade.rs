//! Upgrades: after a 101 the bytes are the service's, those included that came early.

use crate::{gateway::Gateway, raw::Client};
use headgate_http::{Answer, ServerOptions, empty_answer};
use http::{HeaderValue, Request, StatusCode, header};
use hyper::{body::Incoming, upgrade};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tower::service_fn;

/// Speaks a protocol of its own: every byte comes back one larger, until a zero.
async fn upgraded(mut request: Request<Incoming>) -> Result<Answer, Infallible> {
    tokio::spawn(async move {
        let upgraded = upgrade::on(&mut request).await.expect("upgrades");
        let mut io = TokioIo::new(upgraded);
        while let Ok(byte @ 1..) = io.read_u8().await {
            io.write_u8(byte + 1).await.expect("the client reads");
        }
        io.shutdown().await.expect("open");
    });
    let mut answer = empty_answer(StatusCode::SWITCHING_PROTOCOLS);
    let headers = answer.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("plus-one"));
    Ok(answer)
}

#[tokio::test]
async fn an_upgraded_connection_is_not_watched_and_counts_until_it_ends() {
    let gateway = Gateway::start(service_fn(upgraded), ServerOptions::default()).await;
    let mut client = Client::connect(gateway.address).await;
    let head = "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: plus-one\r\n\r\n";
    // The first bytes of the other protocol come with the head, and are no malformed head.
    client.send([head.as_bytes(), b"\x01\x02"].concat()).await;
    let answer = client.answer().await;
    assert_eq!(answer.status, 101);
    answer.request_id();
    client.send(b"\n\n").await;
    let mut back = [0; 4];
    client.stream().read_exact(&mut back).await.expect("comes back");
    assert_eq!(&back, b"\x02\x03\x0b\x0b");
    let stopping = gateway.stop();
    client.send(b"\x07").await;
    assert_eq!(client.stream().read_u8().await.expect("comes back"), 8);
    client.send(b"\0").await;
    client.is_closed().await;
    let report = stopping.report().await;
    assert_eq!((report.open, report.cut), (1, 0));
}
