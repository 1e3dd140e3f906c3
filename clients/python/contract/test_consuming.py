"""What the package promises, kept by the real program."""

from __future__ import annotations

import asyncio
import logging
import os
from datetime import timedelta

import pytest

from headgate import Bury, Conflict, Event, Headgate, NotFound, Retry, Unauthorized

from .gateway import KEY, Caller, Gateway, Proxy


def client_of(url: str, **terms: object) -> Headgate:
    given = {"key": KEY, "subscription": "agent", "concurrency": 8, **terms}
    return Headgate(url=url, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("transport", ["websocket", "poll"])
async def test_each_event_is_given_once_and_settled(
    gateway: Gateway, caller: Caller, transport: str
) -> None:
    sent = await caller.send_many(100)
    client = client_of(gateway.url, transport=transport)
    seen: list[str] = []

    @client.on_event(types="webhook.received", channels="in")
    async def note(event: Event) -> None:
        assert event.webhook is not None
        assert event.delivery is not None
        seen.append(event.id)
        if len(seen) == len(sent):
            client.stop()

    await client.run()
    await client.close()
    assert sorted(seen) == sorted(sent)
    await caller.until_settled()


async def test_what_a_handler_raises_decides(gateway: Gateway, caller: Caller) -> None:
    await caller.send_many(3)
    client = client_of(gateway.url)
    attempts: dict[int, list[int]] = {0: [], 1: [], 2: []}

    @client.on_event()
    async def fail(event: Event) -> None:
        assert event.webhook is not None
        assert event.delivery is not None
        number = event.webhook.body["number"]
        attempts[number].append(event.delivery.attempt)
        if number == 0:
            raise Bury("nobody wants it")
        if len(attempts[number]) < 3:
            raise Retry(after=0.01) if number == 1 else ValueError("broken")
        if len(attempts[1]) == len(attempts[2]) == 3:
            client.stop()

    await client.run()
    await client.close()
    assert attempts == {0: [1], 1: [1, 2, 3], 2: [1, 2, 3]}
    await caller.until_settled()
    (letter,) = (await caller.read("/v1/dead-letters?subscription=agent"))["dead_letters"]
    assert letter["last_error"] == "nobody wants it"


@pytest.mark.parametrize("how", ["raised", "called"])
async def test_a_wait_that_is_asked_for_is_kept_instead_of_the_policys(
    gateway: Gateway, caller: Caller, how: str
) -> None:
    await caller.send_many(1)
    # Its policy waits ten minutes.
    client = client_of(gateway.url, subscription="patient")
    attempts: list[float] = []

    @client.on_event()
    async def work(event: Event) -> None:
        attempts.append(asyncio.get_running_loop().time())
        if len(attempts) == 2:
            client.stop()
        elif how == "raised":
            raise Retry(after=0.4)
        else:
            await event.retry(after=timedelta(seconds=0.4))

    await asyncio.wait_for(client.run(), 20)
    await client.close()
    first, second = attempts
    assert second - first >= 0.39


@pytest.mark.parametrize("transport", ["auto", "websocket"])
async def test_a_subscription_that_settles_by_sending_is_refused_and_loses_nothing(
    gateway: Gateway, caller: Caller, transport: str
) -> None:
    await caller.send_many(1)
    client = client_of(gateway.url, subscription="read_only", transport=transport)

    @client.on_event()
    async def never(event: Event) -> None:
        raise AssertionError(event)

    with pytest.raises(Conflict, match=r'has `ack = "on_send"`: .* would be lost'):
        await asyncio.wait_for(client.run(), 20)
    await client.close()
    assert (await caller.read("/v1/subscriptions/read_only"))["lag"] == 1


async def test_what_comes_while_a_client_stops_costs_no_attempt(
    gateway: Gateway, caller: Caller
) -> None:
    await caller.send_many(12)
    client = client_of(gateway.url, subscription="patient", concurrency=2)
    done: list[str] = []

    @client.on_event()
    async def work(event: Event) -> None:
        # Each that is done makes room for another one.
        done.append(event.id)
        client.stop()
        await asyncio.sleep(0.2)

    await asyncio.wait_for(client.run(), 20)
    await client.close()
    ask = {"max": 100}
    answer = await caller.ask("/v1/subscriptions/patient/lease", ask)
    attempts = [event["delivery"]["attempt"] for event in answer["deliveries"]]
    assert attempts == [1] * (12 - len(done))


async def test_a_wrong_key_is_final_and_shown_nowhere(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = client_of(gateway.url, key="a-wrong-key-0123")

    @client.on_event()
    async def never(event: Event) -> None:
        raise AssertionError(event)

    with pytest.raises(Unauthorized) as refused:
        await client.run()
    await client.close()
    assert refused.value.status == 401
    assert not refused.value.try_again
    shown = f"{refused.value!r} {client!r} {caplog.text}"
    assert "a-wrong-key-0123" not in shown


async def test_a_subscription_that_is_none_is_final(gateway: Gateway) -> None:
    client = client_of(gateway.url, subscription="no such/one")

    @client.on_event()
    async def never(event: Event) -> None:
        raise AssertionError(event)

    with pytest.raises(NotFound, match="unknown_subscription"):
        await client.run()
    await client.close()


@pytest.mark.parametrize("transport", ["websocket", "poll"])
async def test_a_lease_lasts_as_long_as_its_handler(
    gateway: Gateway, caller: Caller, transport: str
) -> None:
    await caller.send_many(1)
    client = client_of(gateway.url, lease=0.6, transport=transport)
    begun: list[int] = []

    @client.on_event()
    async def work(event: Event) -> None:
        assert event.delivery is not None
        begun.append(event.delivery.attempt)
        # Four leases: it takes this long, whatever the machine does meanwhile.
        await asyncio.sleep(2.4)
        client.stop()

    await client.run()
    await client.close()
    assert begun == [1]
    await caller.until_settled()
    # What comes again while it runs would be taken for the same work: here it must not come.
    assert await caller.metric("headgate_deliveries_leased_total") == 1


async def test_where_no_websocket_comes_through_it_polls(caller: Caller, proxy: Proxy) -> None:
    sent = await caller.send_many(20)
    proxy.upgrades = False
    client = client_of(proxy.url)
    seen: set[str] = set()

    @client.on_event()
    async def note(event: Event) -> None:
        seen.add(event.id)
        if len(seen) == len(sent):
            client.stop()

    await client.run()
    await client.close()
    assert seen == set(sent)


@pytest.mark.parametrize("transport", ["websocket", "poll"])
async def test_a_stop_finishes_what_runs_and_gives_back_the_rest(
    gateway: Gateway, caller: Caller, transport: str
) -> None:
    sent = await caller.send_many(10)
    first = client_of(gateway.url, concurrency=2, transport=transport)
    done: list[str] = []

    @first.on_event()
    async def work(event: Event) -> None:
        first.stop()
        await asyncio.sleep(0.3)
        done.append(event.id)

    await first.run()
    await first.close()
    assert 1 <= len(done) <= 2
    second = client_of(gateway.url, transport=transport)
    rest: list[str] = []

    @second.on_event()
    async def finish(event: Event) -> None:
        rest.append(event.id)
        if len(rest) + len(done) == len(sent):
            second.stop()

    await asyncio.wait_for(second.run(), 30)
    await second.close()
    assert sorted(done + rest) == sorted(sent)
    await caller.until_settled()


@pytest.mark.parametrize("transport", ["websocket", "poll"])
async def test_what_does_not_end_at_a_stop_is_given_back_at_once(
    gateway: Gateway, caller: Caller, transport: str
) -> None:
    sent = await caller.send_many(2)
    terms = {"subscription": "patient", "transport": transport}
    first = client_of(gateway.url, drain_timeout=0.1, **terms)
    cancelled: list[str] = []

    @first.on_event()
    async def hang(event: Event) -> None:
        first.stop()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(event.id)

    await asyncio.wait_for(first.run(), 10)
    await first.close()
    second = client_of(gateway.url, **terms)
    seen: list[str] = []

    @second.on_event()
    async def finish(event: Event) -> None:
        seen.append(event.id)
        if len(seen) == len(sent):
            second.stop()

    # Its lease would last a minute, and the policy's first wait ten.
    await asyncio.wait_for(second.run(), 15)
    await second.close()
    assert cancelled
    assert sorted(seen) == sorted(sent)


async def test_a_handler_that_hangs_is_ended_and_its_event_comes_again(
    gateway: Gateway, caller: Caller
) -> None:
    await caller.send_many(1)
    client = client_of(gateway.url, handler_timeout=0.05)
    attempts: list[int] = []
    ended: list[int] = []

    @client.on_event()
    async def hang(event: Event) -> None:
        assert event.delivery is not None
        attempts.append(event.delivery.attempt)
        if len(attempts) == 1:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(len(attempts))
        client.stop()

    await client.run()
    await client.close()
    assert attempts == [1, 2]
    # It was ended before the event came again.
    assert ended == [1]


async def test_an_error_that_is_no_text_in_json_is_told_all_the_same(
    gateway: Gateway, caller: Caller
) -> None:
    # Symptom: the whole client ended with 400. Cause: JSON of half a surrogate pair, which Python
    # writes and the gateway refuses with all that is said beside it. Fix: it is replaced.
    await caller.send_many(2)
    client = client_of(gateway.url, transport="poll")
    attempts: list[int] = []

    @client.on_event()
    async def fail(event: Event) -> None:
        assert event.delivery is not None
        attempts.append(event.delivery.attempt)
        if event.delivery.attempt == 1:
            raise FileNotFoundError(os.fsdecode(b"report-\xff.txt"))
        if sorted(attempts) == [1, 1, 2, 2]:
            client.stop()

    await asyncio.wait_for(client.run(), 30)
    await client.close()
    await caller.until_settled()


@pytest.mark.parametrize("transport", ["websocket", "poll"])
async def test_an_ack_after_the_lease_is_logged_and_not_raised(
    caller: Caller, gateway: Gateway, proxy: Proxy, transport: str, caplog: pytest.LogCaptureFixture
) -> None:
    await caller.send_many(1)
    slow = client_of(proxy.url, lease=0.5, transport=transport)
    other = client_of(gateway.url)
    done: list[str] = []
    cut, finish, given, told = (asyncio.Event() for _ in range(4))

    @slow.on_event()
    async def work(_: Event) -> None:
        # Nothing is heard of it, so its lease ends and somebody else is given the event.
        proxy.is_open = False
        proxy.cut()
        cut.set()
        await finish.wait()
        done.append("slow")

    @other.on_event()
    async def take(_: Event) -> None:
        given.set()
        await told.wait()
        done.append("other")
        other.stop()

    running = asyncio.create_task(slow.run())
    await asyncio.wait_for(cut.wait(), 30)
    taking = asyncio.create_task(other.run())
    await asyncio.wait_for(given.wait(), 30)
    finish.set()
    proxy.is_open = True
    for _ in range(600):
        assert not running.done(), running.result()
        if "was refused: lease_expired" in caplog.text:
            break
        await asyncio.sleep(0.05)
    assert "`ack` of delivery" in caplog.text
    told.set()
    await taking
    await caller.until_settled()
    slow.stop()
    await running
    await slow.close()
    await other.close()
    assert done == ["slow", "other"]
    assert (await caller.subscription())["dead"] == 0


async def test_settling_by_hand_may_come_after_the_handler(
    gateway: Gateway, caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    await caller.send_many(1)
    client = client_of(gateway.url)
    queue: asyncio.Queue[Event] = asyncio.Queue()

    @client.on_event(settle="manual")
    async def hand_on(event: Event) -> None:
        queue.put_nowait(event)

    running = asyncio.create_task(client.run())
    event = await queue.get()
    await event.ack()
    event.bury("too late")
    client.stop()
    await running
    await client.close()
    await caller.until_settled()
    assert "is already settled (ack): `bury` changes nothing" in caplog.text
    status = await caller.subscription()
    assert status["dead"] == 0


async def test_events_are_listed_page_by_page_and_read_one_by_one(
    gateway: Gateway, caller: Caller
) -> None:
    sent = await caller.send_many(230)
    async with client_of(gateway.url) as client:
        listed = [event.id async for event in client.list_events(channel="in")]
        assert listed == sorted(sent, reverse=True)
        some = [event.id async for event in client.list_events(limit=105)]
        assert some == listed[:105]
        event = await client.get_event(listed[0])
        assert event.webhook is not None
        with pytest.raises(NotFound):
            await client.get_event("01KAJ3V3W2N9E6W0V8R3M5T7QZ")
