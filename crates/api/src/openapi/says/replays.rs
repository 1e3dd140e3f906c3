//! Giving stored events again.

use crate::{
    dead_letters::{Deleted, RedriveAsk, Redriven},
    openapi::operation::{Operation, Parameter},
    replays::{Ask, ReplayList},
    subscriptions::{TestAsk, Tested},
};
use headgate_queue::{Counted, ReplayStatus};
use serde_json::{Value, json};

const ID: &str = "01KAJ3V3W2N9E6W0V8R3M5T7QZ";

/// `POST /v1/replays`.
pub(crate) fn begin() -> Operation {
    let about = "Its deliveries carry `origin` `replay` and its id. Live events go first: while \
                 they wait, one delivery in four is a replay's. A replay outlives a restart.";
    let ask = json!({
        "subscription": "agent", "rate": "100/s",
        "events": {"channels": ["hub"], "since": "2026-11-20T00:00:00Z"}
    });
    let counted = json!({"matched": 1200, "scanned": 1200, "complete": true});
    of("beginReplay", "Give stored events to a subscription again")
        .about(about)
        .body::<Ask>(ask)
        .body_required()
        .json::<Counted>(200, "With `dry_run`: how many events it would give", counted)
        .json::<ReplayStatus>(201, "It is begun", status())
        .error(404, &["unknown_subscription"])
        .error(409, &["too_many_replays"])
        .error(422, &["nothing_to_replay", "unknown_event", "too_many_events"])
}

/// `GET /v1/replays`.
pub(crate) fn list() -> Operation {
    of("listReplays", "List replays, the newest first")
        .about("All that run, and the newest of those that ended.")
        .json::<ReplayList>(200, "The replays", json!({"replays": [status()]}))
}

/// `GET /v1/replays/{id}`.
pub(crate) fn show() -> Operation {
    one(of("getReplay", "Show how far a replay is")).json::<ReplayStatus>(
        200,
        "The replay",
        status(),
    )
}

/// `DELETE /v1/replays/{id}`.
pub(crate) fn cancel() -> Operation {
    let about = "It gives nothing more, and what it gave is not settled any more. One that has \
                 ended is left as it is, which is 409.";
    one(of("cancelReplay", "End a replay before its end"))
        .about(about)
        .json::<ReplayStatus>(200, "It is cancelled", status())
        .error(409, &["replay_ended"])
}

/// `POST /v1/dead-letters/redrive`.
pub(crate) fn redrive() -> Operation {
    let about = "Each is taken up for itself, with a first attempt again: what is no dead letter \
                 is an error for that delivery alone. One call takes up 5000 at most. `edits` make \
                 events of their own of webhooks, with `metadata.edited_from`, which go to all \
                 who want them; the same edit of a delivery makes one event.";
    let error = json!({
        "delivery": "agent.1.2.8", "code": "not_dead",
        "message": "`agent.1.2.8` is no dead letter of this subscription"
    });
    of("redriveDeadLetters", "Deliver the events of dead letters again")
        .about(about)
        .body::<RedriveAsk>(json!({"subscription": "agent", "deliveries": ["agent.1.1.8"]}))
        .body_required()
        .json::<Redriven>(
            200,
            "What comes again",
            json!({"redriven": 1, "edited": [], "errors": [error], "complete": true}),
        )
        .error(404, &["unknown_subscription"])
        .error(422, &["too_many_ids"])
}

/// `DELETE /v1/dead-letters`.
pub(crate) fn delete() -> Operation {
    let text = || json!({"type": "string"});
    let all = json!({"type": "string", "enum": ["true"]});
    of("deleteDeadLetters", "Forget dead letters of a subscription")
        .about("Their events stay. One call deletes 5000 at most.")
        .parameter(Parameter::query("subscription", "Its name.", text()).required())
        .parameter(Parameter::repeated("delivery", "The delivery that died"))
        .parameter(Parameter::query("all", "All of them, instead.", all))
        .json::<Deleted>(
            200,
            "What was deleted",
            json!({"deleted": 1, "errors": [], "complete": true}),
        )
        .error(404, &["unknown_subscription"])
        .error(422, &["invalid_parameter"])
}

/// `POST /v1/subscriptions/{name}/test`.
pub(crate) fn test() -> Operation {
    let about = "Nothing is changed. Without `events` the subscription's own filters are tried.";
    let sample = json!({
        "id": ID, "type": "webhook.received", "channel": "hub",
        "provider_event": "pull_request.opened", "created_at": "2026-11-21T01:02:03.456Z",
        "headline": "GitHub pull_request opened at 2026-11-21T01:02:03Z."
    });
    of("testSubscription", "Say what a subscription would get of the stored events")
        .about(about)
        .parameter(super::subscriptions::name())
        .body::<TestAsk>(json!({
            "since": "2026-11-14T00:00:00Z", "events": {"filter": "data.body.action == 'opened'"}
        }))
        .json::<Tested>(
            200,
            "What it would get",
            json!({
                "matched": 12, "left_out": 88, "complete": true, "fits_nothing": null,
                "samples": [sample]
            }),
        )
        .error(404, &["unknown_subscription"])
}

fn of(id: &'static str, summary: &'static str) -> Operation {
    Operation::new(id, "replays", summary).error(422, &["unknown_parameter"]).uses_queue()
}

fn one(operation: Operation) -> Operation {
    operation
        .parameter(Parameter::path("id", "The id of the replay.", ID))
        .error(404, &["unknown_replay"])
        .error(422, &["invalid_id"])
}

fn status() -> Value {
    json!({
        "id": ID, "subscription": "agent", "state": "running", "channels": ["hub"],
        "since": "2026-11-20T00:00:00.000Z", "by": "filter", "rate": "100/s", "matched": 1200,
        "delivered": 300, "settled": 280, "dead": 2, "in_flight": 18, "waiting": 0,
        "progress": 0.235, "created_at": "2026-11-21T01:02:03.456Z", "ended_at": null
    })
}
