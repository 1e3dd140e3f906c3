//! A line to a gateway that can be cut, delayed, closed, and made to refuse upgrades.

use anyhow::Result;
use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// A proxy before one address, on a port of its own. It ends with the process.
#[derive(Debug)]
pub struct Proxy {
    /// The address to connect to instead.
    pub address: String,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    to: String,
    sockets: Mutex<Vec<TcpStream>>,
    delay_ms: AtomicU64,
    is_open: AtomicBool,
    upgrades: AtomicBool,
}

impl Proxy {
    /// Listens before `to`.
    pub fn start(to: &str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?.to_string();
        let state = Arc::new(State {
            to: to.to_owned(),
            sockets: Mutex::default(),
            delay_ms: AtomicU64::new(0),
            is_open: AtomicBool::new(true),
            upgrades: AtomicBool::new(true),
        });
        let accepting = Arc::clone(&state);
        thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                let state = Arc::clone(&accepting);
                thread::spawn(move || {
                    // A line that breaks is what this is for.
                    let _ = state.pass_on(socket);
                });
            }
        });
        Ok(Self { address, state })
    }

    /// Cuts every connection where it is.
    pub fn cut(&self) {
        let mut sockets = self.state.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        for socket in sockets.drain(..) {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Lets no connection through from here on.
    pub fn close(&self) {
        self.state.is_open.store(false, Ordering::SeqCst);
        self.cut();
    }

    /// Lets connections through again.
    pub fn open(&self) {
        self.state.is_open.store(true, Ordering::SeqCst);
    }

    /// Holds what comes for so long before it is passed on.
    pub fn delay(&self, delay: Duration) {
        let delay = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self.state.delay_ms.store(delay, Ordering::SeqCst);
    }

    /// Answers every upgrade like a proxy that knows no WebSocket.
    pub fn refuse_upgrades(&self) {
        self.state.upgrades.store(false, Ordering::SeqCst);
    }
}

impl State {
    fn pass_on(&self, mut near: TcpStream) -> Result<()> {
        let mut first = vec![0; 1 << 16];
        let length = near.read(&mut first)?;
        first.truncate(length);
        if length == 0 || !self.is_open.load(Ordering::SeqCst) {
            return Ok(());
        }
        let head = String::from_utf8_lossy(&first).to_lowercase();
        if !self.upgrades.load(Ordering::SeqCst) && head.contains("upgrade: websocket") {
            near.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")?;
            return Ok(());
        }
        let mut far = TcpStream::connect(&self.to)?;
        far.write_all(&first)?;
        let mut sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.extend([near.try_clone()?, far.try_clone()?]);
        drop(sockets);
        let (back, away) = (far.try_clone()?, near.try_clone()?);
        thread::scope(|scope| {
            scope.spawn(|| self.pump(back, away));
            self.pump(near, far);
        });
        Ok(())
    }

    fn pump(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut bytes = vec![0; 1 << 16];
        while let Ok(length @ 1..) = from.read(&mut bytes) {
            let delay = self.delay_ms.load(Ordering::SeqCst);
            if delay > 0 {
                thread::sleep(Duration::from_millis(delay));
            }
            if to.write_all(bytes.get(..length).unwrap_or_default()).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    }
}
