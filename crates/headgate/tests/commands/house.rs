//! A gateway that runs, with an open channel, a signed one, and a subscription to both.

use crate::run::{Ended, Running, finish, headgate};
use serde_json::Value;
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::Command,
};
use tempfile::TempDir;

pub(crate) const GITHUB_SECRET: &str = "It's a Secret to Everybody";
pub(crate) const KEY: &str = "0123456789abcdef0123456789abcdef";

pub(crate) struct House {
    pub(crate) gateway: Running,
    pub(crate) address: String,
    pub(crate) folder: TempDir,
}

const CHANNELS: &str = r#"
[[channel]]
id = "open"
type = "webhook"
verify = "none"

[[channel]]
id = "hub"
type = "webhook"
provider = "github"
secrets = [{ env = "GITHUB_SECRET" }]

[[subscription]]
name = "agent"
start = "earliest"
retry = { attempts = 4, first = "10ms", longest = "20ms" }
"#;

const KEYS: &str = r#"
[[api_key]]
name = "reader"
key = { env = "READER_KEY" }
scopes = ["read"]
"#;

impl House {
    pub(crate) fn open() -> Self {
        Self::with("")
    }

    /// One that wants a key.
    pub(crate) fn locked() -> Self {
        Self::with(KEYS)
    }

    /// One with more in its configuration.
    pub(crate) fn with(more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("headgate.toml");
        fs::write(&config, format!("[server]\nlisten = \"127.0.0.1:0\"\n{CHANNELS}{more}"))
            .expect("written");
        let (gateway, address) = start(&config);
        Self { gateway, address, folder }
    }

    /// A command that talks to this gateway.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = headgate();
        command.args(arguments).env("HEADGATE_URL", format!("http://{}", self.address));
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        finish(&mut self.command(arguments))
    }

    /// Sends a body to the open channel; the id of its event.
    pub(crate) fn post(&self, body: &str) -> String {
        let answer = request(&self.address, "POST", "/v1/webhook/open", body);
        answer["id"].as_str().unwrap_or_else(|| panic!("no id in {answer}")).to_owned()
    }

    /// How far the subscription is.
    pub(crate) fn subscription(&self) -> Value {
        request(&self.address, "GET", "/v1/subscriptions/agent", "")
    }

    /// Waits until the subscription has nothing left to do.
    pub(crate) fn until_settled(&self) -> Value {
        until("all is settled", || {
            let status = self.subscription();
            let none = |name: &str| status[name].as_u64() == Some(0);
            (none("lag") && none("in_flight") && none("waiting")).then_some(status)
        })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Starts a gateway on a configuration and waits until it listens.
pub(crate) fn start(config: &std::path::Path) -> (Running, String) {
    let mut command = headgate();
    command.args(["serve", "--config"]).arg(config);
    command.env("GITHUB_SECRET", GITHUB_SECRET).env("READER_KEY", KEY);
    let gateway = Running::start(&mut command);
    let line: Value = serde_json::from_str(&gateway.said("\"listening\"")).expect("a log line");
    let address = line["address"].as_str().expect("an address").to_owned();
    (gateway, address)
}

/// Asks again and again until there is an answer.
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    for _ in 0..3_000 {
        if let Some(answer) = ask() {
            return answer;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(10));
    }
    panic!("waited in vain until {what}");
}

/// One request on a connection of its own, and the JSON of its answer.
pub(crate) fn request(address: &str, method: &str, path: &str, body: &str) -> Value {
    let answer = answer(address, method, path, "", body);
    let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no body: {answer}"));
    serde_json::from_str(body).unwrap_or_else(|_| panic!("no JSON: {answer}"))
}

/// One request with further header lines on a connection of its own, and its whole answer.
pub(crate) fn answer(address: &str, method: &str, path: &str, lines: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the gateway is there");
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n{lines}\
         content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    stream.write_all(head.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}
