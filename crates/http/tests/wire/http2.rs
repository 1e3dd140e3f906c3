//! HTTP/2 without asking for it first.

use crate::{
    gateway::{BODY_BYTES_MAX, Gateway},
    raw::Client,
};
use bytes::Bytes;
use http::{Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::net::SocketAddr;
use tokio::net::TcpStream;

async fn connect(address: SocketAddr) -> http2::SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.expect("the server listens");
    let (sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("shakes hands");
    tokio::spawn(connection);
    sender
}

async fn post(sender: &mut http2::SendRequest<Full<Bytes>>, body: Vec<u8>) -> Response<Incoming> {
    let request = Request::post("http://a/hook?b=c").version(Version::HTTP_2);
    let request = request.body(Full::from(body)).expect("well formed");
    sender.send_request(request).await.expect("an answer")
}

#[tokio::test]
async fn requests_share_a_connection_and_carry_their_ids() {
    let (gateway, mut taken) = Gateway::taking(|_| {}).await;
    let mut sender = connect(gateway.address).await;
    let body = vec![7; 2 << 20];
    let mut ids = Vec::new();
    for _ in 0..3 {
        let answer = post(&mut sender, body.clone()).await;
        assert_eq!(answer.status(), StatusCode::OK);
        ids.push(answer.headers()["x-request-id"].clone());
        let request = taken.next().await;
        assert!(request.body == body, "the body differs");
        assert_eq!((request.path.as_str(), request.query.as_str()), ("/hook", "b=c"));
    }
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let (gateway, mut taken) = Gateway::taking(|_| {}).await;
    let mut sender = connect(gateway.address).await;
    let answer = post(&mut sender, vec![7; BODY_BYTES_MAX + 1]).await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(!answer.headers().contains_key("connection"), "no header of HTTP/1");
    let body = answer.into_body().collect().await.expect("whole").to_bytes();
    assert!(body.starts_with(br#"{"error":{"code":"body_too_large""#), "{body:?}");
    taken.is_empty();
}

#[tokio::test]
async fn the_preface_may_be_split_at_every_byte() {
    let (gateway, _taken) = Gateway::taking(|_| {}).await;
    let empty_settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    let opening = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &empty_settings].concat();
    for at in 1..opening.len() {
        let mut client = Client::connect(gateway.address).await;
        client.send(&opening[..at]).await;
        tokio::task::yield_now().await;
        client.send(&opening[at..]).await;
        let mut frame = [0; 9];
        tokio::io::AsyncReadExt::read_exact(client.stream(), &mut frame).await.expect("a frame");
        assert_eq!(frame[3], 4, "the server's settings come first");
    }
}

#[tokio::test]
async fn what_only_begins_like_the_preface_is_malformed() {
    let (gateway, _taken) = Gateway::taking(|_| {}).await;
    let mut client = Client::connect(gateway.address).await;
    client.send("PRI * HTTP/2.0\r\n\r\nXX").await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "head_malformed"));
}

#[tokio::test]
async fn a_stop_lets_the_streams_in_hand_end() {
    let (gateway, mut taken) = Gateway::taking(|_| {}).await;
    let mut sender = connect(gateway.address).await;
    assert_eq!(post(&mut sender, vec![1]).await.status(), StatusCode::OK);
    taken.next().await;
    let report = gateway.stop().report().await;
    assert_eq!((report.open, report.cut), (1, 0));
    sender.ready().await.expect_err("the connection is over");
}
