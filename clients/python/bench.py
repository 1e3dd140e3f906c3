"""How fast the package takes, handles and settles what waits, beside what its parts cost alone.

`python bench.py URL SUBSCRIPTION EVENTS CONCURRENCY`; `headgate-benches consume` calls it.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time

from headgate import Event, Headgate
from headgate.testing import make_event

SHOWN = 20_000


async def consume(url: str, subscription: str, events: int, concurrency: int) -> None:
    """Consumes so many events with a handler that does nothing."""
    client = Headgate(url=url, subscription=subscription, concurrency=concurrency)
    seen, grown = 0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    @client.on_event()
    async def nothing(_: Event) -> None:
        nonlocal seen
        seen += 1
        if seen == events:
            client.stop()

    begun, cpu = time.perf_counter(), time.process_time()
    await client.run()
    await client.close()
    rate = events / (time.perf_counter() - begun)
    cpu = (time.process_time() - cpu) / events * 1e6
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - grown
    print(f"{'python, no-op':30} {rate:>9.0f} {grown / 1024:>14.1f}")
    text = json.dumps(make_event("webhook.received", body={"filler": "x" * 1000}).raw)
    begun = time.perf_counter()
    for _ in range(SHOWN):
        json.loads(text)
    parse = (time.perf_counter() - begun) / SHOWN * 1e6
    print(f"python: {cpu:.0f} us of CPU an event, {parse:.0f} us of them JSON (aim 3,000 events/s)")


if __name__ == "__main__":
    asyncio.run(consume(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
