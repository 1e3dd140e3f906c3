"""The line over long polls, for where no WebSocket comes through."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from .._address import segment
from .._errors import IncompatibleServer
from .._http import Http
from .line import Heard, LineEnded, Refusal
from .verdict import Batch

WAIT_MS = 20_000
LEASED_MAX = 500


class Poll:
    """Leases by one call and settles by another."""

    name = "long polling"
    gives_back = False
    may_release = False

    def __init__(
        self,
        http: Http,
        subscription: str,
        lease_ms: int,
        room: Callable[[], int],
        ends_at: float,
    ) -> None:
        self._http = http
        self._path = f"/v1/subscriptions/{segment(subscription)}"
        self._lease_ms = lease_ms
        self._room = room
        self._ends_at = ends_at
        self._freed = asyncio.Event()
        self.is_leasing = False

    async def receive(self) -> Heard:
        """Leases what there is, up to the room there is."""
        while not self._room():
            self._freed.clear()
            await self._freed.wait()
        if asyncio.get_running_loop().time() > self._ends_at:
            raise LineEnded
        ask = {
            "max": min(self._room(), LEASED_MAX),
            "wait_ms": WAIT_MS,
            "lease_ms": self._lease_ms,
        }
        path, wait = self._path + "/lease", WAIT_MS / 1000
        self.is_leasing = True
        try:
            answer = await self._http.call("POST", path, body=ask, wait=wait)
        finally:
            self.is_leasing = False
        try:
            return Heard(events=tuple(answer["deliveries"]))
        except (KeyError, TypeError):
            raise IncompatibleServer("expected `deliveries` in a lease, found none") from None

    async def say(self, batch: Batch) -> list[Refusal] | None:
        """Settles with one call."""
        refusals = await settle(self._http, self._path, batch)
        self._freed.set()
        return refusals

    def freed(self) -> None:
        """There may be room."""
        self._freed.set()

    async def drain(self) -> None:
        """The call that is under way may still lease, and is the last."""

    async def release(self, deliveries: list[str]) -> None:
        """Nothing: a call gives them back."""

    async def close(self) -> None:
        """Nothing is open between two calls."""


async def settle(http: Http, path: str, batch: Batch) -> list[Refusal]:
    """One settle call; answers what was refused."""
    answer: Any = await http.call("POST", path + "/settle", body=batch.body())
    try:
        return [
            Refusal(str(one["id"]), str(one["code"]), str(one["message"]))
            for one in answer["errors"]
        ]
    except (KeyError, TypeError):
        raise IncompatibleServer("expected `errors` in a settle answer, found none") from None
