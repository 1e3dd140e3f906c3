"""The fake gateway answers as the real one does."""

from __future__ import annotations

import asyncio

import pytest

from headgate import Conflict, Event, Headgate, Invalid, NotFound
from headgate.bus import EventKind, EventType, create_event, emit_event, get_event, list_events
from headgate.testing import FakeGateway, make_event


async def test_a_run_ends_when_what_was_put_is_settled() -> None:
    client, gateway, loop = Headgate(), FakeGateway(), asyncio.get_running_loop()

    @client.on_event()
    async def take(_: Event) -> None:
        pass

    await gateway.run(client)
    for _ in range(3):
        gateway.put("webhook.received")
        begun = loop.time()
        await gateway.run(client)
        # Nobody waits for a lease that nothing answers, which would take half a second.
        assert loop.time() - begun < 0.4
    assert gateway.acked == 3


async def test_lists_are_filtered_and_come_page_by_page() -> None:
    gateway = FakeGateway()
    for number in range(230):
        gateway.put("webhook.received", body={"number": number})
    mail = gateway.put(make_event("email.received", event={"provider": "acme"}))
    old = make_event("email.received", event={"created_at": "2020-01-01T00:00:00Z"})
    gateway.put(old)
    async with gateway.attach(Headgate(url="http://gateway")) as client:
        hooks = [event async for event in client.list_events(type="webhook.received")]
        assert [event.data["body"]["number"] for event in hooks] == list(range(229, -1, -1))
        some = [event async for event in client.list_events(limit=3)]
        assert [event.id for event in some] == [old.id, mail.id, hooks[0].id]
        both = client.list_events(
            type=["email.received", "cron.fired"], since="2021-01-01T00:00:00Z"
        )
        assert [event.id async for event in both] == [mail.id]
        assert [event async for event in client.list_events(provider="acme", channel="x")] == []
        with pytest.raises(Invalid, match="unknown_parameter"):
            _ = [event async for event in client.list_events(mood="good")]
        assert await client.get_event(mail.id) == mail
        with pytest.raises(NotFound):
            await client.get_event("nobody")


async def test_what_is_emitted_twice_is_stored_once_and_found_on_the_bus() -> None:
    gateway = FakeGateway()
    async with gateway.attach(Headgate(url="http://gateway")) as client:
        fields = {"event_id": "a/1", "flow_id": "f"}
        first = await emit_event(EventType.DEAL_CREATED, {"n": 1}, client=client, **fields)
        again = await emit_event(EventType.DEAL_CREATED, {"n": 1}, client=client, **fields)
        assert (first.id, first.duplicate, again.duplicate) == (again.id, False, True)
        with pytest.raises(Conflict, match="event_conflict"):
            await emit_event(EventType.DEAL_CREATED, {"n": 2}, client=client, **fields)
        await emit_event(create_event(EventKind.CREATED, {"n": 3}, event_id="e"), client=client)
        many = await client.emit_many([{"type": "deal.synced"}, {"type": "deal.synced"}])
        assert len({one.event_id for one in many}) == 2
        assert await client.emit_many([]) == []
        (found,) = await list_events(client=client, flow_id="f")
        assert (found["event_type"], found["payload"]) == ("deal.created", {"n": 1})
        assert (found["flow_id"], found["deal_id"], found["metadata"]) == ("f", None, {})
        assert await get_event("a/1", client=client) == found
        kinds = [one["event_type"] for one in await list_events(client=client)]
        assert kinds == ["deal.synced", "deal.synced", "envelope.created", "deal.created"]
        assert len(await list_events(client=client, event_type="deal.synced", limit=1)) == 1
        with pytest.raises(NotFound):
            await get_event("nobody", client=client)
    assert len(gateway.emitted) == 4
