//! A small SMTP client that sends what it is given and hides nothing.

use anyhow::{Context, Result, bail, ensure};
use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    time::Duration,
};

/// One conversation with a mail server.
#[derive(Debug)]
pub struct MailConnection {
    stream: BufReader<TcpStream>,
}

impl MailConnection {
    /// Connects, and waits for the greeting.
    pub fn open(address: &str) -> Result<Self> {
        let mut connection = Self::silent(address)?;
        let greeting = connection.reply()?;
        ensure!(greeting.starts_with("220 "), "greeted with {greeting}");
        Ok(connection)
    }

    /// Connects, and waits for nothing.
    pub fn silent(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).context("connect")?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.get_mut().write_all(bytes).context("send")
    }

    /// The last line of the next reply, without its end.
    pub fn reply(&mut self) -> Result<String> {
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line)? == 0 {
                bail!("the server has closed the connection");
            }
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(line.trim_end().to_owned());
            }
        }
    }

    /// Sends a line, and waits for the reply to it.
    pub fn ask(&mut self, line: &str) -> Result<String> {
        self.send(format!("{line}\r\n").as_bytes())?;
        self.reply()
    }

    /// Says everything before a message; answers the reply to DATA, or what came before it and is
    /// no success.
    pub fn begin(&mut self, from: &str, to: &[&str]) -> Result<String> {
        let mut lines = vec!["EHLO client.example".to_owned(), format!("MAIL FROM:<{from}>")];
        lines.extend(to.iter().map(|to| format!("RCPT TO:<{to}>")));
        for line in lines {
            let reply = self.ask(&line)?;
            if !reply.starts_with('2') {
                return Ok(reply);
            }
        }
        self.ask("DATA")
    }

    /// Delivers a message whose lines end in CRLF; answers the last reply.
    pub fn deliver(&mut self, from: &str, to: &[&str], message: &str) -> Result<String> {
        let begun = self.begin(from, to)?;
        if !begun.starts_with("354") {
            return Ok(begun);
        }
        let stuffed = message.replace("\r\n.", "\r\n..");
        self.send(format!("{stuffed}.\r\n").as_bytes())?;
        self.reply()
    }
}
