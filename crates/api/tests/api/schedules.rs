//! Schedules over the API: what is shown, what is refused, and what reaches who fires them.

use crate::world::{START, World};
use headgate_api::{
    Filled, Paused, ScheduleAsk, ScheduleFault, ScheduleQuery, ScheduleSource, ScheduleView,
    ScheduledRun, Schedules,
};
use headgate_event::{Accepted, BoxFuture, EventId, Timestamp};
use insta::assert_snapshot;
use serde_json::value::RawValue;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// Ten schedules, and every call that came.
#[derive(Default)]
struct Told {
    calls: Mutex<Vec<String>>,
}

const CONFIGURED: &str = "s0";

fn view(n: usize, runs: usize) -> ScheduleView {
    let run = |ahead: u64| ScheduledRun {
        scheduled_at: START.plus(Duration::from_secs(60 * ahead)),
        fires_at: START.plus(Duration::from_secs(60 * ahead)),
        local: format!("2026-11-20T19:0{ahead}:00-05:00"),
        dst: None,
    };
    ScheduleView {
        id: format!("s{n}"),
        name: format!("report {n}"),
        channel: "timers".to_owned(),
        origin: if n == 0 { ScheduleSource::Config } else { ScheduleSource::Api },
        cron_expr: "* * * * *".to_owned(),
        timezone: "America/New_York".to_owned(),
        description: "At every minute, America/New_York".to_owned(),
        payload: RawValue::from_string(r#"{"n": 1.50}"#.to_owned()).expect("JSON"),
        enabled: true,
        paused: false,
        fires: 3,
        missed_count: 0,
        dealt_with_until: START,
        last_event_id: None,
        next: (1..=runs as u64).map(run).collect(),
        problem: (n == 9).then(|| "channel `timers` is not configured".to_owned()),
        warnings: Vec::new(),
    }
}

impl Told {
    fn note(&self, call: String) {
        self.calls.lock().expect("not poisoned").push(call);
    }

    fn check(id: &str) -> Result<usize, ScheduleFault> {
        let known = id.strip_prefix('s').and_then(|n| n.parse().ok()).filter(|n| *n < 10);
        known.ok_or(ScheduleFault::Unknown)
    }
}

impl Schedules for Told {
    fn list(&self, query: ScheduleQuery) -> BoxFuture<'_, Vec<ScheduleView>> {
        let after = query.after.map(|[_, name, _]| name);
        let all = (0..10).map(|n| view(n, query.runs));
        let page = all
            .filter(|it| query.channel.as_ref().is_none_or(|channel| it.channel == *channel))
            .filter(|it| after.as_ref().is_none_or(|after| it.name > *after))
            .take(query.limit)
            .collect();
        Box::pin(std::future::ready(page))
    }

    fn show(&self, id: &str, runs: usize) -> Option<ScheduleView> {
        Self::check(id).ok().map(|n| view(n, runs))
    }

    fn make(&self, ask: ScheduleAsk) -> BoxFuture<'_, Result<ScheduleView, ScheduleFault>> {
        self.note(format!("make {}", serde_json::to_string(&ask).expect("JSON")));
        let answer = match ask.name.as_str() {
            "report 1" => Err(ScheduleFault::Exists("there is a schedule `report 1`".to_owned())),
            "disk" => Err(ScheduleFault::Unavailable { cause: "disk".to_owned() }),
            "odd" => Err(ScheduleFault::Invalid("`cron`: minute `61` is not one".to_owned())),
            _ => Ok(view(1, 1)),
        };
        Box::pin(async move { answer })
    }

    fn change<'a>(
        &'a self,
        id: &'a str,
        ask: ScheduleAsk,
    ) -> BoxFuture<'a, Result<ScheduleView, ScheduleFault>> {
        self.note(format!("change {id} {}", ask.name));
        let answer = Self::check(id).and_then(|n| match id {
            CONFIGURED => Err(ScheduleFault::Configured("it is changed there".to_owned())),
            _ => Ok(view(n, 1)),
        });
        Box::pin(async move { answer })
    }

    fn delete<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), ScheduleFault>> {
        self.note(format!("delete {id}"));
        Box::pin(async move { Self::check(id).map(drop) })
    }

    fn pause<'a>(
        &'a self,
        id: &'a str,
        paused: Paused,
    ) -> BoxFuture<'a, Result<ScheduleView, ScheduleFault>> {
        self.note(format!("pause {id} {paused:?}"));
        Box::pin(async move { Self::check(id).map(|n| view(n, 0)) })
    }

    fn run<'a>(
        &'a self,
        id: &'a str,
        key: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Accepted, ScheduleFault>> {
        self.note(format!("run {id} {key:?}"));
        let event = EventId::from_parts(START, 7);
        let accepted =
            if key == Some("again") { Accepted::Duplicate(event) } else { Accepted::New(event) };
        Box::pin(async move { Self::check(id).map(|_| accepted) })
    }

    fn backfill<'a>(
        &'a self,
        id: &'a str,
        (from, to): (Timestamp, Timestamp),
    ) -> BoxFuture<'a, Result<Filled, ScheduleFault>> {
        self.note(format!("backfill {id} {from} {to}"));
        Box::pin(async move { Self::check(id).map(|_| Filled { fired: 2, duplicates: 1 }) })
    }
}

