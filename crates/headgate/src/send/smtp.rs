//! A sample message to a mail server, by SMTP (RFC 5321), as another mail server would send it;
//! unlike most of them it looks at the server's certificate.

mod conversation;

use super::{letter, unknown_event};
use crate::{
    cli::SendArguments,
    client::{CONNECT_TIMEOUT, trusting_system},
    clock::SystemClock,
    failure::Failure,
    output,
};
use anyhow::{Context, anyhow, ensure};
use conversation::{Conversation, Reply};
use headgate_email::smtp::Address;
use headgate_event::Clock;
use rustls::pki_types::ServerName;
use serde_json::json;
use std::sync::Arc;
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Where a message is sent.
struct Destination<'a> {
    security: Security,
    server: &'a str,
    /// The name in the server's certificate.
    host: &'a str,
    address: &'a str,
}

/// When TLS is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Security {
    /// Never.
    None,
    /// After STARTTLS (RFC 3207).
    Upgraded,
    /// From the first byte (RFC 8314).
    Immediate,
}

/// How the ways are written.
const SCHEMES: [(&str, Security); 3] = [
    ("smtp://", Security::None),
    ("smtp+starttls://", Security::Upgraded),
    ("smtps://", Security::Immediate),
];

/// Sends one sample and shows the last reply.
pub(super) async fn run(arguments: &SendArguments, to: &str) -> Result<(), Failure> {
    let destination = destination(to)?;
    let address = destination.address;
    let sample =
        letter::sample(arguments.event.as_deref(), address, getrandom::u64()?, SystemClock.now());
    let sample = sample.ok_or_else(|| unknown_event(arguments, letter::NAMES.iter().copied()))?;
    let reply = destination.send(&sample).await?;
    let Reply { code, text } = &reply;
    if arguments.json {
        output::line(&json!({ "status": code, "body": text }).to_string())?;
    } else {
        output::line(&format!("{code} {text}"))?;
    }
    if reply.is_good() { Ok(()) } else { Err(anyhow!("the message was refused").into()) }
}

/// A way, `host:port` and `/address`.
fn destination(to: &str) -> Result<Destination<'_>, Failure> {
    let found = SCHEMES.into_iter().find_map(|(scheme, security)| {
        let (server, address) = to.strip_prefix(scheme)?.split_once('/')?;
        let (host, port) = server.rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let is_right = port.parse::<u16>().is_ok() && Address::parse(address).is_ok();
        is_right.then_some(Destination { security, server, host, address })
    });
    found.ok_or_else(|| {
        Failure::usage(format!(
            "expected a server and an address such as `smtp://127.0.0.1:2525/ann@localhost`, or \
             with `smtp+starttls://` or `smtps://`, found `{to}`"
        ))
    })
}

impl Destination<'_> {
    /// Sends a message; answers the reply to it, or to what was refused before.
    async fn send(&self, letter: &letter::Letter) -> anyhow::Result<Reply> {
        let connecting = timeout(CONNECT_TIMEOUT, TcpStream::connect(self.server)).await;
        let stream = connecting
            .map_err(|_| anyhow!("no answer"))
            .and_then(|connected| Ok(connected?))
            .with_context(|| format!("cannot connect to `{}`", self.server))?;
        if self.security == Security::Immediate {
            let mut secure = Conversation::new(self.shake_hands(stream).await?);
            let greeting = secure.reply().await?;
            return secure.deliver(greeting, letter, self.address).await;
        }
        let mut plain = Conversation::new(stream);
        let greeting = plain.reply().await?;
        if self.security == Security::None {
            return plain.deliver(greeting, letter, self.address).await;
        }
        let ready = plain.ask_in_turn(greeting, &["EHLO localhost", "STARTTLS"]).await?;
        if !ready.is_good() {
            return Ok(ready);
        }
        // What stands behind the reply was not said by the one whose certificate comes next.
        let (stream, early) = plain.into_parts();
        ensure!(early == 0, "the server said more than it was asked before TLS began");
        let mut secure = Conversation::new(self.shake_hands(stream).await?);
        secure.deliver(ready, letter, self.address).await
    }

    async fn shake_hands(&self, stream: TcpStream) -> anyhow::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(self.host.to_owned());
        let name = name.with_context(|| format!("`{}` is no name of a server", self.host))?;
        let connector = TlsConnector::from(Arc::new(trusting_system()?));
        let shaking = timeout(CONNECT_TIMEOUT, connector.connect(name, stream)).await;
        shaking
            .map_err(|_| anyhow!("no answer"))
            .and_then(|shaken| Ok(shaken?))
            .with_context(|| format!("no TLS with `{}`", self.server))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_a_way_a_server_and_an_address() {
        for (to, security, server, host) in [
            ("smtp://127.0.0.1:2525/ann@localhost", Security::None, "127.0.0.1:2525", "127.0.0.1"),
            (
                "smtp+starttls://mx.example:25/a@b.example",
                Security::Upgraded,
                "mx.example:25",
                "mx.example",
            ),
            ("smtps://[::1]:465/a+tag@b.example", Security::Immediate, "[::1]:465", "::1"),
        ] {
            let found = destination(to).unwrap_or_else(|_| panic!("{to}"));
            assert_eq!((found.security, found.server, found.host), (security, server, host));
        }
        for wrong in [
            "http://127.0.0.1:2525/ann@localhost",
            "smtp://127.0.0.1/ann@localhost",
            "smtp://127.0.0.1:2525",
            "smtp://127.0.0.1:2525/ann",
            "smtps://127.0.0.1:99999/ann@localhost",
        ] {
            assert!(destination(wrong).is_err(), "{wrong}");
        }
    }
}
