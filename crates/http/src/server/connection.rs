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

/// How hyper speaks HTTP on one of so many connections.
fn protocol(options: &ServerOptions, connections: usize) -> auto::Builder<TokioExecutor> {
    let window = window_bytes(connections);
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
        // Beyond its limit a head is refused by the front, with a reason; h2 only bounds by how
        // much a head may be beyond it.
        .max_header_list_size(u32::try_from(2 * options.head_bytes_max).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(limits::STREAM_RESETS_UNSEEN_MAX)
        .max_local_error_reset_streams(limits::STREAM_ERRORS_MAX)
        .initial_stream_window_size(window)
        .initial_connection_window_size(window)
        // A peer that is gone without a word is found by asking.
        .keep_alive_interval(options.idle_timeout)
        .keep_alive_timeout(options.head_timeout);
    protocol
}

/// The window of one of so many connections: they share a total, and none has less than HTTP/2
/// allows.
fn window_bytes(connections: usize) -> u32 {
    let part = limits::CONNECTION_WINDOWS_BYTES / connections.max(1);
    u32::try_from(part)
        .unwrap_or(u32::MAX)
        .clamp(limits::CONNECTION_WINDOW_BYTES_MIN, limits::CONNECTION_WINDOW_BYTES_MAX)
}

/// Serves a connection until it ends, is idle for too long, has to make room, or is cut.
pub(super) async fn converse<I, S>(
    io: Watch<I>,
    front: Front<S>,
    options: Arc<ServerOptions>,
    connections: usize,
    mut phase: watch::Receiver<Phase>,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Handler,
{
    let protocol = protocol(&options, connections);
    let exchange: Arc<Exchange> = Arc::clone(&front.exchange);
    let remote = front.remote;
    let io = TokioIo::new(io);
    let mut connection = pin!(protocol.serve_connection_with_upgrades(io, front));
    let mut begun = exchange.begun();
    let mut leaving = false;
    if *phase.borrow_and_update() != Phase::Serving {
        connection.as_mut().graceful_shutdown();
    }
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
            () = exchange.asked_to_leave() => {
                if exchange.in_hand() == 0 {
                    return;
                }
                connection.as_mut().graceful_shutdown();
            }
            () = sleep(options.idle_timeout) => {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_shrink_when_there_are_many_connections() {
        assert_eq!(window_bytes(0), 1 << 20);
        assert_eq!(window_bytes(128), 1 << 20);
        assert_eq!(window_bytes(512), 256 << 10);
        assert_eq!(window_bytes(20_000), 65_535);
    }
}
