//! HTTP/2 without asking for it first.

use crate::{
    gateway::{BODY_BYTES_MAX, Gateway},
    raw::Client,
};
use bytes::Bytes;
use futures_util::StreamExt;
use http::{Request, Response, StatusCode, Version};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::{body::Incoming, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{convert::Infallible, net::SocketAddr, time::Duration};
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

/// The status and the error of the answer to a request with these headers more.
async fn refused(headers: &[(&str, &str)]) -> (u16, String) {
    let (gateway, mut taken) = Gateway::taking(|_| {}).await;
    let mut sender = connect(gateway.address).await;
    let mut request = Request::post("http://a/hook").version(Version::HTTP_2);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::from("hello")).expect("well formed");
    let answer = sender.send_request(request).await.expect("an answer");
    let status = answer.status().as_u16();
    let id = answer.headers()["x-request-id"].to_str().expect("an id").to_owned();
    let body = answer.into_body().collect().await.expect("whole").to_bytes();
    let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(body["error"]["request_id"], id);
    taken.is_empty();
    // The connection goes on: what is refused is the stream.
    assert_eq!(post(&mut sender, vec![1]).await.status(), StatusCode::OK);
    (status, body["error"]["code"].as_str().expect("a code").to_owned())
}

#[tokio::test]
async fn heads_are_held_to_the_limits_of_http_1() {
    let many = [("x", "y"); 101];
    assert_eq!(refused(&many).await, (431, "too_many_headers".to_owned()));
    let long = "y".repeat(8 << 10);
    let large = [("x", long.as_str()); 8];
    assert_eq!(refused(&large).await, (431, "head_too_large".to_owned()));
    assert_eq!(refused(&[("host", "b")]).await, (400, "bad_host".to_owned()));
    let expecting = [("expect", "a-miracle")];
    assert_eq!(refused(&expecting).await, (417, "unknown_expectation".to_owned()));
}

#[tokio::test]
async fn a_body_that_drips_is_closed_in_time() {
    let (gateway, mut taken) =
        Gateway::taking(|options| options.pace.idle_timeout = Duration::from_millis(100)).await;
    let stream = TcpStream::connect(gateway.address).await.expect("the server listens");
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("shakes hands");
    tokio::spawn(connection);
    let parts = futures_util::stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from("h")))])
        .chain(futures_util::stream::pending());
    let request = Request::post("http://a/hook").version(Version::HTTP_2);
    let request = request.body(StreamBody::new(parts)).expect("well formed");
    let answer = sender.send_request(request).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::REQUEST_TIMEOUT);
    taken.is_empty();
}
