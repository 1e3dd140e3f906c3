//! The end: what was read is answered, and what is idle is closed.

use crate::{gateway::Gateway, raw::Client};
use headgate_http::{Answer, ServerOptions, text_answer};
use http::{Request, StatusCode};
use hyper::body::Incoming;
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::{net::TcpStream, sync::Notify};
use tower::service_fn;

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

#[tokio::test]
async fn a_request_in_hand_is_answered_and_no_connection_is_taken_any_more() {
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let service = service_fn({
        let (begun, go_on) = (Arc::clone(&begun), Arc::clone(&go_on));
        move |_: Request<Incoming>| {
            let (begun, go_on) = (Arc::clone(&begun), Arc::clone(&go_on));
            async move {
                begun.notify_one();
                go_on.notified().await;
                Ok::<_, Infallible>(text_answer(StatusCode::OK, "done"))
            }
        }
    });
    let gateway = Gateway::start(service, ServerOptions::default()).await;
    let address = gateway.address;
    let mut idle = Client::connect(address).await;
    let mut busy = Client::connect(address).await;
    busy.send(GET).await;
    begun.notified().await;
    let stopping = gateway.stop();
    idle.is_closed().await;
    assert!(TcpStream::connect(address).await.is_err(), "the server still listens");
    go_on.notify_one();
    let answer = busy.answer().await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "done"));
    assert!(answer.closes());
    busy.is_closed().await;
    assert_eq!(stopping.report().await.cut, 0);
}

#[tokio::test]
async fn a_body_that_is_still_arriving_is_taken_after_the_stop() {
    let (gateway, mut taken) = Gateway::taking(|_| {}).await;
    let mut client = Client::connect(gateway.address).await;
    let head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    client.send(head).await;
    assert_eq!(client.answer().await.status, 100);
    let stopping = gateway.stop();
    client.send("hello").await;
    assert_eq!(client.answer().await.status, 200);
    assert_eq!(taken.next().await.body, "hello");
    assert_eq!(stopping.report().await.cut, 0);
}

#[tokio::test]
async fn what_does_not_end_in_time_is_cut() {
    let begun = Arc::new(Notify::new());
    let begins = Arc::clone(&begun);
    let never = service_fn(move |_: Request<Incoming>| {
        begins.notify_one();
        std::future::pending::<Result<Answer, Infallible>>()
    });
    let drain_timeout = Duration::from_millis(100);
    let options = ServerOptions { drain_timeout, ..ServerOptions::default() };
    let gateway = Gateway::start(never, options).await;
    let mut client = Client::connect(gateway.address).await;
    client.send(GET).await;
    begun.notified().await;
    let report = gateway.stop().report().await;
    assert_eq!((report.open, report.cut), (1, 1));
    client.is_closed().await;
}

#[tokio::test]
async fn a_panic_is_answered_500_and_the_server_goes_on() {
    let service = service_fn(|request: Request<Incoming>| async move {
        assert_ne!(request.uri().path(), "/panic", "told to");
        Ok::<_, Infallible>(text_answer(StatusCode::OK, "fine"))
    });
    let gateway = Gateway::start(service, ServerOptions::default()).await;
    let mut client = Client::connect(gateway.address).await;
    client.send("GET /panic HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "unavailable"));
    client.is_closed().await;
    let mut other = Client::connect(gateway.address).await;
    other.send(GET).await;
    assert_eq!(other.answer().await.body, "fine");
}
