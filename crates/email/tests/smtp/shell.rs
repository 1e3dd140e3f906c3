//! The receiver on real sockets, before clients that nobody here wrote and some that nobody wants.

use crate::wire::{STORED_AT, directory};
use headgate_email::smtp::{
    Delivered, Encryption, Letter, Mailbox, SmtpOptions, SmtpPorts, SmtpReport, serve,
};
use headgate_event::EventId;
use headgate_http::{Intake, IntakeOptions, Tls, TlsFiles};
use headgate_testkit::ManualClock;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use std::{fs, net::SocketAddr, process::Command, sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc, oneshot},
    task::{JoinHandle, spawn_blocking},
    time::timeout,
};

const PATIENCE: Duration = Duration::from_secs(20);
const BEGIN: &str =
    "EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<support@example.com>\r\nDATA\r\n";

/// A mailbox of memory that stores when it is let.
struct Memory {
    letters: mpsc::UnboundedSender<Letter>,
    turns: Arc<Semaphore>,
}

impl Mailbox for Memory {
    async fn deliver(&self, letter: Letter) -> Delivered {
        self.letters.send(letter).expect("the test listens");
        self.turns.acquire().await.expect("turns").forget();
        Delivered::Stored(EventId::from_parts(STORED_AT, 1))
    }

    fn has_room(&self) -> bool {
        true
    }
}

/// A receiver that runs.
struct Running {
    address: SocketAddr,
    letters: mpsc::UnboundedReceiver<Letter>,
    turns: Arc<Semaphore>,
    stop: oneshot::Sender<()>,
    report: JoinHandle<SmtpReport>,
    folder: TempDir,
}

fn options() -> SmtpOptions {
    SmtpOptions::new("mx.example.com")
}

/// The receiver with TLS of a certificate for `localhost`.
async fn encrypted(encryption: fn(Tls) -> Encryption) -> Running {
    let folder = TempDir::new().expect("a folder");
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2120, 1, 1);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("a certificate");
    let files = TlsFiles {
        certificate: folder.path().join("cert.pem"),
        key: folder.path().join("key.pem"),
    };
    fs::write(&files.certificate, certificate.pem()).expect("writes");
    fs::write(&files.key, key.serialize_pem()).expect("writes");
    let tls = Tls::load(files, STORED_AT).expect("a pair");
    start_in(folder, SmtpOptions { encryption: encryption(tls), ..options() }).await
}

async fn start(options: SmtpOptions) -> Running {
    start_in(TempDir::new().expect("a folder"), options).await
}

async fn start_in(folder: TempDir, mut options: SmtpOptions) -> Running {
    options.rules.message_bytes_max = 8 << 20;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (letters, taken) = mpsc::unbounded_channel();
    let turns = Arc::new(Semaphore::new(1_000));
    let ports = SmtpPorts {
        recipients: Arc::new(directory()),
        mailbox: Arc::new(Memory { letters, turns: Arc::clone(&turns) }),
        intake: Intake::new(IntakeOptions::new(folder.path().join("spool"))).expect("a spool"),
        clock: Arc::new(ManualClock::at(STORED_AT)),
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async {
        let _ = stopped.await;
    };
    let report = tokio::spawn(serve(listener, options, ports, stopped));
    Running { address, letters: taken, turns, stop, report, folder }
}

impl Running {
    async fn connect(&self) -> Client {
        Client(BufReader::new(TcpStream::connect(self.address).await.expect("connects")))
    }

    async fn letter(&mut self) -> Letter {
        timeout(PATIENCE, self.letters.recv()).await.expect("in time").expect("a letter")
    }

    /// What Python's own client says of a delivery.
    async fn python(&self, how: &str) -> String {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/smtp/client.py");
        let mut command = Command::new("python3");
        command.arg(script).arg(how).arg(self.address.port().to_string());
        command.arg(self.folder.path().join("cert.pem"));
        let output = spawn_blocking(move || command.output()).await.expect("ends").expect("starts");
        let said = String::from_utf8(output.stdout).expect("text");
        let wrong = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{how}: {said}{wrong}");
        said
    }
}

/// A client that says what it likes.
struct Client(BufReader<TcpStream>);

impl Client {
    async fn say(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.expect("writes");
    }

    /// The next whole reply.
    async fn reply(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let mut line = String::new();
            timeout(PATIENCE, self.0.read_line(&mut line)).await.expect("in time").expect("reads");
            reply.push_str(&line);
            if line.as_bytes().get(3) != Some(&b'-') {
                return reply;
            }
        }
    }

    /// Says lines one by one, each after the reply to the one before.
    async fn converse(&mut self, lines: &str) -> String {
        let mut reply = self.reply().await;
        for line in lines.split_inclusive("\r\n") {
            self.say(line).await;
            reply = self.reply().await;
        }
        reply
    }

    async fn rest(mut self) -> String {
        let mut rest = String::new();
        timeout(PATIENCE, self.0.read_to_string(&mut rest)).await.expect("in time").expect("reads");
        rest
    }
}

