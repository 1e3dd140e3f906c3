//! One TCP connection to the fake: a request for a URL, or a handshake.

use super::{Handshake, OpenAnswer, Shared, connection};
use serde_json::json;
use std::{io, sync::Arc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{
    accept_hdr_async,
    tungstenite::{
        handshake::server::{ErrorResponse, Request, Response},
        http::StatusCode,
    },
};

/// The longest request that is read, in bytes.
const REQUEST_BYTES_MAX: usize = 64 << 10;

pub(super) async fn answer(shared: Arc<Shared>, mut socket: TcpStream) {
    let _ = socket.set_nodelay(true);
    let mut first = [0; 4];
    // A connection that breaks off before it asks for anything is nobody's concern.
    let Ok(()) = peek(&socket, &mut first).await else { return };
    if &first == b"POST" {
        let _ = answer_open(&shared, &mut socket).await;
    } else {
        shake_hands(shared, socket).await;
    }
}

async fn peek(socket: &TcpStream, first: &mut [u8; 4]) -> io::Result<()> {
    loop {
        match socket.peek(first).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            4 => return Ok(()),
            _ => tokio::task::yield_now().await,
        }
    }
}

async fn answer_open(shared: &Shared, socket: &mut TcpStream) -> io::Result<()> {
    let head = read_request(socket).await?;
    let answer = shared.change(|state| {
        state.asked += 1;
        let usual = state.always.clone().unwrap_or(OpenAnswer::Ok);
        state.opens.pop_front().unwrap_or(usual)
    });
    let error = |code: &str| json!({"ok": false, "error": code}).to_string();
    let (status, retry_after, body) = match answer {
        _ if !head.starts_with("POST /api/apps.connections.open ") => {
            (404, None, error("unknown_method"))
        }
        _ if !head.to_ascii_lowercase().contains("\r\nauthorization: bearer xapp-") => {
            (200, None, error("not_authed"))
        }
        OpenAnswer::Ok => {
            let ticket = shared.change(|state| state.workspace.ticket());
            let url = format!("ws://{}/link/?ticket={ticket}&app_id=A0FAKE", shared.address);
            (200, None, json!({"ok": true, "url": url}).to_string())
        }
        OpenAnswer::RateLimited(seconds) => (429, Some(seconds), error("ratelimited")),
        OpenAnswer::Error(code) => (200, None, error(&code)),
        OpenAnswer::Status(status) => (status, None, String::new()),
        OpenAnswer::Body(body) => (200, None, body),
        OpenAnswer::Hang => return std::future::pending().await,
    };
    let retry_after = retry_after.map(|seconds| format!("retry-after: {seconds}\r\n"));
    let head = format!(
        "HTTP/1.1 {status} Fake\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         {}connection: close\r\n\r\n{body}",
        body.len(),
        retry_after.unwrap_or_default(),
    );
    socket.write_all(head.as_bytes()).await?;
    socket.shutdown().await
}

/// Reads a request with its body, and gives its head.
async fn read_request(socket: &mut TcpStream) -> io::Result<String> {
    let mut bytes = Vec::new();
    loop {
        let mut part = [0; 1024];
        let count = socket.read(&mut part).await?;
        bytes.extend_from_slice(part.get(..count).unwrap_or_default());
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                return Ok(format!("{head}\r\n"));
            }
        }
        if count == 0 || bytes.len() > REQUEST_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
}

async fn shake_hands(shared: Arc<Shared>, socket: TcpStream) {
    let handshake =
        shared.change(|state| state.handshakes.pop_front()).unwrap_or(Handshake::Accept);
    if handshake == Handshake::Hang {
        return std::future::pending().await;
    }
    let mut ticket = String::new();
    #[expect(clippy::result_large_err, reason = "the library's own signature")]
    let look = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        let refused = |status: u16| {
            let mut refused = ErrorResponse::new(None);
            *refused.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
            refused
        };
        if let Handshake::Status(status) = handshake {
            return Err(refused(status));
        }
        let query = request.uri().query().unwrap_or_default();
        let given = query.split('&').find_map(|pair| pair.strip_prefix("ticket="));
        ticket = given.unwrap_or_default().to_owned();
        // Whether it is good the workspace says afterwards, once it is used.
        if ticket.is_empty() { Err(refused(403)) } else { Ok(response) }
    };
    let Ok(socket) = accept_hdr_async(socket, look).await else { return };
    shared.count_socket(1);
    if handshake == Handshake::AcceptInSilence {
        connection::stay_silent(socket).await;
    } else if let Some((id, orders)) = shared.connect(&ticket) {
        connection::carry(&shared, id, socket, orders).await;
        shared.gone(id);
    }
    shared.count_socket(-1);
}
