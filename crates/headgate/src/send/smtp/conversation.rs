//! What is said to a mail server, and what it answers.

use super::letter::Letter;
use anyhow::{Context, anyhow, bail};
use std::time::Duration;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    time::timeout,
};

/// How long a server may take for one reply (RFC 5321, section 4.5.3.2 allows more).
const REPLY_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest line of a reply, in bytes.
const LINE_BYTES_MAX: u64 = 4 << 10;
/// The most lines of a reply.
const LINES_MAX: usize = 100;

/// A conversation with a mail server.
pub(super) struct Conversation<I>(BufReader<I>);

/// One reply.
pub(super) struct Reply {
    pub(super) code: u16,
    pub(super) text: String,
}

impl<I: AsyncRead + AsyncWrite + Unpin> Conversation<I> {
    pub(super) fn new(io: I) -> Self {
        Self(BufReader::new(io))
    }

    /// The connection, and how many bytes came that nobody looked at.
    pub(super) fn into_parts(self) -> (I, usize) {
        let early = self.0.buffer().len();
        (self.0.into_inner(), early)
    }

    /// Sends a message after a good reply; answers the reply to it, or to what was refused before.
    pub(super) async fn deliver(
        &mut self,
        last: Reply,
        letter: &Letter,
        to: &str,
    ) -> anyhow::Result<Reply> {
        let from = format!("MAIL FROM:<{}>", letter.from.unwrap_or_default());
        let to = format!("RCPT TO:<{to}>");
        let ready = self.ask_in_turn(last, &["EHLO localhost", &from, &to, "DATA"]).await?;
        if ready.code != 354 {
            return Ok(ready);
        }
        // A line that begins with a dot gets another (RFC 5321, section 4.5.2).
        let stuffed = letter.message.replace("\r\n.", "\r\n..");
        let taken = self.ask(&format!("{stuffed}.")).await?;
        // The message is the server's, whether it says goodbye or not.
        let _ = self.ask("QUIT").await;
        Ok(taken)
    }

    /// Says one command after the other, as long as the replies are good.
    pub(super) async fn ask_in_turn(
        &mut self,
        last: Reply,
        commands: &[&str],
    ) -> anyhow::Result<Reply> {
        let mut last = last;
        for command in commands {
            if !last.is_good() {
                break;
            }
            last = self.ask(command).await?;
        }
        Ok(last)
    }

    async fn ask(&mut self, text: &str) -> anyhow::Result<Reply> {
        let said = async {
            self.0.write_all(format!("{text}\r\n").as_bytes()).await?;
            self.0.flush().await
        };
        said.await.context("cannot send")?;
        self.reply().await
    }

    /// The last line of a reply.
    pub(super) async fn reply(&mut self) -> anyhow::Result<Reply> {
        let reading = timeout(REPLY_TIMEOUT, self.lines()).await;
        reading.map_err(|_| anyhow!("the server does not answer"))?
    }

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
    pub(super) fn is_good(&self) -> bool {
        (200..400).contains(&self.code)
    }
}
