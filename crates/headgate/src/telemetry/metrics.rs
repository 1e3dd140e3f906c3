//! Every metric of the program: its name, its kind, its labels and what it says.
//!
//! Code that counts names a metric where it counts; this is the list that gives each its `HELP`
//! line and `docs/metrics.md`. A test compares the list with what the code names, so that neither
//! has a name that the other lacks. Labels are bounded: channels, providers and subscriptions are
//! configured, codes, routes and verbs are ours.

mod process;

pub use process::measure;

use headgate_api::SUBSCRIPTION_GAUGES;
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge};

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name; the unit is in it.
    pub name: &'static str,
    /// How it moves.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it says.
    pub help: &'static str,
}

/// How a metric moves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// How often values up to each of these bounds were seen.
    Histogram(&'static [f64]),
}

/// From a tenth of a millisecond to ten seconds.
const SECONDS: &[f64] = &[
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    10.0,
];
/// Up to the most that one batch takes, and beyond.
const EVENTS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];
/// From 1 KiB to 64 MiB.
const BYTES: &[f64] =
    &[1024.0, 4096.0, 16_384.0, 65_536.0, 262_144.0, 1_048_576.0, 4_194_304.0, 67_108_864.0];

const COUNTERS: &[Metric] = &[
    counts(
        "headgate_api_rate_limited_total",
        &[],
        "Calls of the API refused because a key had used up its rate",
    ),
    counts("headgate_api_requests_total", &["route", "status"], "Calls of the API answered"),
    counts(
        "headgate_cron_clock_resets_total",
        &[],
        "How often the wall clock was set back so far that schedules began anew",
    ),
    counts("headgate_cron_fired_total", &["channel"], "Events of schedules that are stored"),
    counts(
        "headgate_cron_missed_total",
        &["channel", "why"],
        "Runs of schedules that did not fire, by cause",
    ),
    counts(
        "headgate_cron_store_retries_total",
        &[],
        "How often events or cursors of schedules had to be offered to the store again",
    ),
    counts(
        "headgate_deliveries_leased_total",
        &[],
        "Deliveries leased to consumers; a delivery that comes again counts again",
    ),
    counts(
        "headgate_deliveries_settled_total",
        &["verb"],
        "Settlements that held, by `ack`, `retry`, `extend`, `bury` and `release`",
    ),
    counts(
        "headgate_http_accept_errors_total",
        &[],
        "Connections that the system could not give us",
    ),
    counts(
        "headgate_http_body_refused_total",
        &["code"],
        "Requests whose body was not taken, by the code of the refusal",
    ),
    counts(
        "headgate_http_connections_closed_total",
        &["reason"],
        "Connections closed by us before their time, by the reason",
    ),
    counts(
        "headgate_http_connections_refused_total",
        &["reason"],
        "Connections for which there was no room",
    ),
    counts(
        "headgate_email_duplicates_total",
        &["channel"],
        "Messages that were stored before: the sender tried again",
    ),
    counts("headgate_email_events_total", &["channel"], "Messages stored"),
    counts(
        "headgate_email_handshakes_total",
        &["channel", "handshake"],
        "Handshakes of who carries messages (SNS) answered; they are no events",
    ),
    counts(
        "headgate_email_passed_over_total",
        &["channel"],
        "Requests of providers that tell of something other than a message",
    ),
    counts(
        "headgate_email_rejected_total",
        &["channel", "code"],
        "Messages and requests that a channel did not take, by cause",
    ),
    counts("headgate_events_erased_total", &[], "Events whose content was erased"),
    counts(
        "headgate_events_expired_total",
        &["subscription"],
        "Events that retention removed before the subscription settled them",
    ),
    counts(
        "headgate_events_filtered_total",
        &["subscription"],
        "Events that the subscription's filters left out",
    ),
    counts("headgate_http_requests_total", &["status"], "Requests answered on any path"),
    counts(
        "headgate_push_attempts_total",
        &["subscription", "outcome"],
        "Events posted to endpoints, by what came of it: `acked`, or why not",
    ),
    counts(
        "headgate_push_paused_total",
        &["subscription"],
        "How often an endpoint answered 410, so that its subscription was paused",
    ),
    counts(
        "headgate_quarantine_dropped_total",
        &["reason"],
        "Refused requests that left the quarantine by its bounds",
    ),
    counts(
        "headgate_quarantine_kept_total",
        &["channel", "code"],
        "Refused requests that were put into the quarantine",
    ),
    counts(
        "headgate_quarantine_not_kept_total",
        &["reason"],
        "Refused requests that the quarantine could not take",
    ),
    counts("headgate_quarantine_released_total", &[], "Refused requests that were released"),
    counts("headgate_replay_deliveries_total", &[], "Deliveries that replays gave"),
    counts("headgate_log_segments_removed_total", &[], "Files of the log that retention removed"),
    counts(
        "headgate_queue_damaged_reads_total",
        &[],
        "Stored events that could not be read when they were asked for: damage",
    ),
    counts("headgate_queue_duplicates_total", &[], "Events that were stored before"),
    counts(
        "headgate_reloads_total",
        &["outcome"],
        "Reloads, `applied`, `refused`, or `unfinished` when the disk refused a part",
    ),
    counts("headgate_queue_events_total", &[], "Events stored"),
    counts(
        "headgate_slack_checks_total",
        &["channel", "kind"],
        "Questions of Slack's that are no event, `ssl_check` or `url_verification`",
    ),
    counts(
        "headgate_slack_duplicates_total",
        &["channel"],
        "Deliveries of Slack that were stored before",
    ),
    counts("headgate_slack_events_total", &["channel"], "Events of Slack stored"),
    counts(
        "headgate_slack_mentions_joined_total",
        &["channel"],
        "Mentions stored as one event with their message",
    ),
    counts(
        "headgate_slack_own_events_dropped_total",
        &["channel"],
        "Events dropped because the app itself did them",
    ),
    counts(
        "headgate_slack_rejected_total",
        &["channel", "code"],
        "Requests of Slack not taken, by the code of the refusal; the channel is empty where none \
         was found",
    ),
    counts(
        "headgate_slack_retries_total",
        &["channel", "reason"],
        "Deliveries that Slack made again, by its reason",
    ),
    counts(
        "headgate_slack_slow_answers_total",
        &["channel"],
        "Answers to proven requests of Slack that took more than 1 s of the 3 s that it waits",
    ),
    counts(
        "headgate_slack_socket_alarms_total",
        &["channel"],
        "What only a person can mend of Socket Mode: the token, the app, too many connections",
    ),
    counts(
        "headgate_slack_socket_answers_too_large_total",
        &["channel"],
        "Configured answers that were left out because Slack drops what is 20 KB or larger",
    ),
    counts(
        "headgate_slack_socket_reconnects_total",
        &["channel", "reason"],
        "Connections of Socket Mode that ended or had to be replaced",
    ),
    counts(
        "headgate_slack_socket_unacknowledged_total",
        &["channel", "reason"],
        "Envelopes of Socket Mode that were not acknowledged; Slack sends them again",
    ),
    counts(
        "headgate_smtp_connections_refused_total",
        &["reason"],
        "Connections of mail servers that were closed at once, by cause",
    ),
    counts(
        "headgate_smtp_messages_total",
        &["outcome"],
        "Messages that mail servers sent to their end, by what they were told",
    ),
    counts(
        "headgate_smtp_tls_handshakes_failed_total",
        &[],
        "Mail servers that asked for TLS and could not agree on it",
    ),
    counts(
        "headgate_stream_events_total",
        &["kind"],
        "Events sent on streams, `durable` or `tail`",
    ),
    counts("headgate_stream_missed_total", &[], "Events that live tails were too slow for"),
    counts("headgate_tls_handshakes_failed_total", &["reason"], "TLS handshakes that failed"),
    counts("headgate_tls_reloads_total", &["result"], "Readings of the certificate's files"),
    counts(
        "headgate_webhook_duplicates_total",
        &["channel"],
        "Webhooks that were stored before: the sender tried again",
    ),
    counts("headgate_webhook_events_total", &["channel", "provider"], "Webhooks stored"),
    counts(
        "headgate_webhook_handshakes_total",
        &["channel", "handshake"],
        "Handshakes of senders answered; they are no events",
    ),
    counts(
        "headgate_webhook_rejected_total",
        &["channel", "code"],
        "Webhooks not taken, by the code of the refusal; the channel is empty where none was found",
    ),
    counts("process_cpu_seconds_total", &[], "CPU time used since the start, in whole seconds"),
];

