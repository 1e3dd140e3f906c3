//! Slow clients: connections that each send half of something, then a byte from time to time, and
//! come again when they are closed.

use anyhow::{Context, Result};
use rustix::process::{Resource, getrlimit, setrlimit};
use std::{
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::sleep,
};

/// How often each sends another byte.
const DRIP_EVERY: Duration = Duration::from_secs(4);
/// Connections of one source address; each has fewer ports than all of them need.
const CONNECTIONS_PER_ADDRESS: usize = 4_000;
const HALF_A_HEAD: &[u8] = b"POST /v1/webhook/hub HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ";

/// Says on standard error when all of them are open, and goes on until it is killed.
pub(crate) fn run(to: SocketAddr, connections: usize) -> Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).context("room for open files")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let open = Arc::new(AtomicUsize::new(0));
        for nth in 0..connections {
            tokio::spawn(keep_one(to, nth, Arc::clone(&open)));
            if nth % 500 == 499 {
                sleep(Duration::from_millis(50)).await; // the queue of the listener is short
            }
        }
        while open.load(Ordering::Relaxed) < connections {
            sleep(Duration::from_millis(20)).await;
        }
        eprintln!(r#"{{"message":"listening","address":"{to}"}}"#);
        std::future::pending::<Result<()>>().await
    })
}

async fn keep_one(to: SocketAddr, nth: usize, open: Arc<AtomicUsize>) {
    let mut first = true;
    loop {
        if let Ok(stream) = connect(to, nth).await {
            if std::mem::take(&mut first) {
                open.fetch_add(1, Ordering::Relaxed);
            }
            drip(stream, nth).await;
        }
        sleep(Duration::from_millis(200)).await;
    }
}

async fn connect(to: SocketAddr, nth: usize) -> std::io::Result<TcpStream> {
    let host = u8::try_from(2 + nth / CONNECTIONS_PER_ADDRESS).unwrap_or(u8::MAX);
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, host), 0).into())?;
    socket.connect(to).await
}

/// Every other one sends a head that does not end, the others a body that does not.
async fn drip(mut stream: TcpStream, nth: usize) {
    let mut begin = HALF_A_HEAD.to_vec();
    if nth % 2 == 1 {
        begin.extend_from_slice(b"y\r\ncontent-length: 50000\r\n\r\n");
        begin.resize(begin.len() + 20_000, b'z');
    }
    if stream.write_all(&begin).await.is_err() {
        return;
    }
    let mut answer = [0; 1024];
    loop {
        tokio::select! {
            // An answer, which ends it, or the end.
            _ = stream.read(&mut answer) => return,
            () = sleep(DRIP_EVERY) => {
                if stream.write_all(b"a").await.is_err() {
                    return;
                }
            }
        }
    }
}
