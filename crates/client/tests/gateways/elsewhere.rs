//! Where the key goes, and where it does not.

use headgate_client::{Client, ClientError, Event, testing};
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const SECRET: &str = "a-secret-0123456789";

/// A server that answers everything so; answers its URL and what it is asked.
pub(super) async fn server(
    answer: impl Fn() -> String + Send + 'static,
) -> (String, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    let asked = Arc::new(Mutex::new(String::new()));
    let notes = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let length = socket.read(&mut request).await.unwrap_or(0);
            let text = String::from_utf8_lossy(request.get(..length).unwrap_or_default());
            notes.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
            let _ = socket.write_all(answer().as_bytes()).await;
        }
    });
    (url, asked)
}

pub(super) fn asked_of(asked: &Mutex<String>) -> String {
    asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn redirect_to(url: &str) -> String {
    format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: {url}/v1/events\r\n\
        content-length: 0\r\nconnection: close\r\n\r\n"
    )
}

pub(super) fn bytes(text: &str) -> String {
    let length = text.len();
    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{text}")
}

fn client(url: &str) -> Client {
    let mut client =
        Client::builder().url(url).key(SECRET).subscription("agent").build().expect("a client");
    client.on_event(|_: Event| async {});
    client
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_takes_no_key_anywhere() {
    let (elsewhere, asked) = server(|| bytes("{}")).await;
    let (gateway, first) = server(move || redirect_to(&elsewhere)).await;
    let client = client(&gateway);
    let id = "01KAJ3V3W2N9E6W0V8R3M5T7QZ".parse().expect("an id");
    let refused = client.get_event(id).await.expect_err("a redirect");
    assert!(matches!(refused, ClientError::Refused { status, .. } if status == 307), "{refused}");
    let refused = client.run().await.expect_err("a redirect of the stream and of the lease");
    assert!(!refused.try_again(), "{refused}");
    assert!(asked_of(&first).contains(SECRET), "the gateway is given the key");
    assert_eq!(asked_of(&asked), "", "nobody else is asked anything");
}

#[tokio::test]
async fn an_attachment_is_read_of_the_gateway_with_the_key_and_of_others_without() {
    let (elsewhere, others) = server(|| bytes("theirs")).await;
    let (gateway, ours) = server(|| bytes("ours")).await;
    let client = client(&gateway);
    let authority = elsewhere.trim_start_matches("http://");
    for (url, expected) in [
        ("/v1/events/1/attachments/0?s=1".to_owned(), Some("ours")),
        (format!("{gateway}/v1/events/1/attachments/0"), Some("ours")),
        (format!("{elsewhere}/a"), Some("theirs")),
        (format!("@{authority}/a"), None),
        (format!("{gateway}@{authority}/a"), Some("theirs")),
    ] {
        let file = json!({"filename": "a.txt", "content_type": "text/plain", "size_bytes": 4,
            "url": url});
        let event = testing::event("email.received", json!({"attachments": [file]}));
        let email = event.email().expect("a message");
        let read = client.attachment(&email.attachments[0]).await;
        let read = read.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        assert_eq!(read.as_deref().ok(), expected, "{url}: {read:?}");
    }
    assert_eq!(asked_of(&ours).matches(SECRET).count(), 2);
    assert!(!asked_of(&others).contains(SECRET), "{}", asked_of(&others));
}