#[tokio::test]
async fn the_reply_that_promises_waits_for_the_store() {
    let mut running = start(options()).await;
    running.turns.forget_permits(1_000);
    let mut client = running.connect().await;
    assert!(client.converse(BEGIN).await.starts_with("354"));
    client.say("Subject: a\r\n\r\n..b\r\n.\r\n").await;
    let letter = running.letter().await;
    assert_eq!(&letter.message[..], b"Subject: a\r\n\r\n.b\r\n");
    let mut byte = [0];
    let early = timeout(Duration::from_millis(50), client.0.read(&mut byte)).await;
    assert!(early.is_err(), "a reply came before the message was stored");
    running.turns.add_permits(1);
    assert_eq!(client.reply().await, "250 2.0.0 stored as 01KPJGBXY80000000000000001\r\n");
}

#[tokio::test]
async fn a_large_message_comes_whole_through_its_temporary_file() {
    let mut running = start(options()).await;
    let mut client = running.connect().await;
    client.converse(BEGIN).await;
    let line = format!("{}\r\n", "x".repeat(98));
    let message = line.repeat((4 << 20) / line.len());
    client.say(&message).await;
    client.say(".\r\n").await;
    let letter = running.letter().await;
    assert_eq!(letter.message.len(), message.len());
    assert_eq!(&letter.message[..], message.as_bytes());
    assert_eq!(letter.hold.bytes(), message.len(), "it counts against the memory of all bodies");
    assert!(client.reply().await.starts_with("250"));
}

