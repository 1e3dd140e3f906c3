//! Large events hold up no task that others wait for.

use super::*;
use crate::Queue;
use headgate_event::{Sink, limits::BLOCKING_BYTES_MIN};
use std::{sync::mpsc, task::Poll};
use tempfile::TempDir;

#[test]
fn a_large_event_is_made_ready_where_it_holds_up_no_other() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .max_blocking_threads(1)
        .build()
        .expect("a runtime");
    let (folder, disk) = (TempDir::new().expect("a folder"), SimulatedDisk::new(1));
    runtime.block_on(async {
        let queue = open(folder.path(), &disk).expect("opens");
        // The one thread for long work is busy, so that nothing large can be made ready.
        let (go_on, wait) = mpsc::channel::<()>();
        let busy = tokio::task::spawn_blocking(move || wait.recv());
        let mut large = queue.accept(vec![draft(vec![b'a'; BLOCKING_BYTES_MIN])]);
        assert!(matches!(polled(&mut large).await, Poll::Pending));
        queue.accept(vec![draft("small")]).await.expect("it passes the large one");
        go_on.send(()).expect("it waits");
        busy.await.expect("ended").expect("told");
        large.await.expect("stored");
        queue.close().await;
    });
}

/// Polls once.
async fn polled<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::future::poll_fn(|context| Poll::Ready(std::pin::Pin::new(&mut *future).poll(context)))
        .await
}
