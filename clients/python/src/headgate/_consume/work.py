"""The handlers that run: begun, watched, concluded, given up."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from .._errors import MalformedEvent
from .._event import Event
from .hand import Hand, Key
from .settler import Settler
from .verdict import Verdict, retry

log = logging.getLogger("headgate")

# A handler that was cancelled has so many seconds to end.
_HEED_WITHIN = 5.0


class Work:
    """What runs of what is in hand."""

    def __init__(
        self,
        hand: Hand,
        call: Callable[[Event], Awaitable[Verdict | None]],
        timeout: float | None,
        fetch: Any,
        concluded: Callable[[], None],
    ) -> None:
        self._hand = hand
        self._call = call
        self._timeout = timeout
        self._fetch = fetch
        self._on_conclusion = concluded
        self._tasks: set[asyncio.Task[None]] = set()
        # What becomes of a handler that is cancelled because the client stops.
        self._given_up: Verdict | None = None
        # Also those whose handler returned and left the settling to somebody else.
        self._settlers: dict[Key, Settler] = {}

    def take(self, frame: Any, now: float) -> None:
        """Takes a delivery as it came."""
        try:
            event = Event.from_json(frame)
            if event.delivery is None:
                raise MalformedEvent("expected `delivery` in a delivered event, found none")
        except MalformedEvent as error:
            self._refuse(frame, error, now)
            return
        self._hand.take(event.key, event.delivery.id, event, now)

    def begin(self) -> None:
        """Begins what has its turn."""
        while (event := self._hand.start()) is not None:
            loop, key = asyncio.get_running_loop(), event.key
            settler = Settler(event.id, loop, functools.partial(self._settle, key))
            self._settlers[key] = settler
            object.__setattr__(event, "_settler", settler)
            object.__setattr__(event, "_fetch", self._fetch)
            task = loop.create_task(self._run(event, settler))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def give_up(self, verdict: Verdict) -> None:
        """Cancels what runs and settles what nobody settled."""
        self._given_up = verdict
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(tuple(self._tasks), timeout=1.0)
        for settler in tuple(self._settlers.values()):
            if settler.verdict is None:
                settler.settle(verdict)

    async def _run(self, event: Event, settler: Settler) -> None:
        limit = TimeLimit(self._timeout, settler)
        verdict: Verdict | None = retry(None, "the handler was ended from outside")
        try:
            verdict = await self._call(event)
        except asyncio.CancelledError:
            cancelled = retry(None, limit.reason or "the handler was cancelled")
            verdict = self._given_up or cancelled
            log.warning("event %s (%s): %s", event.id, event.type, verdict.reason)
        finally:
            limit.lift()
            if verdict is not None and settler.verdict is None:
                settler.settle(verdict)

    def _settle(self, key: Key, verdict: Verdict) -> None:
        self._settlers.pop(key, None)
        self._hand.conclude(key, verdict, asyncio.get_running_loop().time())
        self._on_conclusion()

    def _refuse(self, frame: Any, error: MalformedEvent, now: float) -> None:
        """What cannot be read comes again, for a client that can, until it is a dead letter."""
        delivery = frame.get("delivery") if isinstance(frame, dict) else None
        id_ = delivery.get("id") if isinstance(delivery, dict) else None
        if not isinstance(id_, str):
            raise error
        log.error("delivery %s cannot be read: %s", id_, error)
        self._hand.answer(id_, retry(None, f"the client cannot read the event: {error}"), now)
        self._on_conclusion()


class TimeLimit:
    """How long the handler of the current task may take.

    It is cancelled when its time is over, and given up when it does not heed that.
    """

    def __init__(self, timeout: float | None, settler: Settler) -> None:
        self.reason: str | None = None
        self._settler = settler
        self._task = asyncio.current_task()
        self._timeout = timeout
        self._alarm: asyncio.TimerHandle | None = None
        if timeout is not None:
            self._alarm = asyncio.get_running_loop().call_later(timeout, self._over)

    def lift(self) -> None:
        """The handler is through."""
        if self._alarm is not None:
            self._alarm.cancel()

    def _over(self) -> None:
        self.reason = f"the handler was not done within {self._timeout:g} s"
        if self._task is not None:
            self._task.cancel()
        self._alarm = asyncio.get_running_loop().call_later(_HEED_WITHIN, self._give_up)

    def _give_up(self) -> None:
        if self._settler.verdict is None:
            log.error("event %s: %s, and does not end", self._settler.event_id, self.reason)
            self._settler.settle(retry(None, self.reason))
