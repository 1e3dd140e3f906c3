"""The calls of the API that are not consuming: emit, list, get, replay, attachments."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from ._address import segment
from ._data import Attachment
from ._errors import ConfigurationError, HeadgateError, IncompatibleServer, Refused
from ._event import Event
from ._http import Http

PAGE = 100


@dataclass(frozen=True)
class Emitted:
    """An event of your own, stored: its ULID, your id of it, and whether it was there before."""

    id: str
    event_id: str
    duplicate: bool = False


class Api:
    """The calls, in the shapes of the package."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def emit(self, given: Mapping[str, Any]) -> Emitted:
        """Emits one event."""
        answer = await self._http.call_again("POST", "/v1/events", body=_app_event(given))
        return _emitted(answer)

    async def emit_many(self, events: Iterable[Mapping[str, Any]]) -> list[Emitted]:
        """Emits all or none."""
        batch = [_app_event(event) for event in events]
        if not batch:
            return []
        answer = await self._http.call_again("POST", "/v1/events", body=batch)
        return [_emitted(one) for one in answer["events"]]

    async def list_events(
        self, filters: Mapping[str, Any], limit: int | None
    ) -> AsyncIterator[Event]:
        """Events by filter, newest first, page by page."""
        if limit is not None and limit < 1:
            raise ConfigurationError(f"`limit`: expected 1 or more, found `{limit}`")
        query = {name: _texts(value) for name, value in filters.items() if value is not None}
        left = limit
        while True:
            query["limit"] = min(PAGE, left) if left is not None else PAGE
            page = await self._http.call_again("GET", "/v1/events", query=query)
            for found in page["events"]:
                yield self._event(found)
            left = left - len(page["events"]) if left is not None else None
            query["cursor"] = page.get("next_cursor")
            if query["cursor"] is None or left == 0:
                return

    async def get_event(self, event_id: str) -> Event:
        """One event."""
        path = f"/v1/events/{segment(event_id)}"
        return self._event(await self._http.call_again("GET", path))

    async def replay(
        self, to: str | None, ids: Iterable[str] | None, terms: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Asks for a replay."""
        body: dict[str, Any] = {"subscription": to, **{n: _text(v) for n, v in terms.items()}}
        if ids is not None:
            body["ids"] = list(ids)
        answer: dict[str, Any] = await self._http.call("POST", "/v1/replays", body=body)
        return answer

    async def attachment(self, event: Event, attachment: Attachment) -> bytes:
        """The bytes of an attachment. Its URL is short-lived, so a dead one is asked for anew."""
        try:
            content = await self._bytes(attachment)
        except Refused as refused:
            if refused.try_again:
                raise
            email = (await self.get_event(event.id)).email
            same = [a for a in (email.attachments if email else ()) if _is_same(a, attachment)]
            if not same:
                raise
            content = await self._bytes(same[0])
        return content

    async def _bytes(self, attachment: Attachment) -> bytes:
        if attachment.url is None:
            raise HeadgateError(f"attachment `{attachment.filename}` has no URL to read it from")
        content = await self._http.bytes_of(attachment.url)
        if attachment.sha256 and hashlib.sha256(content).hexdigest() != attachment.sha256.lower():
            raise HeadgateError(f"attachment `{attachment.filename}` is not what its digest says")
        return content

    def _event(self, value: Any) -> Event:
        event = Event.from_json(value)
        object.__setattr__(event, "_fetch", self.attachment)
        return event


def _is_same(one: Attachment, other: Attachment) -> bool:
    names = (one.filename, one.sha256, one.size_bytes, one.content_id)
    return names == (other.filename, other.sha256, other.size_bytes, other.content_id)


def _app_event(given: Mapping[str, Any]) -> dict[str, Any]:
    event = {name: _text(value) for name, value in given.items() if value is not None}
    if not isinstance(event.get("type"), str):
        raise ConfigurationError(f"`type`: expected the name of an event, found `{given!r:.80}`")
    event.setdefault("payload", {})
    event.setdefault("event_id", str(uuid.uuid4()))
    return event


def _text(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ConfigurationError(f"expected an aware time, found `{value.isoformat()}`")
        return value.isoformat()
    return value


def _texts(value: Any) -> Any:
    """One value of a filter, or several."""
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        return [_text(one) for one in value]
    return _text(value)


def _emitted(answer: Any) -> Emitted:
    try:
        return Emitted(answer["id"], answer["event_id"], bool(answer["duplicate"]))
    except (KeyError, TypeError):
        raise IncompatibleServer(
            "expected `id`, `event_id` and `duplicate`, found others"
        ) from None
