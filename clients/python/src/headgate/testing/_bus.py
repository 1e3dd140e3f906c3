"""What a fake gateway stores: events that are listed, read, and emitted once each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import httpx

from ._make import event_json

_APP_FIELDS = ("flow_id", "flow_type", "proposal_id", "deal_id", "session_id")
_LIMIT_DEFAULT = 50
_KNOWN = {"limit", "cursor", "since", "until"}
_PARTS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "type": lambda event: event["type"],
    "event_type": lambda event: event["type"],
    "channel": lambda event: event["channel"]["id"],
    "provider": lambda event: event.get("provider"),
    "provider_event": lambda event: event.get("provider_event"),
    "thread_key": lambda event: event.get("thread_key"),
    "event_id": lambda event: event["data"].get("event_id"),
}


class Refusal(Exception):
    """What the gateway does not do: status, code and sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"code": code, "message": message}}


class Bus:
    """Stored events, oldest first."""

    def __init__(self) -> None:
        self._events: dict[str, Mapping[str, Any]] = {}
        # What was emitted under which id, and where it is stored.
        self._emitted: dict[str, tuple[Mapping[str, Any], str]] = {}

    def store(self, event: Mapping[str, Any]) -> None:
        """Stores an event as it is."""
        self._events[event["id"]] = event

    def emit(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Stores an event of an application; one that is stored under its id already is not."""
        event_id = given.get("event_id") or given.get("id")
        if not isinstance(event_id, str):
            raise Refusal(422, "invalid_body", "expected `event_id`")
        if event_id in self._emitted:
            before, id_ = self._emitted[event_id]
            if before != given:
                message = f"`{event_id}` is stored with another content"
                raise Refusal(409, "event_conflict", message)
            return {"id": id_, "event_id": event_id, "duplicate": True}
        type_ = given.get("type") or f"envelope.{given.get('kind')}"
        correlation = {name: given.get(name) for name in _APP_FIELDS}
        members = {"correlation": correlation, "thread_key": given.get("thread_key")}
        data = {
            "event_id": event_id,
            **correlation,
            "payload": given.get("payload"),
            "metadata": given.get("metadata", {}),
            **({"timestamp": given["timestamp"]} if "timestamp" in given else {}),
        }
        stored = event_json(type_, members, data)
        self.store(stored)
        self._emitted[event_id] = (dict(given), stored["id"])
        return {"id": stored["id"], "event_id": event_id, "duplicate": False}

    def page(self, query: httpx.QueryParams) -> dict[str, Any]:
        """A page of `/v1/events`."""
        page, cursor = self._page(query, self._events.values())
        return {"events": [dict(event) for event in page], "next_cursor": cursor}

    def show(self, id_: str) -> dict[str, Any]:
        """One event by its id."""
        found = self._events.get(unquote(id_))
        if found is None:
            raise Refusal(404, "not_found", "there is no such event")
        return dict(found)

    def bus_page(self, query: httpx.QueryParams) -> dict[str, Any]:
        """A page of `/events`: what was emitted, as it was."""
        page, cursor = self._page(query, self._of_apps())
        return {"events": [_bus_event(event) for event in page], "next_cursor": cursor}

    def bus_show(self, event_id: str) -> dict[str, Any]:
        """One event by the id of its application."""
        _, id_ = self._emitted.get(unquote(event_id), ({}, ""))
        return _bus_event(self.show(id_))

    def _of_apps(self) -> Iterable[Mapping[str, Any]]:
        return (event for event in self._events.values() if event["channel"]["type"] == "app")

    @staticmethod
    def _page(
        query: httpx.QueryParams, events: Iterable[Mapping[str, Any]]
    ) -> tuple[list[Mapping[str, Any]], str | None]:
        fits = _filter(query)
        found = [event for event in reversed(list(events)) if fits(event)]
        ids = [event["id"] for event in found]
        cursor = query.get("cursor")
        first = ids.index(cursor) + 1 if cursor in ids else 0
        end = first + int(query.get("limit", _LIMIT_DEFAULT))
        return found[first:end], ids[end - 1] if end < len(ids) else None


def _filter(query: httpx.QueryParams) -> Callable[[Mapping[str, Any]], bool]:
    """All filters hold; of one that is given more than once, any value."""
    names = [name for name in query if name not in _KNOWN]
    unknown = [name for name in names if name not in _PARTS and name not in _APP_FIELDS]
    if unknown:
        raise Refusal(422, "unknown_parameter", f"there is no parameter `{unknown[0]}`")
    since, until = _time(query.get("since")), _time(query.get("until"))

    def part(event: Mapping[str, Any], name: str) -> Any:
        read = _PARTS.get(name)
        return read(event) if read is not None else event["correlation"].get(name)

    def fits(event: Mapping[str, Any]) -> bool:
        at = _time(event["created_at"])
        in_time = at is None or ((since is None or at >= since) and (until is None or at < until))
        return in_time and all(part(event, name) in query.get_list(name) for name in names)

    return fits


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise Refusal(422, "invalid_parameter", f"`{text}` is no time") from None


def _bus_event(event: Mapping[str, Any]) -> dict[str, Any]:
    data = event["data"]
    names = ("event_id", "event_type", "timestamp", *_APP_FIELDS, "payload", "metadata")
    return {name: data.get(name) for name in names}
