//! One connection: bytes from the socket to the session, and what the session says to the socket.

use super::{Encryption, Life, Shared, contains, proxied, turn_away};
use crate::smtp::{
    ports::{Delivered, Letter, Mailbox},
    seats::Seat,
    session::{Peer, Posted, Session, Step},
};
use headgate_event::limits;
use headgate_http::Arriving;
use metrics::counter;
use std::{io, net::SocketAddr, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
    task::yield_now,
    time::{Instant, timeout, timeout_at},
};

/// Why a conversation paused or ended.
enum Pause {
    /// It goes on in TLS.
    Secure,
    /// The last word is said.
    Over,
}

impl<M: Mailbox> Shared<M> {
    /// Serves a connection until it ends or is cut.
    pub(super) async fn serve(self: Arc<Self>, io: TcpStream, remote: SocketAddr, seat: Seat) {
        let mut life = self.life.subscribe();
        let served = Box::pin(self.converse(io, remote, seat));
        tokio::select! {
            ended = served => {
                if let Err(error) = ended {
                    tracing::debug!(%remote, %error, "an SMTP connection ended");
                }
            }
            _ = life.wait_for(|life| *life == Life::Cut) => {}
        }
    }

    async fn converse(
        &self,
        mut io: TcpStream,
        remote: SocketAddr,
        mut seat: Seat,
    ) -> io::Result<()> {
        io.set_nodelay(true)?;
        let address = self.client(&mut io, remote).await?;
        if !self.seats(&mut seat, address.ip()) {
            turn_away(io, "network");
            return Ok(());
        }
        let immediate = matches!(self.options.encryption, Encryption::Immediate(_));
        let peer =
            Peer { address, secured: immediate, bare_newlines: self.bare_newlines(address.ip()) };
        let recipients = Arc::clone(&self.ports.recipients);
        let mut session = Session::new(Arc::clone(&self.rules), recipients, peer, moment());
        if !immediate {
            hear_early(&mut io, &mut session).await?;
            match self.talk(&mut io, &mut session).await? {
                Pause::Secure => {}
                Pause::Over => return Ok(()),
            }
        }
        let Some(acceptor) = &self.acceptor else { return Ok(()) };
        let shaken = timeout(limits::TLS_HANDSHAKE_TIMEOUT, acceptor.accept(io)).await?;
        let mut io = shaken.inspect_err(|_| {
            counter!("headgate_smtp_tls_handshakes_failed_total").increment(1);
        })?;
        session.secured(moment());
        self.talk(&mut io, &mut session).await.map(drop)
    }

    /// Who is at the other end, also through a proxy.
    async fn client(&self, io: &mut TcpStream, remote: SocketAddr) -> io::Result<SocketAddr> {
        if !contains(&self.options.proxies, remote.ip()) {
            return Ok(remote);
        }
        let source = timeout(limits::TLS_HANDSHAKE_TIMEOUT, proxied::source(io)).await??;
        Ok(source.unwrap_or(remote))
    }

    async fn talk<I>(&self, io: &mut I, session: &mut Session) -> io::Result<Pause>
    where
        I: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let mut life = self.life.subscribe();
        let mut buffer = vec![0; limits::SMTP_READ_BYTES];
        let mut kept: Option<Arriving<'_>> = None;
        loop {
            match session.step(moment(), self.conditions()) {
                Step::Read => {
                    write(io, session).await?;
                    self.listen(io, session, &mut buffer, &mut life).await?;
                }
                Step::Keep(part) => {
                    let message = kept.get_or_insert_with(|| self.ports.intake.arriving(0));
                    if message.append(&part).await.is_err() {
                        session.keeping_failed();
                        kept = None;
                    }
                }
                Step::Discard => kept = None,
                Step::Deliver(posted) => {
                    let message = kept.take().unwrap_or_else(|| self.ports.intake.arriving(0));
                    let delivered = self.deliver(posted, message).await;
                    session.delivered(&delivered, moment());
                }
                Step::Secure => return write(io, session).await.map(|()| Pause::Secure),
                Step::Close => {
                    write(io, session).await?;
                    part(io, &mut buffer).await;
                    return Ok(Pause::Over);
                }
            }
        }
    }

    /// Waits for the client's next bytes, as long as it has, or for the stop.
    async fn listen<I>(
        &self,
        io: &mut I,
        session: &mut Session,
        buffer: &mut [u8],
        life: &mut watch::Receiver<Life>,
    ) -> io::Result<()>
    where
        I: AsyncRead + Unpin,
    {
        if *life.borrow_and_update() != Life::Serving && !session.is_stopping() {
            session.stop();
            return Ok(());
        }
        // Others may come meanwhile and make time scarce, so it is looked at again.
        let look = moment() + self.rules.idle_timeout_under_load;
        let deadline = session.deadline(self.seats.load()).min(look);
        tokio::select! {
            biased;
            _ = life.changed() => Ok(()),
            read = timeout_at(Instant::from_std(deadline), io.read(buffer)) => match read {
                Ok(Ok(0)) => Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(Ok(length)) => {
                    session.receive(buffer.get(..length).unwrap_or_default());
                    Ok(())
                }
                Ok(Err(error)) => Err(error),
                Err(_) => {
                    if moment() >= session.deadline(self.seats.load()) {
                        session.expire();
                    }
                    Ok(())
                }
            }
        }
    }

    async fn deliver(&self, posted: Posted, message: Arriving<'_>) -> Delivered {
        let Posted { envelope, from, recipients } = posted;
        let (message, hold) = match message.finish().await {
            Ok(whole) => whole,
            Err(reject) => {
                tracing::warn!(code = reject.code(), "a message could not be kept");
                return Delivered::TryAgain;
            }
        };
        let received_at = self.ports.clock.now();
        let letter = Letter { envelope, from, recipients, received_at, message, hold };
        let delivered = self.ports.mailbox.deliver(letter).await;
        let outcome = match &delivered {
            Delivered::Stored(_) => "stored",
            Delivered::TryAgain => "try_again",
            Delivered::DiskLow => "disk_low",
            Delivered::Refused(_) => "refused",
        };
        counter!("headgate_smtp_messages_total", "outcome" => outcome).increment(1);
        delivered
    }
}

/// The one place where sessions get their time from. It is the runtime's, so that tests can move
/// it.
fn moment() -> std::time::Instant {
    Instant::now().into_std()
}

/// Takes what a client sent before it was greeted; one that does has not the patience of a mail
/// server.
async fn hear_early(io: &mut TcpStream, session: &mut Session) -> io::Result<()> {
    let mut byte = [0];
    let early = tokio::select! {
        biased;
        peeked = io.peek(&mut byte) => peeked?,
        () = yield_now() => 0,
    };
    session.receive(byte.get(..early).unwrap_or_default());
    Ok(())
}

async fn write<I: AsyncWrite + Unpin>(io: &mut I, session: &mut Session) -> io::Result<()> {
    let output = session.take_output();
    if output.is_empty() {
        return Ok(());
    }
    timeout(limits::SMTP_REPLY_STALL_TIMEOUT, async {
        io.write_all(&output).await?;
        io.flush().await
    })
    .await?
}

/// Closes our side and lets the client read the last reply: what it still sends would otherwise
/// reset the connection.
async fn part<I: AsyncRead + AsyncWrite + Unpin>(io: &mut I, buffer: &mut [u8]) {
    let _ = timeout(limits::LINGER_TIMEOUT, async {
        io.shutdown().await?;
        while io.read(buffer).await? > 0 {}
        io::Result::Ok(())
    })
    .await;
}
