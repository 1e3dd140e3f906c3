"""Kills, cuts and failures at random: each event is handled, none is lost."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter

import pytest

from headgate import Event, Headgate

from .gateway import KEY, Caller, Gateway, Proxy

EVENTS = int(os.environ.get("HEADGATE_CHAOS_EVENTS", "10000"))
SEED = int(os.environ.get("HEADGATE_SEED", "7"))


async def disturb(gateway: Gateway, proxy: Proxy, dice: random.Random, over: asyncio.Event) -> None:
    """Breaks something every now and then, and mends it before it ends."""
    while not over.is_set():
        await asyncio.sleep(dice.uniform(0.1, 0.5))
        match dice.randrange(4):
            case 0:
                gateway.kill()
                await asyncio.sleep(dice.uniform(0.0, 0.3))
                await asyncio.to_thread(gateway.start)
            case 1:
                proxy.cut()
            case 2:
                proxy.is_open = False
                proxy.cut()
                await asyncio.sleep(dice.uniform(0.0, 0.5))
                proxy.is_open = True
            case _:
                proxy.delay = dice.uniform(0.0, 0.05)
                await asyncio.sleep(dice.uniform(0.0, 0.5))
                proxy.delay = 0.0


@pytest.mark.parametrize("transport", ["websocket", "poll"])
async def test_each_event_is_handled_whatever_breaks(
    gateway: Gateway, caller: Caller, proxy: Proxy, transport: str
) -> None:
    dice = random.Random(SEED)
    count = EVENTS if transport == "websocket" else EVENTS // 10
    client = Headgate(
        url=proxy.url,
        key=KEY,
        subscription="agent",
        concurrency=64,
        lease=2.0,
        transport=transport,  # type: ignore[arg-type]
    )
    handled: Counter[tuple[str, int]] = Counter()
    done: set[str] = set()
    failed = 0

    @client.on_event()
    async def work(event: Event) -> None:
        nonlocal failed
        assert event.delivery is not None
        await asyncio.sleep(dice.uniform(0.0, 0.01))
        if failed == 0 or dice.random() < 0.02:
            failed += 1
            raise RuntimeError("a failure at random")
        handled[event.id, event.delivery.attempt] += 1
        done.add(event.id)

    running = asyncio.create_task(client.run())
    over = asyncio.Event()
    chaos = asyncio.create_task(disturb(gateway, proxy, dice, over))
    try:
        sent = await caller.send_many(count)
        # More than these may be stored: an answer that was cut is asked for again.
        while not done.issuperset(sent):
            assert not running.done(), running.result()
            assert not chaos.done(), chaos.result()
            await asyncio.sleep(0.05)
    finally:
        over.set()
        await chaos
    client.stop()
    await running
    await client.close()

    events = Counter(event_id for event_id, _ in handled)
    again = sum(1 for times in events.values() if times > 1)
    print(f"{count} events, {failed} failures, {again} handled more than once")  # noqa: T201
    assert set(events) >= set(sent)
    # One delivery, one success: only another attempt is another try.
    assert all(times == 1 for times in handled.values())
    assert failed > 0
    dead = await caller.read("/v1/dead-letters?subscription=agent")
    assert dead["dead_letters"] == []
