"""The event: immutable, hashable, safe to share between tasks and threads."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, TypeVar

from ._consume.settler import Settled, Settler
from ._data import AppData, Attachment, CronData, EmailData, SlackData, WebhookData
from ._errors import HeadgateError, IncompatibleServer, MalformedEvent
from ._frozen import FrozenDict, frozen
from ._read import Misfit, read, read_or_none

T = TypeVar("T")
SCHEMA = "headgate.event.v1"
_SOURCE_TYPES = ("webhook.received", "email.received", "slack.event", "cron.fired")


@dataclass(frozen=True)
class Channel:
    """The way in that an event came by."""

    id: str
    label: str = ""
    type: str = ""


@dataclass(frozen=True)
class Verification:
    """How an event was proved genuine, and what the proof covers."""

    verdict: str = "unverified"
    method: str = "none"
    covers: str = "none"
    detail: str | None = None
    key: int | None = None


@dataclass(frozen=True)
class Correlation:
    """The ids by which an application finds the events of one undertaking again."""

    flow_id: str | None = None
    flow_type: str | None = None
    proposal_id: str | None = None
    deal_id: str | None = None
    session_id: str | None = None


@dataclass(frozen=True)
class Delivery:
    """One event for one subscription, leased."""

    id: str
    subscription: str
    attempt: int
    lease_expires_at: datetime
    replay_id: str | None = None


@dataclass(frozen=True)
class Event:
    """What happened. Equal when its content is, hashed by its id."""

    id: str
    type: str
    created_at: datetime
    channel: Channel
    # Whatever it is where the shape of its type could not be made.
    data: Mapping[str, Any] = field(repr=False, metadata={"as_it_is": True})
    prompt_ready: str = field(repr=False)
    prompt_ready_version: int = field(repr=False)
    origin: str = "live"
    provider: str | None = None
    provider_event: str | None = None
    verification: Verification = Verification()
    dedupe_key: str | None = None
    thread_key: str | None = None
    correlation: Correlation = field(default=Correlation(), repr=False)
    metadata: Mapping[str, Any] = field(default_factory=FrozenDict, repr=False)
    delivery: Delivery | None = None
    schema: str = field(default=SCHEMA, repr=False)
    raw: Mapping[str, Any] = field(default_factory=FrozenDict, repr=False, compare=False)
    _settler: Settler | None = field(default=None, repr=False, compare=False)
    _fetch: Callable[[Event, Attachment], Awaitable[bytes]] | None = field(
        default=None, repr=False, compare=False
    )

    def __hash__(self) -> int:
        return hash(self.id)

    def __getstate__(self) -> dict[str, Any]:
        """What a copy is made of, in this process or another: all but what settles it here."""
        names = {one.name for one in dataclasses.fields(self)} - {"_settler", "_fetch"}
        kept = {name: value for name, value in vars(self).items() if name in names}
        return {**kept, "_settler": None, "_fetch": None}

    @classmethod
    def from_json(cls, value: Any) -> Event:
        """The event of a JSON object as the API, the streams and the pushes give it.

        Fields that are not known are found in `raw`. Raises `MalformedEvent` when it is no
        event, `IncompatibleServer` when it is one of another schema.
        """
        schema = value.get("schema", SCHEMA) if isinstance(value, Mapping) else None
        if isinstance(schema, str) and schema != SCHEMA:
            raise IncompatibleServer(
                f"expected events of schema `{SCHEMA}`, found `{schema[:60]}`: "
                "the gateway is newer than this package; update the package"
            )
        whole = frozen(value)
        try:
            event = read(cls, whole)
        except Misfit as misfit:
            raise MalformedEvent(f"what came is no event: {misfit}") from None
        object.__setattr__(event, "raw", whole)
        return event

    @property
    def key(self) -> tuple[str, str | None]:
        """What makes two deliveries the same work: the event, and the replay that asked for it."""
        return self.id, self.delivery.replay_id if self.delivery else None

    @cached_property
    def webhook(self) -> WebhookData | None:
        """The data of a webhook; None for other types and for malformed data."""
        return _typed(self, "webhook.received", WebhookData)

    @cached_property
    def email(self) -> EmailData | None:
        """The data of a message; None for other types and for malformed data."""
        email = _typed(self, "email.received", EmailData)
        fetch = self._fetch
        if email is None or fetch is None:
            return email

        async def fetch_of_event(attachment: Attachment) -> bytes:
            return await fetch(self, attachment)

        bound = [dataclasses.replace(one, _fetch=fetch_of_event) for one in email.attachments]
        return dataclasses.replace(email, attachments=tuple(bound))

    @cached_property
    def slack(self) -> SlackData | None:
        """The data of a Slack event; None for other types and for malformed data."""
        return _typed(self, "slack.event", SlackData)

    @cached_property
    def cron(self) -> CronData | None:
        """The data of a schedule that fired; None for other types and for malformed data."""
        return _typed(self, "cron.fired", CronData)

    @cached_property
    def app(self) -> AppData | None:
        """The data of an app event; None for other types and for malformed data."""
        if self.type in _SOURCE_TYPES or self.channel.type != "app":
            return None
        return read_or_none(AppData, self.data)

    def ack(self) -> Settled:
        """Say that it is done: it never comes again. The result may be awaited."""
        return self._settling().ack()

    def retry(self, after: float | timedelta | None = None, reason: str | None = None) -> Settled:
        """Give it back: it comes again, after so many seconds or as the policy says."""
        return self._settling().retry(after, reason)

    def bury(self, reason: str) -> Settled:
        """Give it up: it never comes again and is kept as a dead letter with this reason."""
        return self._settling().bury(reason)

    def _settling(self) -> Settler:
        if self._settler is None:
            raise HeadgateError(
                f"event `{self.id}` was not delivered to a handler: there is nothing to settle"
            )
        return self._settler


def _typed(event: Event, type_: str, cls: type[T]) -> T | None:
    return read_or_none(cls, event.data) if event.type == type_ else None
