"""How one delivery is settled: once, from any task or thread."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Generator
from datetime import timedelta
from typing import Any

from .verdict import ACK, Verdict, bury, retry

log = logging.getLogger("headgate")


class Settled:
    """What settling answers. It needs no `await`; with one, the client gets a turn to send."""

    def __await__(self) -> Generator[Any, None, None]:
        return asyncio.sleep(0).__await__()


class Settler:
    """The one verdict of one delivery. A second one is logged and changes nothing."""

    __slots__ = ("_conclude", "_loop", "event_id", "verdict")

    def __init__(
        self,
        event_id: str,
        loop: asyncio.AbstractEventLoop | None,
        conclude: Callable[[Verdict], None],
    ) -> None:
        self.event_id = event_id
        self.verdict: Verdict | None = None
        self._loop = loop
        self._conclude = conclude

    def ack(self) -> Settled:
        """It is done."""
        return self.settle(ACK)

    def retry(self, after: float | timedelta | None = None, reason: str | None = None) -> Settled:
        """It comes again."""
        return self.settle(retry(after, reason))

    def bury(self, reason: str) -> Settled:
        """It never comes again and is a dead letter."""
        return self.settle(bury(reason))

    def settle(self, verdict: Verdict) -> Settled:
        """Notes the verdict, and sends it over the loop that the client runs on."""
        if self.verdict is not None:
            log.warning(
                "event %s is already settled (%s): `%s` changes nothing",
                self.event_id,
                self.verdict.verb,
                verdict.verb,
            )
            return Settled()
        self.verdict = verdict
        if self._loop is None or self._loop is _running_loop():
            self._conclude(verdict)
        else:
            self._loop.call_soon_threadsafe(self._conclude, verdict)
        return Settled()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
