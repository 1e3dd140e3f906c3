"""Events of your own, over the real program."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from headgate import Conflict, Event, Headgate, Invalid, NotFound
from headgate.bus import EventKind, EventType, create_event, emit_event, get_event, list_events

from .gateway import KEY, Gateway


async def test_what_is_emitted_is_stored_once_and_found_on_the_bus(gateway: Gateway) -> None:
    async with Headgate(url=gateway.url, key=KEY) as client:
        first = await emit_event(
            EventType.PROPOSAL_RECEIVED, {"n": 1}, client=client, event_id="p-1", flow_id="f"
        )
        again = await client.emit("proposal.received", {"n": 1}, event_id="p-1", flow_id="f")
        assert (first.duplicate, again.duplicate) == (False, True)
        assert first.id == again.id
        with pytest.raises(Conflict):
            await client.emit("proposal.received", {"n": 2}, event_id="p-1")
        many = await client.emit_many([{"type": "deal.created"}, {"type": "deal.synced"}])
        assert [one.duplicate for one in many] == [False, False]
        (listed,) = await list_events(flow_id="f", client=client)
        assert listed["event_type"] == "proposal.received"
        assert listed["payload"] == {"n": 1}
        assert await get_event("p-1", client=client) == listed
        with pytest.raises(NotFound):
            await get_event("p-2", client=client)
        assert len(await list_events(limit=2, client=client)) == 2
        kinds = [EventType.DEAL_CREATED, EventType.DEAL_SYNCED]
        found = [event.type async for event in client.list_events(type=kinds)]
        assert found == ["deal.synced", "deal.created"]
        with pytest.raises(Invalid) as refused:
            await client.emit("proposal.received", "x" * (9 << 20))
        assert refused.value.status == 413
        assert not refused.value.try_again


async def test_url_and_key_of_the_environment_are_used_without_a_client(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADGATE_URL", gateway.url)
    monkeypatch.setenv("HEADGATE_KEY", KEY)
    envelope = create_event(EventKind.CREATED, {"name": "thing"})
    emitted = await emit_event(envelope)
    assert emitted.event_id == envelope["id"]
    (listed,) = await list_events(event_type="envelope.created")
    assert listed["event_id"] == envelope["id"]


async def test_events_of_the_application_come_to_its_handlers(gateway: Gateway) -> None:
    client = Headgate(url=gateway.url, key=KEY, subscription="agent")
    seen: list[Event] = []

    @client.on_event(types="proposal.*")
    async def note(event: Event) -> None:
        seen.append(event)
        client.stop()

    await client.emit(EventType.PROPOSAL_COUNTERED, {"price": 0}, proposal_id="p", deal_id="d")
    await asyncio.wait_for(client.run(), 30)
    await client.close()
    (event,) = seen
    assert event.app is not None
    assert event.app.payload == {"price": 0}
    assert (event.correlation.proposal_id, event.correlation.deal_id) == ("p", "d")


async def test_what_is_replayed_is_handled_again(gateway: Gateway) -> None:
    client = Headgate(url=gateway.url, key=KEY, subscription="agent")
    seen: list[Event] = []

    @client.on_event()
    async def note(event: Event) -> None:
        seen.append(event)
        if len(seen) == 1:
            await client.replay(ids=[event.id])
        else:
            client.stop()

    await client.emit(EventType.SESSION_CREATED)
    await asyncio.wait_for(client.run(), 30)
    await client.close()
    first, again = seen
    assert first == dataclasses.replace(again, origin="live", delivery=first.delivery)
    assert (first.origin, again.origin) == ("live", "replay")
    assert again.delivery is not None
    assert again.delivery.replay_id is not None