fn world() -> (World, Arc<Told>) {
    let told = Arc::new(Told::default());
    let port = Arc::clone(&told) as Arc<dyn Schedules>;
    (World::changed(|options| options.schedules = Some(port)), told)
}

impl Told {
    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock().expect("not poisoned"))
    }
}

#[tokio::test]
async fn schedules_are_listed_page_by_page_with_their_next_runs() {
    let (world, _) = world();
    let first = world.get("/v1/schedules?limit=1&runs=2").await;
    assert_snapshot!("schedules_list", first.shown());
    let (mut seen, mut path) = (Vec::new(), "/v1/schedules?limit=3".to_owned());
    loop {
        let json = world.get(&path).await.json();
        let page = json["schedules"].as_array().expect("a list");
        seen.extend(page.iter().map(|one| one["id"].as_str().expect("an id").to_owned()));
        let Some(cursor) = json["next_cursor"].as_str() else { break };
        path = format!("/v1/schedules?limit=3&cursor={cursor}");
    }
    let all: Vec<String> = (0..10).map(|n| format!("s{n}")).collect();
    assert_eq!(seen, all);
    let other = world.get("/v1/schedules?channel=other").await.json();
    assert_eq!(other["schedules"].as_array().expect("a list").len(), 0);
    let wrong = world.get("/v1/schedules?cursor=AAAA").await;
    assert_snapshot!("schedules_cursor", wrong.shown());
    assert_eq!(world.get("/v1/schedules?runs=51").await.status, 422);
}

#[tokio::test]
async fn a_schedule_is_made_and_changed_as_it_was_written() {
    let (world, told) = world();
    let body = r#"{"channel":"timers","name":"n","cron":"0 14 * * THU","payload":{"x": 1.0}}"#;
    assert_eq!(world.post("/v1/schedules", body).await.status, 201);
    assert_eq!(told.calls(), [format!("make {body}")]);
    assert_eq!(world.call("PUT", "/v1/schedules/s3", body).await.status, 200);
    assert_eq!(told.calls(), ["change s3 n"]);
    assert_snapshot!(
        "schedule_configured",
        world.call("PUT", "/v1/schedules/s0", body).await.shown()
    );
    let made = |name: &str| format!(r#"{{"channel":"timers","name":"{name}"}}"#);
    let exists = world.post("/v1/schedules", &made("report 1")).await;
    assert_snapshot!("schedule_exists", exists.shown());
    let odd = world.post("/v1/schedules", &made("odd")).await;
    assert_snapshot!("schedule_invalid", odd.shown());
    let disk = world.post("/v1/schedules", &made("disk")).await;
    assert_snapshot!("schedule_unavailable", disk.shown());
    let unknown = world.post("/v1/schedules", r#"{"name":"a","crom":"* * * * *"}"#).await;
    assert_snapshot!("schedule_unknown_key", unknown.shown());
}

#[tokio::test]
async fn a_schedule_is_paused_resumed_run_filled_and_deleted() {
    let (world, told) = world();
    assert_eq!(world.post("/v1/schedules/s2/pause", "").await.status, 200);
    assert_eq!(world.post("/v1/schedules/s2/resume", "").await.status, 200);
    let catch_up = world.post("/v1/schedules/s2/resume", r#"{"catch_up":true}"#).await;
    assert_eq!(catch_up.status, 200);
    let expected = ["pause s2 Yes", "pause s2 No", "pause s2 NoAndCatchUp"];
    assert_eq!(told.calls(), expected);
    assert_snapshot!("schedule_run", world.post("/v1/schedules/s2/run", "").await.shown());
    let again = world.post("/v1/schedules/s2/run", r#"{"idempotency_key":"again"}"#).await;
    assert_eq!(again.json()["duplicate"], true);
    assert_eq!(told.calls(), ["run s2 None", "run s2 Some(\"again\")"]);
    let span = r#"{"from":"2026-11-01T00:00:00Z","to":"2026-11-02T00:00:00Z"}"#;
    let filled = world.post("/v1/schedules/s2/backfill", span).await;
    assert_snapshot!("schedule_backfill", filled.shown());
    assert_eq!(world.post("/v1/schedules/s2/backfill", "{}").await.status, 422);
    assert_eq!(world.call("DELETE", "/v1/schedules/s2", "").await.status, 204);
}

#[tokio::test]
async fn what_is_no_schedule_is_told_by_its_id() {
    let (world, _) = world();
    assert_snapshot!("schedule_unknown", world.get("/v1/schedules/s10").await.shown());
    for path in ["pause", "resume", "run"] {
        let answer = world.post(&format!("/v1/schedules/nobody/{path}"), "").await;
        assert_eq!(answer.status, 404, "{path}");
    }
    assert_eq!(world.call("DELETE", "/v1/schedules/nobody", "").await.status, 404);
    let off = World::new().get("/v1/schedules").await;
    assert_snapshot!("schedules_off", off.shown());
}
