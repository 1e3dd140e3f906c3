"""The event bus of an application: the catalog, the envelope, and the calls that use them.

`emit_event`, `list_events` and `get_event` use the client that they are given, or one that is
made of `HEADGATE_URL` and `HEADGATE_KEY` for the call.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from enum import Enum
from typing import Any, TypedDict

from ._address import segment
from ._api import Emitted, _emitted
from ._client import Headgate


class EventKind(str, Enum):
    """What happened to a thing."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"


class EventEnvelope(TypedDict):
    """An event about a thing, in the shape in which services pass it on."""

    id: str
    kind: str
    payload: Any
    timestamp: str


class EventType(str, Enum):
    """The types of the shipped catalog."""

    PROPOSAL_RECEIVED = "proposal.received"
    PROPOSAL_EVALUATED = "proposal.evaluated"
    PROPOSAL_ACCEPTED = "proposal.accepted"
    PROPOSAL_REJECTED = "proposal.rejected"
    PROPOSAL_COUNTERED = "proposal.countered"
    DEAL_CREATED = "deal.created"
    DEAL_REGISTERED = "deal.registered"
    DEAL_SYNCED = "deal.synced"
    EXECUTION_COMPLETED = "execution.completed"
    APPROVAL_REQUESTED = "approval.requested"
    APPROVAL_GRANTED = "approval.granted"
    APPROVAL_DENIED = "approval.denied"
    APPROVAL_TIMED_OUT = "approval.timed_out"
    SESSION_CREATED = "session.created"
    SESSION_RESUMED = "session.resumed"
    SESSION_CLOSED = "session.closed"
    PACKAGE_CREATED = "package.created"
    PACKAGE_UPDATED = "package.updated"
    PACKAGE_SYNCED = "package.synced"
    NEGOTIATION_STARTED = "negotiation.started"
    NEGOTIATION_ROUND = "negotiation.round"
    NEGOTIATION_CONCLUDED = "negotiation.concluded"


class BusEvent(TypedDict):
    """An app event as the bus shows it."""

    event_id: str
    event_type: str
    timestamp: str
    flow_id: str | None
    flow_type: str | None
    proposal_id: str | None
    deal_id: str | None
    session_id: str | None
    payload: Any
    metadata: dict[str, Any]


def create_event(kind: EventKind, payload: Any, event_id: str | None = None) -> EventEnvelope:
    """An envelope. `payload` may be anything but None; without an id it gets a UUID."""
    if not isinstance(kind, EventKind):
        names = ", ".join(f"EventKind.{member.name}" for member in EventKind)
        raise ValueError(f"kind: expected one of {names}, found {kind!r}")
    if payload is None:
        raise ValueError("payload: expected a value, found None")
    if event_id is not None and not isinstance(event_id, str):
        raise ValueError(f"event_id: expected a string, found {event_id!r}")
    return EventEnvelope(
        id=event_id or str(uuid.uuid4()),
        kind=kind.value,
        payload=payload,
        timestamp=datetime.now(timezone.utc).isoformat(),
    )


async def emit_event(
    event: EventType | str | EventEnvelope,
    payload: Any = None,
    *,
    client: Headgate | None = None,
    **fields: Any,
) -> Emitted:
    """Puts an event of the catalog, of any type, or an envelope on the bus.

    `fields` are those of `Headgate.emit`: `flow_id`, `deal_id`, `session_id` and so on.
    """
    async with _client(client) as used:
        if isinstance(event, Mapping):
            if payload is not None or fields:
                raise ValueError("an envelope has its payload: expected no further fields")
            path = "/v1/events?format=envelope"
            return _emitted(await used._http.call_again("POST", path, body=dict(event)))
        return await used.emit(event, payload, **fields)


async def list_events(
    *,
    flow_id: str | None = None,
    event_type: EventType | str | None = None,
    session_id: str | None = None,
    limit: int = 50,
    client: Headgate | None = None,
) -> list[BusEvent]:
    """App events, newest first; all filters hold."""
    kind = event_type.value if isinstance(event_type, EventType) else event_type
    given = {"flow_id": flow_id, "event_type": kind, "session_id": session_id, "limit": limit}
    query = {name: value for name, value in given.items() if value is not None}
    async with _client(client) as used:
        answer = await used._http.call_again("GET", "/events", query=query)
        events: list[BusEvent] = answer["events"]
        return events


async def get_event(event_id: str, *, client: Headgate | None = None) -> BusEvent:
    """One app event by its own id; `NotFound` when there is none."""
    async with _client(client) as used:
        path = f"/events/{segment(event_id)}"
        event: BusEvent = await used._http.call_again("GET", path)
        return event


@asynccontextmanager
async def _client(given: Headgate | None) -> AsyncIterator[Headgate]:
    if given is not None:
        yield given
        return
    async with Headgate() as made:
        yield made


__all__ = [
    "BusEvent",
    "Emitted",
    "EventEnvelope",
    "EventKind",
    "EventType",
    "create_event",
    "emit_event",
    "get_event",
    "list_events",
]
