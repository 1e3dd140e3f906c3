//! Calls to the API on a kept connection, as a consumer makes them.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A kept connection.
#[derive(Debug)]
pub(crate) struct Caller {
    address: String,
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Caller {
    /// Connects.
    pub(crate) async fn new(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { address: address.to_owned(), stream, buffer: Vec::new() })
    }

    /// Calls and gives the body of a 200, unread.
    pub(crate) async fn call(&mut self, method: &str, path: &str, body: &str) -> Result<&[u8]> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        self.stream.write_all(head.as_bytes()).await?;
        self.buffer.clear();
        let end = loop {
            ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the server hung up");
            if let Some(at) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
        };
        let head = std::str::from_utf8(&self.buffer[..end])?.to_ascii_lowercase();
        let Some((_, length)) = head.split_once("content-length: ") else {
            bail!("no content-length in `{head}`")
        };
        let length: usize = length.lines().next().context("a length")?.trim().parse()?;
        while self.buffer.len() < end + length {
            ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the server hung up");
        }
        let body = &self.buffer[end..];
        ensure!(head.starts_with("http/1.1 200"), "{head}{}", String::from_utf8_lossy(body));
        Ok(body)
    }

    /// Calls and reads the answer as JSON.
    pub(crate) async fn json(&mut self, method: &str, path: &str, body: &str) -> Result<Value> {
        Ok(serde_json::from_slice(self.call(method, path, body).await?)?)
    }
}
