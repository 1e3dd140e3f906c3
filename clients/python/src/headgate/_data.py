"""The `data` of an event, one frozen dataclass for each type of channel.

Fields are only ever added on the wire; what a class does not know stays in `Event.data`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ._errors import HeadgateError


@dataclass(frozen=True)
class WebhookData:
    """A request that a webhook channel took."""

    method: str
    path: str
    headers: Mapping[str, str] = field(hash=False)
    body_encoding: str
    body: Any = field(hash=False)
    body_raw_b64: str
    body_size_bytes: int
    query: str = ""
    content_type: str | None = None
    remote_ip: str | None = None
    content_encoding: str | None = None


@dataclass(frozen=True)
class Calendar:
    """What an invitation says (RFC 5545, RFC 5546)."""

    method: str | None = None
    uid: str | None = None
    start: str | None = None
    start_zone: str | None = None
    summary: str | None = None


@dataclass(frozen=True)
class Contained:
    """A file inside an attachment."""

    filename: str
    size_bytes: int


@dataclass(frozen=True)
class Attachment:
    """A file that hangs on a message; its URL is signed and short-lived."""

    filename: str
    content_type: str
    size_bytes: int
    url: str | None = field(default=None, repr=False)
    sha256: str | None = None
    content_id: str | None = None
    inline: bool = False
    kind: str | None = None
    protection: str | None = None
    calendar: Calendar | None = None
    contains: tuple[Contained, ...] = ()
    _fetch: Callable[[Attachment], Awaitable[bytes]] | None = field(
        default=None, repr=False, compare=False
    )

    def __getstate__(self) -> dict[str, Any]:
        """What a copy is made of: the client that reads it stays where it is."""
        return {**vars(self), "_fetch": None}

    async def read(self) -> bytes:
        """Its bytes, checked against its digest."""
        if self._fetch is None:
            raise HeadgateError(
                f"attachment `{self.filename}` came with no client to read it with: "
                "take the event from a handler, `get_event` or `list_events`"
            )
        return await self._fetch(self)


@dataclass(frozen=True)
class AuthResult:
    """What one way of proving a sender found."""

    verdict: str
    domain: str | None = None


@dataclass(frozen=True)
class Auth:
    """Who really sent a message, as far as it can be proved."""

    spf: AuthResult | None = None
    dkim: tuple[AuthResult, ...] = ()
    dmarc: AuthResult | None = None
    from_verified: bool = False
    source: str | None = None


@dataclass(frozen=True)
class Envelope:
    """What the sending server said before the message."""

    mail_from: str | None = None
    rcpt_to: tuple[str, ...] = ()
    helo: str | None = None
    remote_ip: str | None = None
    tls: bool = False


@dataclass(frozen=True)
class AutoFlags:
    """Whether a program wrote the message; answer none of these by a program."""

    is_bounce: bool = False
    is_auto_reply: bool = False
    is_list: bool = False
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class MailHeader:
    """One header of a message."""

    name: str
    value: str


@dataclass(frozen=True)
class EmailData:
    """A message that an e-mail channel took."""

    from_: str = field(metadata={"key": "from"})
    to: tuple[str, ...]
    cc: tuple[str, ...]
    bcc: tuple[str, ...]
    subject: str
    text: str | None
    html: str | None
    message_id: str
    attachments: tuple[Attachment, ...]
    received_at: datetime
    reply_text: str | None = None
    auth: Auth | None = None
    from_name: str | None = None
    sender: str | None = None
    reply_to: tuple[str, ...] = ()
    date: datetime | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    text_source: str | None = None
    hidden_text_bytes: int = 0
    tag: str | None = None
    matched_address: str | None = None
    envelope: Envelope | None = None
    auto: AutoFlags = AutoFlags()
    headers: tuple[MailHeader, ...] = ()
    defects: tuple[str, ...] = ()
    truncated: bool = False
    size_bytes: int = 0
    raw_url: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class SlackData:
    """An event, command or interaction of Slack."""

    event_type: str
    team_id: str | None = None
    team_name: str | None = None
    event_ts: str | None = None
    channel_id: str | None = None
    user_id: str | None = None
    text: str | None = None
    thread_ts: str | None = None
    raw: Any = field(default=None, hash=False, repr=False)
    api_app_id: str | None = None
    event_id: str | None = None
    subtype: str | None = None
    channel_type: str | None = None
    bot_id: str | None = None
    message_ts: str | None = None
    message_key: str | None = None
    client_msg_id: str | None = None
    installation_team_id: str | None = None
    is_mention: bool = False
    is_bot: bool = False
    is_self: bool | None = None
    no_text_change: bool = False
    retry_num: int | None = None
    retry_reason: str | None = None
    transport: str | None = None
    text_rendered: str | None = None
    mentions: tuple[str, ...] = ()
    hidden_text: tuple[str, ...] = ()


@dataclass(frozen=True)
class CronData:
    """A schedule that was due."""

    schedule_id: str
    cron_expr: str
    timezone: str
    scheduled_at: datetime
    fired_at: datetime
    payload: Any = field(default=None, hash=False)
    schedule_name: str | None = None
    missed_count: int = 0
    late_by_ms: int = 0
    nominal_local: str | None = None
    utc_offset: str | None = None
    dst: str | None = None
    trigger: str = "schedule"

    @property
    def lateness(self) -> timedelta:
        """How long after its time it fired; never negative."""
        return max(self.fired_at - self.scheduled_at, timedelta(0))


@dataclass(frozen=True)
class AppData:
    """An event that an application emitted."""

    event_id: str
    event_type: str
    timestamp: datetime
    flow_id: str | None = None
    flow_type: str | None = None
    proposal_id: str | None = None
    deal_id: str | None = None
    session_id: str | None = None
    payload: Any = field(default=None, hash=False)
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)
