//! A client that sends bytes as they are, and reads answers no further than they go.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Far beyond anything a test waits for; only a failing test gets there.
const PATIENCE: Duration = Duration::from_secs(20);

/// One connection.
pub(crate) struct Client {
    stream: TcpStream,
}

/// One answer.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the server listens");
        stream.set_nodelay(true).expect("the socket is open");
        Self { stream }
    }

    pub(crate) fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let sent = timeout(PATIENCE, self.stream.write_all(bytes.as_ref())).await;
        sent.expect("the server reads").expect("the connection is open");
    }

    /// Sends until the server has closed the connection.
    pub(crate) async fn send_what_is_taken(&mut self, bytes: impl AsRef<[u8]>) {
        let sent = timeout(PATIENCE, self.stream.write_all(bytes.as_ref())).await;
        let _ = sent.expect("the server reads or closes");
    }

    /// Reads one answer, also one that says to go on.
    pub(crate) async fn answer(&mut self) -> Answered {
        let read = timeout(PATIENCE, self.read_answer()).await;
        read.expect("the server answers in time")
    }

    async fn read_answer(&mut self) -> Answered {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match self.stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(error) => {
                    panic!("{error} in the answer {:?}", String::from_utf8_lossy(&head))
                }
            }
        }
        let head = String::from_utf8(head).expect("a head is text");
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status");
        let headers: BTreeMap<_, _> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let length =
            headers.get("content-length").map_or(0, |length| length.parse().expect("digits"));
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.expect("the body is whole");
        let body = String::from_utf8(body).expect("a body is text");
        Answered { status: status.parse().expect("digits"), headers, body }
    }

    /// All that comes until the server closes.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let read = timeout(PATIENCE, self.stream.read_to_end(&mut rest)).await;
        read.expect("the server closes in time").expect("it closes in good order");
        rest
    }

    /// Asserts that the connection is at its end.
    pub(crate) async fn is_closed(&mut self) {
        assert_eq!(String::from_utf8_lossy(&self.rest().await), "");
    }
}

impl Answered {
    /// The code in an error's body.
    pub(crate) fn code(&self) -> String {
        let error = self.error();
        error["code"].as_str().expect("a code").to_owned()
    }

    /// The error that the body tells; its id is the header's.
    pub(crate) fn error(&self) -> serde_json::Value {
        let body: serde_json::Value = serde_json::from_str(&self.body).expect("the body is JSON");
        let error = body["error"].clone();
        assert_eq!(error["request_id"].as_str(), Some(self.request_id()));
        error
    }

    pub(crate) fn request_id(&self) -> &str {
        let id = self.headers.get("x-request-id");
        id.unwrap_or_else(|| panic!("no x-request-id in {self:?}"))
    }

    pub(crate) fn closes(&self) -> bool {
        self.headers.get("connection").is_some_and(|value| value == "close")
    }
}
