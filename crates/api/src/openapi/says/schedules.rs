//! Schedules.

use super::events::limit;
use crate::{
    ScheduleAsk, ScheduleView,
    openapi::operation::{Content, Operation, Parameter},
    schedules::{BackfillAsk, Filling, Listed, Ran, ResumeAsk, RunAsk},
};
use headgate_event::limits::NEXT_RUNS_MAX;
use serde_json::{Value, json};

const ID: &str = "0f9b1d0e-6f0c-5a55-9c3e-9d1a6f1f7c11";

/// `GET /v1/schedules`.
pub(crate) fn list() -> Operation {
    let example = json!({"schedules": [schedule()], "next_cursor": null});
    let channel = json!({"type": "string"});
    of("listSchedules", "List schedules with their next runs, by channel and name")
        .parameter(Parameter::query("channel", "Of this channel.", channel))
        .parameter(limit())
        .parameter(runs())
        .parameter(Parameter::query(
            "cursor",
            "The `next_cursor` of the page before.",
            json!({"type": "string"}),
        ))
        .json::<Listed>(200, "A page of schedules", example)
        .error(422, &["invalid_cursor", "invalid_parameter", "unknown_parameter"])
}

/// `POST /v1/schedules`.
pub(crate) fn make() -> Operation {
    of("makeSchedule", "Make a schedule")
        .about("It is stored, and outlives restarts. The keys are those of `[[channel.schedule]]`.")
        .body::<ScheduleAsk>(ask())
        .body_required()
        .json::<ScheduleView>(201, "It is made", schedule())
        .error(409, &["schedule_exists"])
        .error(422, &["invalid_schedule", "unknown_parameter"])
        .error(503, &["unavailable"])
}

/// `GET /v1/schedules/{id}`.
pub(crate) fn show() -> Operation {
    one(of("getSchedule", "Show a schedule"))
        .parameter(runs())
        .json::<ScheduleView>(200, "The schedule", schedule())
        .error(422, &["invalid_parameter"])
}

/// `PUT /v1/schedules/{id}`.
pub(crate) fn change() -> Operation {
    changing(of("changeSchedule", "Put a schedule in the place of one made over the API"))
        .about(
            "What the body leaves out is the default. One whose timing stays goes on where it \
             was; another timing begins at the call.",
        )
        .body::<ScheduleAsk>(ask())
        .body_required()
        .json::<ScheduleView>(200, "It is changed", schedule())
        .error(409, &["configured", "schedule_exists"])
        .error(422, &["invalid_schedule"])
}

/// `DELETE /v1/schedules/{id}`.
pub(crate) fn delete() -> Operation {
    changing(of("deleteSchedule", "Take away a schedule made over the API"))
        .answer(204, "It is gone", Content::Nothing)
        .error(409, &["configured"])
}

/// `POST /v1/schedules/{id}/pause`.
pub(crate) fn pause() -> Operation {
    changing(of("pauseSchedule", "Let a schedule fire no more until it is resumed"))
        .about("Also one from the configuration file. The pause outlives restarts.")
        .json::<ScheduleView>(200, "It is paused", schedule())
        .error(400, &["incomplete_body"])
        .error(413, &["body_too_large"])
        .error(422, &["invalid_body"])
}

/// `POST /v1/schedules/{id}/resume`.
pub(crate) fn resume() -> Operation {
    changing(of("resumeSchedule", "Let a paused schedule fire again"))
        .about("What was due meanwhile does not fire, unless `catch_up` is said.")
        .body::<ResumeAsk>(json!({"catch_up": false}))
        .json::<ScheduleView>(200, "It goes on", schedule())
}

/// `POST /v1/schedules/{id}/run`.
pub(crate) fn run() -> Operation {
    let key = Parameter {
        name: "idempotency-key",
        place: "header",
        about: "The same key again, within 90 days, is the same run; also in the body.".to_owned(),
        schema: json!({"type": "string"}),
        example: Some(json!("2026-11-21-a")),
        required: false,
    };
    let example = json!({"id": "01KAJ3V3W2N9E6W0V8R3M5T7QZ", "duplicate": false});
    changing(of("runSchedule", "Fire a schedule at once, whatever its times are"))
        .parameter(key)
        .body::<RunAsk>(json!({"idempotency_key": "2026-11-21-a"}))
        .json::<Ran>(200, "The event is stored", example)
        .error(422, &["invalid_header", "invalid_schedule"])
}

/// `POST /v1/schedules/{id}/backfill`.
pub(crate) fn backfill() -> Operation {
    changing(of("backfillSchedule", "Make the runs that were due in a span of the past"))
        .about("What fired then does not fire again.")
        .body::<BackfillAsk>(json!({"from": "2026-11-01T00:00:00Z", "to": "2026-11-21T00:00:00Z"}))
        .body_required()
        .json::<Filling>(200, "The runs are stored", json!({"fired": 2, "duplicates": 1}))
        .error(422, &["invalid_schedule"])
}

fn of(id: &'static str, summary: &'static str) -> Operation {
    Operation::new(id, "schedules", summary).error(404, &["schedules_off"])
}

fn one(operation: Operation) -> Operation {
    operation
        .parameter(Parameter::path("id", "The id of the schedule.", ID))
        .error(404, &["unknown_schedule"])
        .error(422, &["unknown_parameter"])
}

fn changing(operation: Operation) -> Operation {
    one(operation).error(503, &["unavailable"])
}

fn runs() -> Parameter {
    let schema = json!({"type": "integer", "minimum": 0, "maximum": NEXT_RUNS_MAX, "default": 5});
    Parameter::query("runs", "How many next runs are shown of each.", schema)
}

fn ask() -> Value {
    json!({
        "channel": "timers", "name": "weekly report", "cron": "0 14 * * THU",
        "timezone": "America/New_York", "payload": {"report": "weekly"}
    })
}

fn schedule() -> Value {
    json!({
        "id": ID, "name": "weekly report", "channel": "timers", "origin": "api",
        "cron_expr": "0 14 * * THU", "timezone": "America/New_York",
        "description": "At 14:00 on Thursday, America/New_York",
        "payload": {"report": "weekly"}, "enabled": true, "paused": false, "fires": 3,
        "missed_count": 0, "dealt_with_until": "2026-11-19T19:00:00.000Z",
        "last_event_id": "01KAJ3V3W2N9E6W0V8R3M5T7QZ",
        "next": [{
            "scheduled_at": "2026-11-26T19:00:00.000Z", "fires_at": "2026-11-26T19:00:00.000Z",
            "local": "2026-11-26T14:00:00-05:00", "dst": null
        }],
        "problem": null, "warnings": []
    })
}
