"""Events out of nothing, and out of files."""

from __future__ import annotations

import json
import os
import secrets
import time
import uuid
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from .._event import SCHEMA, Event

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHANNEL_TYPES = {
    "webhook.received": "webhook",
    "email.received": "email",
    "slack.event": "slack",
    "cron.fired": "cron",
}


def make_event(type: str, *, event: Mapping[str, Any] | None = None, **data: Any) -> Event:
    """Makes an event: `data` over what such an event has, `event` over its other members.

    `make_event("email.received", from_="alice@example.com", event={"provider": "acme"})`
    """
    return Event.from_json(event_json(type, event or {}, data))


def load_event(path: str | os.PathLike[str]) -> Event:
    """The event of a file, or of the folder that `headgate fixture EVENT_ID --to FOLDER` makes.

    A folder has one event: `event.json`, or a file that ends in `.event.json`.
    """
    place = Path(path)
    if place.is_dir():
        place = _only_event(place)
    return Event.from_json(json.loads(place.read_text(encoding="utf-8")))


def _only_event(folder: Path) -> Path:
    found = sorted(path for path in folder.iterdir() if f".{path.name}".endswith(".event.json"))
    if len(found) != 1:
        names = ", ".join(f"`{path.name}`" for path in found) or "none"
        raise FileNotFoundError(
            f"expected one file that ends in `event.json` in `{folder}`, found {names}"
        )
    return found[0]


def event_json(type: str, event: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """The wire shape of a made event."""
    at = _now()
    channel_type = _CHANNEL_TYPES.get(type, "app")
    given = {name.rstrip("_"): value for name, value in data.items()}
    return {
        "schema": SCHEMA,
        "id": ulid(),
        "type": type,
        "origin": "live",
        "created_at": at,
        "channel": {"id": f"test-{channel_type}", "label": "Test", "type": channel_type},
        "provider": None,
        "provider_event": None,
        "verification": {"verdict": "verified", "method": "internal", "covers": "body+time"},
        "dedupe_key": None,
        "thread_key": None,
        "correlation": {},
        "data": {**_data(type, channel_type, at), **given},
        "metadata": {},
        "prompt_ready": f"{type} at {at}",
        "prompt_ready_version": 1,
        **event,
    }


def ulid() -> str:
    """An id as the gateway gives them."""
    number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -5, -5))


def _now() -> str:
    now = datetime.now(timezone.utc)
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _data(type: str, channel_type: str, at: str) -> dict[str, Any]:
    made: dict[str, dict[str, Any]] = {
        "webhook": {
            "method": "POST",
            "path": "/v1/webhook/test-webhook",
            "query": "",
            "headers": {"content-type": "application/json"},
            "body_encoding": "json",
            "body": {},
            "body_raw_b64": "",
            "body_size_bytes": 2,
            "content_type": "application/json",
            "remote_ip": "127.0.0.1",
        },
        "email": {
            "message_id": f"<{uuid.uuid4()}@example.com>",
            "from": "alice@example.com",
            "to": ["support@example.com"],
            "cc": [],
            "bcc": [],
            "subject": "Hello",
            "text": "Hello.\n",
            "html": None,
            "attachments": [],
            "received_at": at,
        },
        "slack": {
            "team_id": "T0TEST",
            "team_name": None,
            "event_type": "message",
            "event_ts": "1795219200.000100",
            "channel_id": "C0TEST",
            "user_id": "U0TEST",
            "text": "Hello",
            "thread_ts": None,
            "raw": {},
        },
        "cron": {
            "schedule_id": str(uuid.uuid4()),
            "cron_expr": "0 9 * * *",
            "timezone": "UTC",
            "scheduled_at": at,
            "fired_at": at,
            "payload": {},
        },
        "app": {
            "event_id": str(uuid.uuid4()),
            "event_type": type,
            "timestamp": at,
            "payload": {},
            "metadata": {},
        },
    }
    return made[channel_type]
