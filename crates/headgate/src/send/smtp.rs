//! A sample message to a mail server, by SMTP (RFC 5321), as another mail server would send it.

use super::{letter, unknown_event};
use crate::{
    cli::SendArguments, client::CONNECT_TIMEOUT, clock::SystemClock, failure::Failure, output,
};
use anyhow::{Context, anyhow, bail};
use headgate_email::smtp::Address;
use headgate_event::Clock;
use serde_json::json;
use std::time::Duration;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

/// How long a server may take for one reply (RFC 5321, section 4.5.3.2 allows more).
const REPLY_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest line of a reply, in bytes.
const LINE_BYTES_MAX: u64 = 4 << 10;
/// The most lines of a reply.
const LINES_MAX: usize = 100;

/// Where a message is sent.
struct Destination<'a> {
    server: &'a str,
    address: &'a str,
}

/// A conversation with a mail server.
struct Conversation(BufReader<TcpStream>);

/// One reply.
struct Reply {
    code: u16,
    text: String,
}

/// Sends one sample and shows the last reply.
pub(super) async fn run(arguments: &SendArguments, to: &str) -> Result<(), Failure> {
    let Destination { server, address } = destination(to)?;
    let sample =
        letter::sample(arguments.event.as_deref(), address, getrandom::u64()?, SystemClock.now());
    let sample = sample.ok_or_else(|| unknown_event(arguments, letter::NAMES.iter().copied()))?;
    let connecting = timeout(CONNECT_TIMEOUT, TcpStream::connect(server)).await;
    let stream = connecting
        .map_err(|_| anyhow!("no answer"))
        .and_then(|connected| Ok(connected?))
        .with_context(|| format!("cannot connect to `{server}`"))?;
    let mut conversation = Conversation(BufReader::new(stream));
    let reply = conversation.send(&sample, address).await?;
    let Reply { code, text } = &reply;
    if arguments.json {
        output::line(&json!({ "status": code, "body": text }).to_string())?;
    } else {
        output::line(&format!("{code} {text}"))?;
    }
    if reply.is_good() { Ok(()) } else { Err(anyhow!("the message was refused").into()) }
}

/// `smtp://host:port/address`.
fn destination(to: &str) -> Result<Destination<'_>, Failure> {
    let split = to.strip_prefix("smtp://").and_then(|rest| rest.split_once('/'));
    let found = split.filter(|(server, address)| {
        let port = server.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        port.is_some() && Address::parse(address).is_ok()
    });
    let (server, address) = found.ok_or_else(|| {
        Failure::usage(format!(
            "expected a server and an address such as `smtp://127.0.0.1:2525/ann@localhost`, \
             found `{to}`"
        ))
    })?;
    Ok(Destination { server, address })
}

impl Conversation {
    /// Sends a message; answers the reply to it, or to what was refused before.
    async fn send(&mut self, letter: &letter::Letter, to: &str) -> anyhow::Result<Reply> {
        let greeting = self.reply().await?;
        let from = letter.from.unwrap_or_default();
        let commands = [
            "EHLO localhost".to_owned(),
            format!("MAIL FROM:<{from}>"),
            format!("RCPT TO:<{to}>"),
            "DATA".to_owned(),
        ];
        let mut last = greeting;
        for command in commands {
            if !last.is_good() {
                return Ok(last);
            }
            last = self.ask(&command).await?;
        }
        if last.code != 354 {
            return Ok(last);
        }
        // A line that begins with a dot gets another (RFC 5321, section 4.5.2).
        let stuffed = letter.message.replace("\r\n.", "\r\n..");
        let taken = self.ask(&format!("{stuffed}.")).await?;
        // The message is the server's, whether it says goodbye or not.
        let _ = self.ask("QUIT").await;
        Ok(taken)
    }

    async fn ask(&mut self, text: &str) -> anyhow::Result<Reply> {
        self.0.write_all(format!("{text}\r\n").as_bytes()).await.context("cannot send")?;
        self.reply().await
    }

    async fn reply(&mut self) -> anyhow::Result<Reply> {
        let reading = timeout(REPLY_TIMEOUT, self.lines()).await;
        reading.map_err(|_| anyhow!("the server does not answer"))?
    }

    /// The last line of a reply.
    async fn lines(&mut self) -> anyhow::Result<Reply> {
        for _ in 0..LINES_MAX {
            let mut line = String::new();
            let read = (&mut self.0).take(LINE_BYTES_MAX).read_line(&mut line).await?;
            let code = line.get(..3).and_then(|code| code.parse().ok());
            let Some(code) = code.filter(|_| read > 0) else {
                bail!("expected a reply of SMTP, found `{}`", line.trim_end().escape_debug());
            };
            if line.as_bytes().get(3) != Some(&b'-') {
                let text = line.get(4..).unwrap_or_default().trim_end().to_owned();
                return Ok(Reply { code, text });
            }
        }
        bail!("expected the end of a reply of SMTP, found more than {LINES_MAX} lines")
    }
}

impl Reply {
    fn is_good(&self) -> bool {
        (200..400).contains(&self.code)
    }
}