#[tokio::test]
async fn pythons_client_delivers_and_is_told_who_is_unknown() {
    let mut running = start(options()).await;
    let said = running.python("plain").await;
    insta::assert_snapshot!(said, @r"
    250 8bitmime, chunking, enhancedstatuscodes, limits, pipelining, size, smtputf8
    refused {'nobody@example.com': (550, b'5.1.1 there is no such address here')}
    verify 252
    noop 250 rset 250
    quit 221
    ");
    let letter = running.letter().await;
    assert_eq!(&letter.message[..], b"Subject: hello\r\n\r\n.\r\n..dots\r\nend\r\n");
    assert_eq!(letter.envelope.rcpt_to, ["support+tag@example.com"]);
    assert_eq!(letter.envelope.remote_ip.as_deref(), Some("127.0.0.1"));
    assert_eq!((letter.envelope.tls, letter.received_at), (false, STORED_AT));
}

#[tokio::test]
async fn pythons_client_delivers_after_starttls() {
    let mut running = encrypted(Encryption::Required).await;
    insta::assert_snapshot!(running.python("starttls").await, @r"
    250 530
    starttls 220
    250 8bitmime, chunking, enhancedstatuscodes, limits, pipelining, size, smtputf8
    refused {'nobody@example.com': (550, b'5.1.1 there is no such address here')}
    verify 252
    noop 250 rset 250
    quit 221
    ");
    assert!(running.letter().await.envelope.tls);
}

#[tokio::test]
async fn pythons_client_delivers_in_tls_from_the_first_byte() {
    let mut running = encrypted(Encryption::Immediate).await;
    insta::assert_snapshot!(running.python("immediate").await, @r"
    250 8bitmime, chunking, enhancedstatuscodes, limits, pipelining, size, smtputf8
    refused {'nobody@example.com': (550, b'5.1.1 there is no such address here')}
    verify 252
    noop 250 rset 250
    quit 221
    ");
    assert!(running.letter().await.envelope.tls);
}

#[tokio::test]
async fn what_was_said_before_the_handshake_is_not_obeyed_after_it() {
    let running = encrypted(Encryption::Offered).await;
    insta::assert_snapshot!(running.python("injection").await, @r"
    before b'220 2.0.0 ready for TLS\r\n'
    after b'250 2.0.0 ok\r\n221 2.0.0 closing the connection\r\n'
    ");
}

#[tokio::test]
async fn a_trusted_proxy_says_who_the_client_is_and_that_one_is_counted() {
    let loopback = "127.0.0.0/8".parse().expect("a network");
    let mut running = start(SmtpOptions {
        proxies: vec![loopback],
        normalized: vec!["203.0.113.0/24".parse().expect("a network")],
        connections_per_network_max: 1,
        ..options()
    })
    .await;
    let header = "PROXY TCP4 203.0.113.9 192.0.2.1 51234 25\r\n";
    let mut first = running.connect().await;
    first.say(header).await;
    first.converse(BEGIN).await;
    first.say("a\nb\r\n.\r\n").await;
    let letter = running.letter().await;
    assert_eq!(letter.envelope.remote_ip.as_deref(), Some("203.0.113.9"));
    assert_eq!(&letter.message[..], b"a\r\nb\r\n", "its network is one that is mended");
    let mut second = running.connect().await;
    second.say(header).await;
    assert_eq!(second.rest().await, "421 4.7.0 too many connections, try again later\r\n");
    let mut other = running.connect().await;
    other.say("PROXY TCP4 203.0.113.10 192.0.2.1 51234 25\r\n").await;
    assert_eq!(other.reply().await, "220 mx.example.com ESMTP\r\n");
    let mut stranger = running.connect().await;
    stranger.say("EHLO c\r\n").await;
    assert_eq!(stranger.rest().await, "", "no header, no word");
}

#[tokio::test]
async fn beyond_the_last_seat_a_client_is_told_to_come_again() {
    let running = start(SmtpOptions { connections_max: 1, ..options() }).await;
    let mut first = running.connect().await;
    first.reply().await;
    let rest = running.connect().await.rest().await;
    assert_eq!(rest, "421 4.7.0 too many connections, try again later\r\n");
}

#[tokio::test]
async fn a_client_that_says_nothing_is_sent_away() {
    let mut options = options();
    options.rules.idle_timeout = Duration::from_millis(50);
    let running = start(options).await;
    let rest = running.connect().await.rest().await;
    assert_eq!(rest, "220 mx.example.com ESMTP\r\n421 4.4.2 too slow, closing the connection\r\n");
}

#[tokio::test]
async fn a_sender_that_is_gone_in_the_middle_leaves_nothing() {
    let mut running = start(options()).await;
    let mut client = running.connect().await;
    client.converse(BEGIN).await;
    client.say("Subject: half").await;
    drop(client);
    running.stop.send(()).expect("runs");
    let report = timeout(PATIENCE, running.report).await.expect("in time").expect("ends");
    assert_eq!(report.cut, 0);
    assert!(running.letters.recv().await.is_none(), "half a message was delivered");
}

#[tokio::test]
async fn a_stop_finishes_the_message_in_hand_and_tells_the_others() {
    let mut running = start(options()).await;
    running.turns.forget_permits(1_000);
    let mut idle = running.connect().await;
    idle.reply().await;
    let mut busy = running.connect().await;
    busy.converse(BEGIN).await;
    busy.say("a\r\n.\r\n").await;
    running.letter().await;
    running.stop.send(()).expect("runs");
    assert_eq!(idle.rest().await, "421 4.3.2 shutting down, try again later\r\n");
    running.turns.add_permits(1);
    let rest = busy.rest().await;
    assert!(rest.starts_with("250 2.0.0 stored"), "{rest}");
    assert!(rest.ends_with("421 4.3.2 shutting down, try again later\r\n"), "{rest}");
    let report = timeout(PATIENCE, running.report).await.expect("in time").expect("ends");
    assert_eq!((report.open, report.cut), (2, 0));
}
