"""A gateway without a socket: one subscription, its leases, its dead letters, and the bus."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx

from .._client import Headgate
from .._event import Event
from ._bus import Bus, Refusal
from ._make import make_event

ATTEMPTS_MAX = 8


@dataclass
class _Entry:
    event: Event
    attempt: int = 1
    leased: bool = False


class FakeGateway:
    """Gives events to a client and notes what becomes of them.

    What is given back comes again at once, whatever wait was asked for, up to eight attempts.
    """

    def __init__(self, attempts: int = ATTEMPTS_MAX) -> None:
        self.acked = 0
        self.retries: list[tuple[Event, str | None]] = []
        self.dead: list[tuple[Event, str | None]] = []
        self.emitted: list[dict[str, Any]] = []
        self._attempts = attempts
        self._entries: dict[str, _Entry] = {}
        self._bus = Bus()
        # Whether a lease waits for what is put; otherwise it is answered at once.
        self._waits = True
        self._changed = asyncio.Event()
        self.transport = httpx.MockTransport(self._answer)

    def put(self, event: Event | str, **data: Any) -> Event:
        """Puts an event (or one that is made of a type and data) before the client."""
        put = make_event(event, **data) if isinstance(event, str) else event
        self._entries[put.id] = _Entry(put)
        self._bus.store(put.raw)
        self._changed.set()
        return put

    def attach(self, client: Headgate) -> Headgate:
        """Has a client speak to this instead of a socket; answers the client."""
        client._attach(self.transport)
        return client

    async def run(self, client: Headgate, timeout: float = 10.0) -> None:
        """Runs a client until every event is settled, and stops it."""
        self.attach(client)
        self._waits = True
        running = asyncio.create_task(client.run())
        settled = asyncio.create_task(self.settled())
        try:
            tasks = {running, settled}
            await asyncio.wait(tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if not settled.done() and not running.done():
                raise TimeoutError(f"{len(self._entries)} events are not settled in {timeout:g} s")
            client.stop()
            # The lease that is under way is its last.
            self._waits = False
            self._changed.set()
            await running
        finally:
            settled.cancel()
            running.cancel()
            await asyncio.gather(settled, running, return_exceptions=True)
            await client.close()

    async def settled(self) -> None:
        """Waits until every event is acknowledged or dead."""
        while self._entries:
            self._changed.clear()
            await self._changed.wait()

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else {}
        if request.url.path.endswith("/lease"):
            return _json({"deliveries": await self._lease(body)})
        try:
            return _json(self._answered(request, body))
        except Refusal as refusal:
            return _json(refusal.body, refusal.status)

    def _answered(self, request: httpx.Request, body: Any) -> dict[str, Any]:
        # An id may hold what a path escapes.
        path, query = request.url.raw_path.decode().split("?")[0], request.url.params
        if path.endswith("/settle"):
            return self._settle(body)
        folder, _, name = path.rpartition("/")
        match (request.method, folder, name):
            case ("POST", "/v1", "events"):
                return self._emit(body)
            case ("GET", "/v1", "events"):
                return self._bus.page(query)
            case ("GET", "", "events"):
                return self._bus.bus_page(query)
            case ("GET", "/v1/events", _):
                return self._bus.show(name)
            case ("GET", "/events", _):
                return self._bus.bus_show(name)
        raise Refusal(404, "not_found", f"the fake gateway has no `{request.method} {path}`")

    async def _lease(self, ask: Mapping[str, Any]) -> list[dict[str, Any]]:
        while not (ready := [entry for entry in self._entries.values() if not entry.leased]):
            if not self._waits:
                return []
            self._changed.clear()
            await self._changed.wait()
        leased = ready[: ask.get("max", 10)]
        for entry in leased:
            entry.leased = True
        return [_delivered(entry) for entry in leased]

    def _settle(self, ask: Mapping[str, Any]) -> dict[str, Any]:
        errors = []
        verbs = ("ack", "retry", "bury")
        said = [(verb, one) for verb in verbs for one in ask.get(verb, ())]
        for verb, one in said:
            terms = {"id": one} if isinstance(one, str) else one
            entry = self._entries.get(terms["id"].split(".")[0])
            if entry is None or terms["id"] != _delivery_id(entry):
                error = {"code": "lease_expired", "message": "the lease is over"}
                errors.append({"id": terms["id"], **error})
                continue
            self._conclude(entry, verb, terms.get("reason"))
        self._changed.set()
        return {"settled": len(said) - len(errors), "errors": errors}

    def _conclude(self, entry: _Entry, verb: str, reason: str | None) -> None:
        if verb == "retry":
            self.retries.append((entry.event, reason))
            if entry.attempt < self._attempts:
                self._entries[entry.event.id] = replace(
                    entry, attempt=entry.attempt + 1, leased=False
                )
                return
        if verb == "ack":
            self.acked += 1
        else:
            self.dead.append((entry.event, reason))
        del self._entries[entry.event.id]

    def _emit(self, body: Any) -> dict[str, Any]:
        answers = []
        for given in body if isinstance(body, list) else [body]:
            answers.append(self._bus.emit(given))
            if not answers[-1]["duplicate"]:
                self.emitted.append(given)
        return {"events": answers} if isinstance(body, list) else answers[0]


def _delivery_id(entry: _Entry) -> str:
    return f"{entry.event.id}.{entry.attempt}"


def _delivered(entry: _Entry) -> dict[str, Any]:
    delivery = {
        "id": _delivery_id(entry),
        "subscription": "test",
        "attempt": entry.attempt,
        "lease_expires_at": "2999-01-01T00:00:00.000Z",
        "replay_id": None,
    }
    return {**entry.event.raw, "delivery": delivery}


def _json(body: Any, status: int = 200) -> httpx.Response:
    return httpx.Response(status, json=body)
