//! One connection, from its first byte to its last.

use super::{Handler, Phase, ServerOptions, exchange::Exchange, front::Front, watch::Watch};
use headgate_event::limits;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use std::{pin::pin, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
    time::sleep,
};

/// The smallest buffer that hyper takes, in bytes.
const HYPER_BUFFER_BYTES_MIN: usize = 8 << 10;

/// How hyper speaks HTTP here.
pub(super) fn protocol(options: &ServerOptions) -> auto::Builder<TokioExecutor> {
    let mut protocol = auto::Builder::new(TokioExecutor::new());
    protocol
        .http1()
        .timer(TokioTimer::new())
        // The watch gives hyper whole heads only, and times them; an idle connection may wait
        // longer than a head may take, which hyper cannot tell apart.
        .header_read_timeout(None)
        // Room for what the watch lets pass, and no more.
        .max_buf_size(options.head_bytes_max.max(HYPER_BUFFER_BYTES_MIN))
        .max_headers(limits::HEADERS_MAX);
    protocol
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits::STREAMS_PER_CONNECTION_MAX)
        .max_header_list_size(u32::try_from(options.head_bytes_max).unwrap_or(u32::MAX))
        .initial_stream_window_size(limits::STREAM_WINDOW_BYTES)
        .initial_connection_window_size(limits::STREAM_WINDOW_BYTES)
        // A peer that is gone without a word is found by asking.
        .keep_alive_interval(options.idle_timeout)
        .keep_alive_timeout(options.head_timeout);
    protocol
}

/// Serves a connection until it ends, is idle for too long, or is cut.
pub(super) async fn converse<I, S>(
    protocol: Arc<auto::Builder<TokioExecutor>>,
    io: Watch<I>,
    front: Front<S>,
    idle_timeout: std::time::Duration,
    mut phase: watch::Receiver<Phase>,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Handler,
{
    let exchange: Arc<Exchange> = Arc::clone(&front.exchange);
    let remote = front.remote;
    let io = TokioIo::new(io);
    let mut connection = pin!(protocol.serve_connection_with_upgrades(io, front));
    let mut begun = exchange.begun();
    let mut leaving = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%remote, error, "a connection ended");
                }
                return;
            }
            changed = phase.changed() => {
                if changed.is_err() || *phase.borrow_and_update() == Phase::Cut {
                    return;
                }
                connection.as_mut().graceful_shutdown();
            }
            () = sleep(idle_timeout) => {
                // For HTTP/2, where the watch does not see requests: without one for one to two
                // spans the connection is asked to end, and after one more it is dropped.
                if exchange.in_hand() == 0 && exchange.begun() == begun {
                    if leaving {
                        return;
                    }
                    leaving = true;
                    connection.as_mut().graceful_shutdown();
                }
                begun = exchange.begun();
            }
        }
    }
}
