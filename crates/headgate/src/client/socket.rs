//! A WebSocket to a gateway: text frames in.

use super::{ClientError, tls, url};
use futures_util::StreamExt;
use http::{HeaderValue, Uri, header, uri::PathAndQuery};
use rustls::pki_types::{IpAddr, ServerName};
use std::{net::Ipv6Addr, time::Duration};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config,
    tungstenite::{self, Message, client::IntoClientRequest, protocol::WebSocketConfig},
};

/// The largest frame that is read, in bytes: an event with its body, in base64 at worst.
const FRAME_BYTES_MAX: usize = 128 << 20;
/// A connection on which nothing comes for so long, not even a ping, is gone.
const SILENCE_MAX: Duration = Duration::from_secs(90);

/// An open stream.
#[derive(Debug)]
pub struct Stream {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    url: String,
}

pub(super) async fn open(
    base: &str,
    server_name: Option<&ServerName<'static>>,
    authorization: Option<&HeaderValue>,
    timeout: Duration,
) -> Result<Stream, ClientError> {
    let uri = url(base)?;
    let unreachable = |error| ClientError::unreachable(base, Box::new(error));
    let mut request =
        address(&uri, server_name).as_str().into_client_request().map_err(unreachable)?;
    if let Some(authorization) = authorization {
        request.headers_mut().insert(header::AUTHORIZATION, authorization.clone());
    }
    let config = WebSocketConfig::default()
        .max_message_size(Some(FRAME_BYTES_MAX))
        .max_frame_size(Some(FRAME_BYTES_MAX));
    let connector = Connector::Rustls(tls::config(&uri)?.into());
    let opening = async {
        let socket = TcpStream::connect(place(&uri)).await?;
        socket.set_nodelay(true)?;
        client_async_tls_with_config(request, socket, Some(config), Some(connector)).await
    };
    match tokio::time::timeout(timeout, opening).await {
        Ok(Ok((socket, _))) => Ok(Stream { socket, url: base.to_owned() }),
        Ok(Err(tungstenite::Error::Http(answer))) => {
            let body = answer.body().as_deref().unwrap_or_default();
            Err(ClientError::of_status(answer.status(), answer.headers(), body))
        }
        Ok(Err(error)) => Err(unreachable(error)),
        Err(_) => Err(ClientError::TimedOut { url: base.to_owned(), after: timeout }),
    }
}

/// The URL as WebSocket writes it: `ws` for `http` and `wss` for `https`, with the name that the
/// certificate has to be made out to.
fn address(url: &Uri, server_name: Option<&ServerName<'_>>) -> String {
    let scheme = if is_tls(url) { "wss" } else { "ws" };
    let host = match server_name {
        Some(ServerName::IpAddress(IpAddr::V6(ip))) => format!("[{}]", Ipv6Addr::from(*ip)),
        Some(name) => name.to_str().into_owned(),
        None => url.host().unwrap_or_default().to_owned(),
    };
    let target = url.path_and_query().map_or("/", PathAndQuery::as_str);
    format!("{scheme}://{host}:{}{target}", port(url))
}

/// Where to connect to: the host without the brackets of IPv6, and the port.
fn place(url: &Uri) -> (&str, u16) {
    let host = url.host().unwrap_or_default();
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    (bare.unwrap_or(host), port(url))
}

fn port(url: &Uri) -> u16 {
    url.port_u16().unwrap_or(if is_tls(url) { 443 } else { 80 })
}

fn is_tls(url: &Uri) -> bool {
    url.scheme_str() == Some("https")
}

impl Stream {
    /// The next text frame; none when the other side closed.
    pub async fn next(&mut self) -> Result<Option<String>, ClientError> {
        loop {
            let Ok(message) = tokio::time::timeout(SILENCE_MAX, self.socket.next()).await else {
                return Err(ClientError::TimedOut { url: self.url.clone(), after: SILENCE_MAX });
            };
            match message {
                None | Some(Ok(Message::Close(_))) => return Ok(None),
                Some(Ok(Message::Text(text))) => return Ok(Some(text.as_str().to_owned())),
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    return Err(ClientError::unreachable(&self.url, Box::new(error)));
                }
            }
        }
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        // The other side may be gone already, which is what was wanted.
        let _ = self.socket.close(None).await;
    }
}
