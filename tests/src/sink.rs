//! An endpoint of pushes that answers as a test tells it: well, badly, late, or not at all.

use anyhow::{Context, Result};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Posted {
    /// The path, with its query.
    pub path: String,
    /// Lower-case names with their values.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
    /// How many with this path and `webhook-id` came before it.
    pub before: usize,
}

/// What the sink does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Answers with this status, these headers (each with its line end) and this body.
    Answer(u16, &'static str, Vec<u8>),
    /// Answers 200 after this long.
    Late(Duration),
    /// Never answers, and keeps the connection open.
    Silent,
    /// Closes the connection in the middle of an answer.
    Cut,
    /// Answers what is no HTTP.
    Garbage,
}

type Decide = Box<dyn Fn(&Posted) -> Reply + Send + Sync>;

/// An endpoint that listens until it is dropped.
#[derive(Debug)]
pub struct Sink {
    /// Its address, `127.0.0.1:port`.
    pub address: String,
    ledger: Arc<Ledger>,
    news: Mutex<mpsc::Receiver<()>>,
}

struct Ledger {
    posted: Mutex<Vec<Posted>>,
    decide: Decide,
    news: Mutex<mpsc::Sender<()>>,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger").finish_non_exhaustive()
    }
}

impl Sink {
    /// Listens, and does with each request what `decide` says.
    pub fn start(decide: impl Fn(&Posted) -> Reply + Send + Sync + 'static) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("listen")?;
        let address = listener.local_addr()?.to_string();
        let (sender, news) = mpsc::channel();
        let ledger = Arc::new(Ledger {
            posted: Mutex::default(),
            decide: Box::new(decide),
            news: Mutex::new(sender),
        });
        let serving = Arc::clone(&ledger);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let ledger = Arc::clone(&serving);
                // A connection that breaks is the gateway's end.
                thread::spawn(move || drop(ledger.serve(stream)));
            }
        });
        Ok(Self { address, ledger, news: Mutex::new(news) })
    }

    /// Everything that came so far.
    #[must_use]
    pub fn posted(&self) -> Vec<Posted> {
        self.ledger.posted().clone()
    }

    /// Waits until what came is as it should be, for half a minute at most.
    pub fn wait_for(&self, what: &str, is: impl Fn(&[Posted]) -> bool) -> Result<Vec<Posted>> {
        let until = Instant::now() + Duration::from_secs(30);
        let news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let posted = self.posted();
            if is(&posted) {
                return Ok(posted);
            }
            let left = until.saturating_duration_since(Instant::now());
            let paths: Vec<_> = posted.iter().map(|one| &one.path).collect();
            news.recv_timeout(left).with_context(|| format!("{what}: came {paths:?}"))?;
        }
    }
}

impl Ledger {
    fn posted(&self) -> MutexGuard<'_, Vec<Posted>> {
        self.posted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, stream: TcpStream) -> Result<()> {
        stream.set_nodelay(true)?;
        let mut stream = BufReader::new(stream);
        while let Some(posted) = read(&mut stream)? {
            let posted = {
                let mut all = self.posted();
                let same = |one: &&Posted| one.path == posted.path && one.id() == posted.id();
                let before = all.iter().filter(same).count();
                all.push(Posted { before, ..posted.clone() });
                Posted { before, ..posted }
            };
            let reply = (self.decide)(&posted);
            let _ = self.news.lock().unwrap_or_else(PoisonError::into_inner).send(());
            let answered = |stream: &mut BufReader<TcpStream>, status, headers, body: &[u8]| {
                let length = body.len();
                let head =
                    format!("HTTP/1.1 {status} Told\r\n{headers}content-length: {length}\r\n\r\n");
                stream.get_mut().write_all(&[head.as_bytes(), body].concat())
            };
            match reply {
                Reply::Answer(status, headers, body) => {
                    answered(&mut stream, status, headers, &body)?;
                }
                Reply::Late(span) => {
                    thread::sleep(span);
                    answered(&mut stream, 200, "", b"")?;
                }
                // It ends when the gateway closes.
                Reply::Silent => drop(stream.read(&mut [0])),
                Reply::Cut => return Ok(stream.get_mut().write_all(b"HTTP/1.1 200 O")?),
                Reply::Garbage => {
                    return Ok(stream.get_mut().write_all(b"\x16\x03\x01 nonsense\r\n\r\n")?);
                }
            }
        }
        Ok(())
    }
}

impl Posted {
    /// The `webhook-id`.
    #[must_use]
    pub fn id(&self) -> &str {
        self.headers.get("webhook-id").map_or("", String::as_str)
    }
}

/// The next request of a connection; nothing when it is closed.
fn read(stream: &mut BufReader<TcpStream>) -> Result<Option<Posted>> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let path = line.split(' ').nth(1).context("a path")?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map_or("0", String::as_str).parse()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(Some(Posted { path, headers, body, before: 0 }))
}
