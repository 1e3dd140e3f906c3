"""The shell around what is in hand: lines, handlers, time, and the way out."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from .._backoff import LONGEST, Backoff
from .._errors import GatewayUnreachable, HeadgateError, Refused
from .._event import Event
from .hand import Hand
from .line import Heard, Line, LineEnded, Refusal
from .lines import Lines
from .verdict import Verdict, retry
from .work import Work

log = logging.getLogger("headgate")

# What is left to say when the time to finish is over may take so long.
_LAST_WORDS = 5.0
_WORDS_AGAIN = 0.2
# What is given back at a stop comes again after this: our own line is closed by then, and would be
# given it otherwise.
_GIVEN_BACK_AFTER = 1.0
# The last of what is leased to us at a stop has so long to come.
_LAST_ANSWER = 0.5


class Consumer:
    """Takes deliveries of a subscription, one run from its first line to its last word."""

    def __init__(
        self,
        lines: Lines,
        hand: Hand,
        call: Callable[[Event], Awaitable[Verdict | None]],
        handler_timeout: float | None,
        fetch: Any,
    ) -> None:
        self._lines = lines
        self._hand = hand
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._work = Work(hand, call, handler_timeout, fetch, self._concluded)
        self._backoff = Backoff()
        self._line: Line | None = None
        self._reader: asyncio.Task[None] | None = None
        self._writer: asyncio.Task[None] | None = None

    def stop(self) -> None:
        """Takes nothing more; `run` returns when what is in hand is done. From any thread."""
        try:
            is_ours = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            is_ours = False
        if is_ours:
            self._stop()
        # A signal handler runs on the loop's thread while the loop sleeps: only this wakes it.
        with contextlib.suppress(RuntimeError):
            # Its loop is closed only when it has ended.
            self._loop.call_soon_threadsafe(self._stop)

    def _stop(self) -> None:
        self._hand.close()
        self._stopping.set()

    async def run(self, drain: float) -> None:
        """Consumes until `stop`, or until an error that no further try can mend."""
        grace = 0.0
        try:
            await self._until_stopped()
            grace = drain
        finally:
            # A task that is cancelled has no time; one that was refused for good has no use for it.
            await self._leave(grace)

    async def _until_stopped(self) -> None:
        while not self._stopping.is_set():
            try:
                if await self._or_stop(self._open()) is not None:
                    await self._serve()
            except LineEnded:
                self._hand.lost(self._now())
            except (GatewayUnreachable, Refused) as error:
                self._hand.lost(self._now())
                if not error.try_again:
                    raise
                wait = self._backoff.next(getattr(error, "retry_after", None))
                log.warning("%s; trying again in %.1f s", error, wait)
                await self._or_stop(asyncio.sleep(wait))

    async def _open(self) -> Line:
        """The next line. What is in hand is said first, before others can be given it."""
        while batch := self._hand.flush(self._now()):
            self._refused_all(await self._lines.settle(batch))
            self._hand.heard(batch)
        # Kept at once: whoever is cancelled meanwhile closes it.
        self._line = await self._lines.open(self._hand, self._now)
        return self._line

    async def _serve(self) -> None:
        """Reads and writes until the line is lost (an error) or `stop`."""
        since, line = self._now(), self._line
        if line is None:
            return
        self._reader = asyncio.create_task(self._read(line))
        self._writer = asyncio.create_task(self._write(line))
        stop = asyncio.create_task(self._stopping.wait())
        tasks = {self._reader, self._writer, stop}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
            await asyncio.gather(stop, return_exceptions=True)
        if stop in done:
            return
        await self._end_writing()
        if self._now() - since >= LONGEST:
            # It was a good one, though nothing may have come.
            self._backoff.reset()
        await self._close_line()
        for task in done:
            task.result()

    async def _read(self, line: Line) -> None:
        while True:
            heard = await line.receive()
            # One that only lets us in, and complains or ends it at once, is not well.
            if heard.is_good:
                self._backoff.reset()
            self._refused_all(heard.refusals)
            self._take(heard)
            if self._stopping.is_set():
                if line.may_release:
                    await line.release(self._hand.let_go())
                if heard.is_last or not line.gives_back:
                    return

    def _take(self, heard: Heard) -> None:
        """Takes what came: what came again is the same work under another delivery.

        What is new waits for its turn. Nothing begins after a stop.
        """
        wrong: HeadgateError | None = None
        for frame in heard.events:
            try:
                self._work.take(frame, self._now())
            except HeadgateError as error:
                wrong = error
        if not self._stopping.is_set():
            if wrong is not None:
                raise wrong
            self._work.begin()
        # Its lease has to be renewed in time.
        self._wake.set()

    async def _write(self, line: Line) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            batch = self._hand.flush(loop.time())
            if not batch:
                at = self._hand.next_at()
                alarm = loop.call_at(at, self._wake.set) if at < float("inf") else None
                await self._wake.wait()
                if alarm is not None:
                    alarm.cancel()
                continue
            refusals = await line.say(batch)
            if refusals is None:
                self._hand.streamed()
                continue
            self._refused_all(refusals)
            self._hand.heard(batch)

    def _concluded(self) -> None:
        """Something may be said, and something else begun."""
        self._wake.set()
        if not self._stopping.is_set():
            self._work.begin()
        freed = getattr(self._line, "freed", None)
        if freed is not None:
            freed()

    def _refused_all(self, refusals: Iterable[Refusal]) -> None:
        for refusal in refusals:
            self._refused(refusal.delivery, refusal.code, refusal.message)

    def _refused(self, delivery: str | None, code: str, message: str) -> None:
        if delivery is None:
            log.warning("the gateway says %s: %s", code, message)
            return
        said = self._hand.refused(delivery, code, self._now())
        self._wake.set()
        level = logging.DEBUG if said is not None and said.is_done(code) else logging.WARNING
        verb = said.verdict.verb if said is not None else "extend"
        log.log(level, "`%s` of delivery %s was refused: %s: %s", verb, delivery, code, message)

    async def _leave(self, grace: float) -> None:
        """Finishes what is in hand, or gives it back when its time is over."""
        self._stop()
        if self._line is not None and self._reader is not None:
            await self._drain(self._line, self._reader)
        await self._end_writing()
        await self._let_go(self._line)
        self._hand.say_again(self._now())
        until = self._now() + grace
        while self._hand.running and self._now() < until:
            await self._last_words(min(until, self._hand.next_at()))
        await self._work.give_up(
            retry(_GIVEN_BACK_AFTER, "the client stopped before the handler was done")
        )
        await self._say_all()
        await self._close_line()

    async def _drain(self, line: Line, reader: asyncio.Task[None]) -> None:
        """Waits for the last that is leased: nobody else could have it.

        What is done is said meanwhile, and what runs keeps its lease.
        """
        with contextlib.suppress(HeadgateError):
            await line.drain()
        if line.is_leasing:
            await asyncio.wait({reader}, timeout=_LAST_ANSWER)
        if not line.gives_back:
            # Before anything is given back, or this call would be given it again.
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    async def _let_go(self, line: Line | None) -> None:
        """Lets go of what waits: others may have it at once.

        A stream that cannot be told gives it back when it is closed, and would be given it again
        before; until then it is renewed.
        """
        if line is None or not line.gives_back:
            self._hand.give_back("the client stopped before its turn")
        elif line.may_release:
            with contextlib.suppress(HeadgateError):
                await line.release(self._hand.let_go())

    async def _end_writing(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    async def _say_all(self) -> None:
        until = self._now() + _LAST_WORDS
        while not self._hand.has_said_all and self._now() < until:
            if not await self._last_words(self._now() + _WORDS_AGAIN):
                break

    async def _last_words(self, until: float) -> bool:
        """Says what there is by a call, which is answered; False when it is of no use."""
        self._wake.clear()
        batch = self._hand.flush(self._now())
        if batch:
            try:
                self._refused_all(await self._lines.settle(batch))
                self._hand.heard(batch)
                return True
            except HeadgateError as error:
                log.warning("what became of %d events is not said: %s", len(batch.verdicts), error)
                self._hand.say_again(self._now())
                if not error.try_again:
                    return False
                until = min(until, self._now() + _WORDS_AGAIN)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._wake.wait(), max(until - self._now(), 0.01))
        return True

    async def _close_line(self) -> None:
        reader, line = self._reader, self._line
        self._reader = self._line = None
        if reader is not None:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
        if line is not None:
            await line.close()

    async def _or_stop(self, wanted: Awaitable[Any]) -> Any:
        """What is waited for; None when `stop` came first."""
        task = asyncio.ensure_future(wanted)
        stop = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            stop.cancel()
            if not task.done():
                task.cancel()
            await asyncio.gather(task, stop, return_exceptions=True)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
