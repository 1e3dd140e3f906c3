"""How fast the package takes, handles and settles what waits, and its memory meanwhile, as JSON.

`python bench.py URL SUBSCRIPTION EVENTS CONCURRENCY WORK_MS`; `headgate-benches consume` calls it.
It keeps to one core.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path

from headgate import Event, Headgate


async def consume(
    url: str, subscription: str, events: int, concurrency: int, work_ms: int
) -> dict[str, float]:
    """Consumes so many events, each worked on for so long."""
    client = Headgate(url=url, subscription=subscription, concurrency=concurrency)
    seen = 0

    @client.on_event()
    async def work(_: Event) -> None:
        nonlocal seen
        if work_ms:
            await asyncio.sleep(work_ms / 1000)
        seen += 1
        if seen == events:
            client.stop()

    before, begun, cpu = memory_mib("VmRSS:"), time.perf_counter(), time.process_time()
    await client.run()
    await client.close()
    return {
        "rate": events / (time.perf_counter() - begun),
        "cpu_us": (time.process_time() - cpu) / events * 1e6,
        "before_mib": before,
        "most_mib": memory_mib("VmHWM:"),
    }


def memory_mib(name: str) -> float:
    """Resident memory: `VmRSS:` at present, `VmHWM:` at most so far."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith(name))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    numbers = [int(text) for text in sys.argv[3:6]]
    print(json.dumps(asyncio.run(consume(sys.argv[1], sys.argv[2], *numbers))))
