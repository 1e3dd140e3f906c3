//! A schedule for people. Names and payloads are shown, never obeyed by a terminal.

use crate::cron::words::span;
use headgate_event::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

/// A schedule as the gateway tells of it.
#[derive(Deserialize)]
pub(super) struct View {
    id: String,
    name: String,
    channel: String,
    origin: String,
    cron_expr: String,
    description: String,
    payload: Box<RawValue>,
    enabled: bool,
    paused: bool,
    fires: u64,
    missed_count: u64,
    last_event_id: Option<String>,
    next: Vec<Run>,
    /// An older gateway does not say it.
    #[serde(default)]
    problem: Option<String>,
    /// Nor this.
    #[serde(default)]
    warnings: Vec<String>,
}

#[derive(Deserialize)]
struct Run {
    scheduled_at: Timestamp,
    fires_at: Timestamp,
    local: String,
    dst: Option<String>,
}

/// A row each, with a head.
pub(super) fn table(views: &[View], now: Timestamp) -> Vec<String> {
    if views.is_empty() {
        return Vec::new();
    }
    let mut rows = vec![["SCHEDULE".to_owned(), "NEXT".to_owned(), "WHEN".to_owned()]];
    rows.extend(
        views.iter().map(|view| [view.place(), view.next_in_words(now), shown(&view.description)]),
    );
    let width = |at: usize| {
        rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max()
    };
    let (first, second) = (width(0).unwrap_or_default(), width(1).unwrap_or_default());
    rows.iter()
        .map(|[place, next, when]| format!("{place:<first$}  {next:<second$}  {when}"))
        .collect()
}

impl View {
    /// `channel/name`.
    pub(super) fn place(&self) -> String {
        shown(&format!("{}/{}", self.channel, self.name))
    }

    /// When it fires next, or why it does not: `in 5d 7h, 2026-11-26T14:00:00-05:00`.
    pub(super) fn next_in_words(&self, now: Timestamp) -> String {
        match self.next.first() {
            _ if self.problem.is_some() => self.cannot(),
            _ if !self.enabled => "off".to_owned(),
            _ if self.paused => "paused".to_owned(),
            None => "never again".to_owned(),
            Some(run) => format!("{}, {}", run.ahead(now), shown(&run.local)),
        }
    }

    fn cannot(&self) -> String {
        format!("cannot fire: {}", shown(self.problem.as_deref().unwrap_or_default()))
    }

    /// All of it, line by line.
    pub(super) fn told(&self, now: Timestamp) -> Vec<String> {
        let last = self.last_event_id.as_deref();
        let last = last.map(|id| format!(", the last event is {id}")).unwrap_or_default();
        let times = if self.fires == 1 { "time" } else { "times" };
        let rows = [
            ("schedule", self.place()),
            ("id", self.id.clone()),
            ("made by", self.origin.clone()),
            ("cron", shown(&self.cron_expr)),
            ("when", shown(&self.description)),
            ("payload", shown(self.payload.get())),
            ("fired", format!("{} {times}{last}", self.fires)),
            ("missed", format!("{} since then", self.missed_count)),
            ("next", self.next_in_words(now)),
        ];
        let rows = rows.iter().map(|(name, text)| format!("{name:<8}  {text}"));
        let runs = self.next.iter().map(|run| run.row(now));
        let warnings = self.warnings.iter().map(|text| format!("warning   {}", shown(text)));
        rows.chain(runs).chain(warnings).collect()
    }
}

impl Run {
    fn ahead(&self, now: Timestamp) -> String {
        match self.fires_at.since(now).as_secs() {
            0 => "now".to_owned(),
            seconds => format!("in {}", span(seconds)),
        }
    }

    fn row(&self, now: Timestamp) -> String {
        let Self { scheduled_at, fires_at, local, dst } = self;
        let jitter = match fires_at.since(*scheduled_at).as_secs() {
            0 => String::new(),
            seconds => format!("  {} later by its jitter", span(seconds)),
        };
        let dst = dst.as_ref().map(|dst| format!("  {}", shown(dst))).unwrap_or_default();
        format!("          {scheduled_at}  {}  {}{jitter}{dst}", shown(local), self.ahead(now))
    }
}

fn shown(text: &str) -> String {
    text.chars().flat_map(escaped).collect()
}

fn escaped(character: char) -> Vec<char> {
    if character.is_control() { character.escape_default().collect() } else { vec![character] }
}
