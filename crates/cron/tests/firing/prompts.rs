//! Walks `fixtures/cron/firings`: the event and the prompt of each case are as the files beside it.
//!
//! `UPDATE_FIXTURES=1` writes those files anew; read the difference before you keep it.

use crate::world::{at, channel, made};
use headgate_cron::{
    CronText, DstPolicy, Fields, Firing, Rules, Schedule, ScheduleOrigin, ScheduleSpec, Timing,
    Timings, Zones, draft,
};
use headgate_event::{
    Event, EventId, StoredEvent, Timestamp, data::CronTrigger, limits::PROMPT_BYTES_MAX,
    prompt::PromptKey,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// A schedule, and which of its occurrences fires how.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    cron: Option<String>,
    every_s: Option<u64>,
    at: Option<String>,
    timezone: Option<String>,
    payload: Box<RawValue>,
    #[serde(default)]
    jitter_s: u64,
    /// The occurrence is the first after this.
    after: Timestamp,
    #[serde(default)]
    late_ms: u64,
    #[serde(default)]
    missed: u64,
    #[serde(default)]
    trigger: CronTrigger,
    run_key: Option<String>,
}

impl Case {
    fn timing(&self) -> Arc<Timing> {
        let mut timings = Timings::new(Arc::new(Zones::embedded()));
        let timezone = self.timezone.as_deref();
        let made = match (&self.cron, self.every_s, &self.at) {
            (Some(expression), None, None) => {
                let (fields, policy) = (Fields::Five, DstPolicy::default());
                let timezone = timezone.expect("a zone");
                let text = CronText { expression, fields, timezone, policy };
                let id = Schedule::id_of(&channel(), &self.name, None).expect("a name");
                timings.cron(text, id)
            }
            (None, Some(seconds), None) => timings.every(Duration::from_secs(seconds), None),
            (None, None, Some(at)) => timings.at(at, timezone),
            _ => panic!("one of `cron`, `every_s`, `at`"),
        };
        made.expect("a timing")
    }

    fn firing(self) -> Firing {
        let rules = Rules { jitter: Duration::from_secs(self.jitter_s), ..Rules::default() };
        let timing = self.timing();
        let occurrence = timing.next_after(self.after).expect("a next one");
        let schedule = made(ScheduleSpec {
            channel: channel(),
            id: Schedule::id_of(&channel(), &self.name, None).expect("a name"),
            name: self.name,
            timing,
            payload: self.payload,
            rules: Arc::new(rules),
            enabled: true,
            origin: ScheduleOrigin::Toml,
        });
        let delay = u64::try_from(schedule.delay_ms(None)).expect("not before");
        let due_at = occurrence.at.plus(Duration::from_millis(delay));
        Firing {
            schedule,
            occurrence,
            due_at,
            fired_at: due_at.plus(Duration::from_millis(self.late_ms)),
            trigger: self.trigger,
            missed: self.missed,
            previous: None,
            run_key: self.run_key.map(Into::into),
        }
    }
}

/// The event, as the queue gives it back.
fn event(case: Case) -> Event {
    let draft = draft(&case.firing(), &PromptKey::new([7; 32]));
    let bytes = StoredEvent::encode(&draft);
    let id = EventId::from_parts(at("2026-11-21T01:02:03.456Z"), 7);
    StoredEvent::decode(id, &bytes, &draft.raw).expect("what was encoded decodes")
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/cron/firings");
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("read").path());
    let mut cases: Vec<_> =
        entries.filter(|path| path.to_string_lossy().ends_with(".case.json")).collect();
    cases.sort();
    assert!(!cases.is_empty(), "the folder is empty");
    cases
}

/// Compares a file with what it should hold, or writes it.
fn agree(path: &Path, found: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "a test is told by its environment to write")]
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        fs::write(path, found).expect("written");
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    let differs = || format!("{}\nexpected:\n{expected}\nfound:\n{found}", path.display());
    (expected != found).then(differs)
}

#[test]
fn every_firing_gives_the_event_and_the_prompt_of_its_files() {
    let mut wrong = Vec::new();
    for path in cases() {
        let case: Case = serde_json::from_str(&fs::read_to_string(&path).expect("read"))
            .unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
        let event = event(case);
        assert!(event.cron().is_some(), "{}: the data is whole", path.display());
        assert!(event.prompt_ready().len() <= PROMPT_BYTES_MAX);
        let beside = path.with_extension("");
        let shown = serde_json::to_string_pretty(&event).expect("JSON") + "\n";
        wrong.extend(agree(&beside.with_extension("event.json"), &shown));
        wrong.extend(agree(&beside.with_extension("prompt.txt"), event.prompt_ready()));
    }
    assert!(wrong.is_empty(), "{} files differ:\n\n{}", wrong.len(), wrong.join("\n\n"));
}
