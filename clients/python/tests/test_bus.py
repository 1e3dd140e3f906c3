from __future__ import annotations

import re
import uuid
from datetime import datetime
from pathlib import Path

import pytest

from headgate import Headgate
from headgate.bus import EventKind, EventType, create_event, emit_event
from headgate.testing import FakeGateway

CATALOG = Path(__file__).parents[3] / "fixtures" / "catalogs" / "ad-seller.toml"


@pytest.mark.parametrize("payload", [{}, 0, "", False, [], {"a": 1}])
def test_an_envelope_takes_any_payload_but_none(payload: object) -> None:
    event = create_event(EventKind.CREATED, payload)
    assert set(event) == {"id", "kind", "payload", "timestamp"}
    assert event["payload"] == payload
    assert event["kind"] == "created"
    assert type(event["kind"]) is str
    assert uuid.UUID(event["id"]).version == 4
    assert datetime.fromisoformat(event["timestamp"]).tzinfo is not None


def test_an_id_that_is_given_is_kept_and_an_empty_one_is_none() -> None:
    assert create_event(EventKind.DELETED, 1, event_id="mine")["id"] == "mine"
    assert uuid.UUID(create_event(EventKind.DELETED, 1, event_id="")["id"])


def test_a_kind_is_a_member_and_a_payload_is_not_none() -> None:
    with pytest.raises(ValueError, match=r"kind: expected one of EventKind.CREATED.*'created'"):
        create_event("created", {})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="payload: expected a value, found None"):
        create_event(EventKind.UPDATED, None)


def test_the_catalog_has_its_types() -> None:
    named = re.findall(r'^type = "([^"]+)"$', CATALOG.read_text(encoding="utf-8"), re.MULTILINE)
    assert [kind.value for kind in EventType] == named
    assert len(named) == 22
    assert EventType("proposal.countered") is EventType.PROPOSAL_COUNTERED
    assert EventType.APPROVAL_TIMED_OUT.value == "approval.timed_out"


async def test_events_and_envelopes_are_emitted() -> None:
    gateway = FakeGateway()
    client = gateway.attach(Headgate(url="http://gateway"))
    emitted = await emit_event(EventType.DEAL_CREATED, {"n": 1}, client=client, deal_id="d1")
    envelope = create_event(EventKind.CREATED, {"n": 2}, event_id="mine")
    assert (await emit_event(envelope, client=client)).event_id == "mine"
    await client.close()
    first, second = gateway.emitted
    assert first == {
        "type": "deal.created",
        "payload": {"n": 1},
        "deal_id": "d1",
        "event_id": emitted.event_id,
    }
    assert second == dict(envelope)
