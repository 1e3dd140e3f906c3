from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from headgate import (
    Attachment,
    Calendar,
    Contained,
    EmailData,
    Event,
    Headgate,
    HeadgateError,
    IncompatibleServer,
    MalformedEvent,
    WebhookData,
)
from headgate.testing import FakeGateway, load_event, make_event

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
    for name in ("type", "origin", "provider", "dedupe_key", "thread_key", "prompt_ready"):
        if name in case["event"]:
            assert getattr(event, name) == case["event"][name], name
    # What is known of an object; what came may hold more.
    for name in ("channel", "verification", "correlation"):
        for part, said in case["event"].get(name, {}).items():
            assert getattr(getattr(event, name), part, said) == said, f"{name}.{part}"


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


async def test_a_delivered_event_may_be_handed_to_another_process() -> None:
    client, gateway, copies = Headgate(), FakeGateway(), []
    attachment = {"filename": "a.txt", "content_type": "text/plain", "size_bytes": 1, "url": "/a"}
    sent = gateway.put("email.received", attachments=[attachment])

    @client.on_event()
    async def hand_on(event: Event) -> None:
        assert event.email is not None
        copies.append(pickle.loads(pickle.dumps(event)))
        copies.append(copy.deepcopy(event))
        assert pickle.loads(pickle.dumps(event.email.attachments[0])) == event.email.attachments[0]

    await gateway.run(client)
    assert gateway.acked == 1
    for copied in copies:
        assert (copied.id, copied.email) == (sent.id, sent.email)
        with pytest.raises(HeadgateError, match="was not delivered to a handler"):
            copied.ack()


def test_the_fields_of_a_message_stand_in_their_order() -> None:
    # What is first may be given by its place, so the order is part of what is promised.
    first = "from_ to cc bcc subject text html message_id attachments received_at reply_text auth"
    assert [one.name for one in dataclasses.fields(EmailData)][:12] == first.split()
    first = "method path headers body_encoding body body_raw_b64 body_size_bytes"
    assert [one.name for one in dataclasses.fields(WebhookData)][:7] == first.split()
    first = "filename content_type size_bytes url"
    assert [one.name for one in dataclasses.fields(Attachment)][:4] == first.split()


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


def test_an_invitation_says_what_it_is_about() -> None:
    files = [
        {
            "filename": "meet.ics",
            "content_type": "text/calendar",
            "size_bytes": 9,
            "calendar": {"method": "REQUEST", "uid": "u1", "mood": "good"},
            "contains": [{"filename": "a.txt", "size_bytes": 1}],
        }
    ]
    email = make_event("email.received", attachments=files).email
    assert email is not None
    (attachment,) = email.attachments
    assert attachment.calendar == Calendar(method="REQUEST", uid="u1")
    assert attachment.contains == (Contained("a.txt", 1),)


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
    (tmp_path / "event.json").rename(tmp_path / "invoice.paid.event.json")
    (tmp_path / "invoice.paid.prompt.txt").write_text("not this one")
    assert load_event(tmp_path) == event
    (tmp_path / "push.event.json").write_text("{}")
    with pytest.raises(FileNotFoundError, match=r"found `invoice.paid.event.json`, `push.event"):
        load_event(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"expected one file .* found none"):
        load_event(tmp_path / "empty")
