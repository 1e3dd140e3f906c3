//! What a service manager is told (`Type=notify` and `Type=notify-reload` of systemd), when there
//! is one that listens.

use sd_notify::NotifyState;

/// The gateway listens, or listens again after a reload.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// A reload begins; [`ready`] ends it.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::debug!(%error, "the service manager hears of no reload"),
    }
}

/// The gateway is about to stop.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// A manager that does not listen keeps nothing from its work.
fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}