const GAUGES: &[Metric] = &[
    shows("headgate_build_info", &["version"], "1, with the version that runs"),
    shows(
        "headgate_clock_doubted",
        &[],
        "1 while the clock is not where it should be, so that no event is removed for its age",
    ),
    shows(
        "headgate_config_last_reload_success_timestamp_seconds",
        &[],
        "When the configuration was last read whole, in Unix seconds",
    ),
    shows(
        "headgate_config_last_reload_successful",
        &[],
        "1 unless the last reload was refused, or made in part",
    ),
    shows("headgate_consuming", &[], "1 while consumers can be served, as `/readyz` says"),
    shows(
        "headgate_cron_firing",
        &[],
        "1 while schedules fire; 0 when the task that fires them ended early, until a restart",
    ),
    shows(
        "headgate_cron_parked",
        &[],
        "Schedules made over the API that cannot fire, because something is missing",
    ),
    shows(
        "headgate_cron_zones_age_seconds",
        &[],
        "How old the time zone data is, at least; NaN when that cannot be told",
    ),
    shows("headgate_disk_free_bytes", &[], "Free on the disk of the data folder"),
    shows("headgate_disk_size_bytes", &[], "The size of the disk of the data folder"),
    shows(
        "headgate_http_bodies_in_flight_bytes",
        &[],
        "Memory held by the bodies of requests that are not answered yet",
    ),
    shows("headgate_http_connections", &[], "Open connections"),
    shows("headgate_http_spool_bytes", &[], "Temporary files held by bodies that are arriving"),
    shows(
        "headgate_index_lag_events",
        &[],
        "Stored events that the index has not seen yet; they are served from memory",
    ),
    shows("headgate_log_bytes", &[], "The bytes of the log of events"),
    shows("headgate_log_events", &[], "Events in the log"),
    shows("headgate_log_segments", &[], "Files of the log"),
    shows(
        "headgate_oldest_event_seconds",
        &[],
        "How long ago the oldest event that is stored was received",
    ),
    shows(
        "headgate_push_breaker_open",
        &["subscription"],
        "1 while an endpoint is left alone because attempts fail",
    ),
    shows("headgate_push_endpoints", &[], "Endpoints that events are pushed to"),
    shows("headgate_quarantine_bytes", &[], "The bytes of the quarantine"),
    shows("headgate_quarantine_rejections", &[], "Refused requests in the quarantine"),
    shows("headgate_queue_newest_event", &[], "The place of the newest event"),
    shows("headgate_receiving", &[], "1 while events can be taken, as `/readyz` says"),
    shows("headgate_streams_open", &[], "Open streams"),
    shows(
        "headgate_tls_certificate_valid_until_seconds",
        &[],
        "Until when the certificate is valid, in Unix seconds",
    ),
    shows("process_max_fds", &[], "The most files and sockets that may be open"),
    shows("process_open_fds", &[], "Open files and sockets"),
    shows("process_resident_memory_bytes", &[], "Memory in use"),
    shows("process_threads", &[], "Threads"),
    shows(
        "headgate_slack_clock_skew_seconds",
        &["channel"],
        "How far our clock is ahead of the time that Slack signed last",
    ),
    shows(
        "headgate_slack_socket_connections",
        &["channel"],
        "Connections of Socket Mode, whatever their state",
    ),
    shows(
        "headgate_slack_socket_last_frame_age_seconds",
        &["channel"],
        "How long nothing came in over Socket Mode, not even a pong",
    ),
    shows(
        "headgate_slack_socket_listening",
        &["channel"],
        "Connections of Socket Mode over which events come in",
    ),
    shows("headgate_slack_socket_ready", &["channel"], "Whether Socket Mode hears, 1 or 0"),
    shows("headgate_smtp_connections", &[], "Open connections of mail servers"),
];

