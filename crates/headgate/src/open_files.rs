//! How many files the process may have open: each connection is one.

use headgate_event::limits::FILES_BESIDE_CONNECTIONS;
use rustix::process::{Resource, getrlimit, setrlimit};

/// Raises the limit of this process to what the system lets it have, and says so in the log when
/// that is too few for so many connections.
pub(crate) fn allow(connections_max: usize) {
    let mut limit = getrlimit(Resource::Nofile);
    let wanted = limit.current;
    limit.current = limit.maximum;
    if wanted != limit.maximum && setrlimit(Resource::Nofile, limit).is_err() {
        limit.current = wanted;
    }
    let Some(allowed) = limit.current else { return };
    let needed = (connections_max as u64).saturating_add(FILES_BESIDE_CONNECTIONS);
    if allowed < needed {
        tracing::warn!(
            allowed,
            needed,
            connections_max,
            "fewer files may be open than connections may need: raise the hard limit \
             (`ulimit -Hn`, `LimitNOFILE=`), or lower `connections.total` of `[server]` or `[email]`"
        );
    }
}
