//! The thread that looks now and then whether the disk has room, off every answer's path.

use crate::log::Log;
use headgate_event::limits::DISK_CHECK_EVERY;
use std::{
    io,
    sync::mpsc::{self, RecvTimeoutError},
    thread::JoinHandle,
};

/// The thread that looks whether the disk has room; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct RoomWatch {
    /// Dropped first, which tells the thread to end.
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl RoomWatch {
    /// Looks at once, and then again and again.
    pub(super) fn start(log: Log) -> io::Result<Self> {
        log.check_room();
        let (stop, stopped) = mpsc::channel::<()>();
        let thread =
            std::thread::Builder::new().name("headgate-room".to_owned()).spawn(move || {
                while stopped.recv_timeout(DISK_CHECK_EVERY) == Err(RecvTimeoutError::Timeout) {
                    log.check_room();
                }
            })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for RoomWatch {
    fn drop(&mut self) {
        self.stop = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that watches the disk has panicked");
        }
    }
}