const HISTOGRAMS: &[Metric] = &[
    spreads(
        "headgate_api_answer_seconds",
        (&["route"], SECONDS),
        "How long calls of the API took; a lease that waits counts its wait",
    ),
    spreads(
        "headgate_cron_late_seconds",
        (&[], SECONDS),
        "How long after its due time, jitter included, an event of a schedule was made",
    ),
    spreads(
        "headgate_log_batch_bytes",
        (&[], BYTES),
        "The bytes of the batches that were made durable together",
    ),
    spreads(
        "headgate_log_batch_events",
        (&[], EVENTS),
        "How many events were made durable together",
    ),
    spreads(
        "headgate_log_sync_seconds",
        (&[], SECONDS),
        "How long the disk took to make a batch durable",
    ),
    spreads(
        "headgate_push_attempt_seconds",
        (&[], SECONDS),
        "How long endpoints took to answer, connecting included",
    ),
    spreads(
        "headgate_slack_answer_seconds",
        (&["channel"], SECONDS),
        "How long proven requests of Slack took, from their head to their answer",
    ),
    spreads(
        "headgate_webhook_answer_seconds",
        (&["channel"], SECONDS),
        "How long webhooks took, from their head to their answer",
    ),
];

/// Every metric, those of subscriptions included.
pub fn all() -> impl Iterator<Item = Metric> {
    let of_subscriptions =
        SUBSCRIPTION_GAUGES.iter().map(|gauge| shows(gauge.name, &["subscription"], gauge.help));
    recorded().chain(of_subscriptions)
}

/// Those that go through the recorder.
pub(super) fn recorded() -> impl Iterator<Item = Metric> {
    COUNTERS.iter().chain(GAUGES).chain(HISTOGRAMS).copied()
}

/// Gives each metric its words, and begins those without labels at 0, so that a rate of them is
/// known from the first event on.
pub(super) fn describe() {
    for Metric { name, kind, labels, help } in recorded() {
        match kind {
            Kind::Counter => describe_counter!(name, help),
            Kind::Gauge => describe_gauge!(name, help),
            Kind::Histogram(_) => describe_histogram!(name, help),
        }
        if labels.is_empty() && kind == Kind::Counter {
            counter!(name).increment(0);
        }
    }
    gauge!("headgate_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    gauge!("headgate_streams_open").set(0.0);
}

const fn counts(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, labels, help }
}

const fn shows(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Gauge, labels, help }
}

const fn spreads(
    name: &'static str,
    (labels, bounds): (&'static [&'static str], &'static [f64]),
    help: &'static str,
) -> Metric {
    Metric { name, kind: Kind::Histogram(bounds), labels, help }
}
