from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from headgate import Event, HeadgateError, IncompatibleServer, MalformedEvent
from headgate.testing import load_event, make_event

from .conftest import cases

ACCESSORS = ("webhook", "email", "slack", "cron", "app")


@pytest.mark.parametrize("path", cases("events"), ids=lambda path: path.stem)
def test_exactly_the_accessor_that_fits_reads_the_event(path: Path) -> None:
    case = json.loads(path.read_text())
    event = Event.from_json(case["event"])
    for name in ACCESSORS:
        data = getattr(event, name)
        assert (data is not None) is (name == case["accessor"]), name
        if data is not None:
            for key, expected in case["reads"].items():
                assert getattr(data, "from_" if key == "from" else key) == expected
    assert event.data == case["event"]["data"]
    assert event.raw == case["event"]


def test_an_event_cannot_be_changed_and_is_hashed_by_its_id() -> None:
    event = make_event("webhook.received", body={"items": [1, {"a": 2}]})
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.type = "other"  # type: ignore[misc]
    changes: list[Any] = [
        lambda data: data.update(x=1),
        lambda data: data["body"].pop("items"),
        lambda data: data["body"]["items"].append(3),
        lambda data: data["body"]["items"][1].__setitem__("a", 3),
        lambda data: data["body"].__delitem__("items"),
    ]
    for change in changes:
        with pytest.raises(TypeError, match="an event is immutable"):
            change(event.data)
    assert hash(event) == hash(event.id)
    assert {event: 1}[Event.from_json(event.raw)] == 1
    assert json.loads(json.dumps(event.data)) == event.data


def test_an_event_may_be_copied_and_pickled() -> None:
    event = make_event("slack.event", text="hello")
    for other in (copy.deepcopy(event), pickle.loads(pickle.dumps(event))):
        assert other == event
        with pytest.raises(TypeError):
            other.data.update(text="changed")  # type: ignore[union-attr]


def test_times_are_aware_and_in_utc() -> None:
    event = make_event("cron.fired", event={"created_at": "2026-11-21T03:02:03.4567891+02:00"})
    assert event.created_at.tzinfo is timezone.utc
    assert event.created_at.isoformat() == "2026-11-21T01:02:03.456789+00:00"


def test_a_schedule_tells_how_late_it_fired() -> None:
    late = make_event(
        "cron.fired", scheduled_at="2026-11-21T08:00:00Z", fired_at="2026-11-21T08:00:02.5Z"
    )
    assert late.cron is not None
    assert late.cron.lateness == timedelta(seconds=2.5)


def test_an_event_that_was_not_delivered_has_nothing_to_settle() -> None:
    with pytest.raises(HeadgateError, match="was not delivered to a handler"):
        make_event("webhook.received").ack()


def test_what_is_no_event_is_said_to_be_none() -> None:
    with pytest.raises(MalformedEvent, match="what came is no event: expected `id`"):
        Event.from_json({"type": "x"})
    with pytest.raises(
        IncompatibleServer, match=r"found `headgate.event.v2`: .* update the package"
    ):
        Event.from_json({"schema": "headgate.event.v2"})


def test_an_event_is_loaded_from_a_file_or_a_folder(tmp_path: Path) -> None:
    event = make_event("webhook.received")
    (tmp_path / "event.json").write_text(json.dumps(event.raw))
    assert load_event(tmp_path) == load_event(tmp_path / "event.json") == event
