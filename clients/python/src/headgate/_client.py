"""The client: where the gateway is, which handlers there are, and the calls of the API."""

from __future__ import annotations

import asyncio
import dataclasses
import signal
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, TypeVar

import httpx

from ._address import URL_DEFAULT, Address, Key, from_environment
from ._api import Api, Emitted
from ._consume.consumer import Consumer
from ._consume.hand import Hand
from ._consume.handlers import Handler, Handlers, Settle, Unhandled
from ._consume.lines import Lines, Transport
from ._errors import ConfigurationError
from ._event import Event
from ._http import Http
from ._settings import Settings

H = TypeVar("H", bound=Handler)


class Headgate:
    """A client of one gateway, and of one subscription when it consumes.

    Without `url` and `key` it takes `HEADGATE_URL` and `HEADGATE_KEY` of the environment.
    """

    def __init__(
        self,
        *,
        url: str | None = None,
        key: str | None = None,
        subscription: str | None = None,
        concurrency: int = 32,
        lease: float | timedelta = 60.0,
        handler_timeout: float | timedelta | None = 900.0,
        drain_timeout: float | timedelta = 30.0,
        unhandled: Unhandled = "bury",
        transport: Transport = "auto",
    ) -> None:
        self._settings = Settings.of(
            subscription=subscription,
            concurrency=concurrency,
            lease=lease,
            handler_timeout=handler_timeout,
            drain_timeout=drain_timeout,
            transport=transport,
        )
        self._address = Address(url or from_environment("HEADGATE_URL") or URL_DEFAULT)
        self._key = Key(key if key is not None else from_environment("HEADGATE_KEY"))
        self._handlers = Handlers(unhandled)
        self._http = Http(self._address, self._key)
        self._api = Api(self._http)
        self._consumer: Consumer | None = None

    def __repr__(self) -> str:
        return f"Headgate(url={self._address.base!r}, subscription={self._settings.subscription!r})"

    def on_event(
        self,
        *,
        types: str | Iterable[str] | None = None,
        channels: str | Iterable[str] | None = None,
        settle: Settle = "return",
    ) -> Callable[[H], H]:
        """Registers an async handler of all events, or of some types and channels.

        Types may end in `*`. Each handler that takes an event is called, in the order of their
        registration. The event is acknowledged when all returned and given again when one raised;
        with `settle="manual"` when `event.ack()`, `retry` or `bury` is called.
        """
        if callable(types):
            raise TypeError("expected `@client.on_event()`, found it without its parentheses")

        def register(handler: H) -> H:
            self._handlers.add(handler, types, channels, settle)
            return handler

        return register

    async def run(self) -> None:
        """Consumes the subscription until `stop` is called, or this is cancelled.

        Connects again when the line breaks. Raises what no further try can mend: a wrong key, no
        such subscription, a gateway of another version.
        """
        settings = self._settings
        name = settings.subscription
        if name is None:
            raise ConfigurationError("`subscription`: expected its name, found none")
        if not len(self._handlers):
            raise ConfigurationError("expected a handler, found none: register one with `on_event`")
        if self._consumer is not None:
            raise ConfigurationError("this client runs already")
        lines = Lines(self._http, self._address, self._key, name, settings.transport)
        hand = Hand(settings.concurrency, settings.lease_ms)
        call, timeout = self._handlers.call, settings.handler_timeout
        self._consumer = Consumer(lines, hand, call, timeout, self._api.attachment)
        try:
            await self._consumer.run(settings.drain_timeout)
        finally:
            self._consumer = None

    def run_sync(self) -> None:
        """The same without an event loop; SIGINT and SIGTERM let it finish what is in hand."""

        async def until_signal() -> None:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                try:
                    loop.add_signal_handler(number, self.stop)
                except (NotImplementedError, RuntimeError, ValueError):
                    # Not on this system, or not in this thread: its owner stops it.
                    break
            async with self:
                await self.run()

        asyncio.run(until_signal())

    def stop(self) -> None:
        """Lets `run` return once what is in hand is done, `drain_timeout` later at most.

        It may be called from any thread.
        """
        # Looked at once: `run` may end meanwhile.
        consumer = self._consumer
        if consumer is not None:
            consumer.stop()

    async def emit(
        self,
        type: str,
        payload: Any = None,
        *,
        event_id: str | None = None,
        timestamp: datetime | None = None,
        flow_id: str | None = None,
        flow_type: str | None = None,
        proposal_id: str | None = None,
        deal_id: str | None = None,
        session_id: str | None = None,
        metadata: dict[str, Any] | None = None,
        thread_key: str | None = None,
        dedupe_key: str | None = None,
    ) -> Emitted:
        """Puts an event of your own on the bus; returns when it is stored.

        Tried again when the gateway is away for a moment: the id, made here when there is none,
        makes sure that it is stored once.
        """
        given = {name: value for name, value in locals().items() if name != "self"}
        return await self._api.emit(given)

    async def emit_many(self, events: Iterable[dict[str, Any]]) -> list[Emitted]:
        """Puts all or none of these on the bus, each with the arguments of `emit` as a dict."""
        return await self._api.emit_many(events)

    def list_events(
        self,
        *,
        type: str | Iterable[str] | None = None,
        channel: str | Iterable[str] | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        limit: int | None = None,
        **filters: str | Iterable[str] | None,
    ) -> AsyncIterator[Event]:
        """Events, newest first; pages are fetched as they are needed, `limit` in total.

        Further filters: `provider`, `provider_event`, `thread_key`, `flow_id`, `flow_type`,
        `proposal_id`, `deal_id`, `session_id`.
        """
        named = {"type": type, "channel": channel, "since": since, "until": until, **filters}
        return self._api.list_events(named, limit)

    async def get_event(self, event_id: str) -> Event:
        """One event."""
        return await self._api.get_event(event_id)

    async def replay(
        self,
        *,
        to: str | None = None,
        ids: Iterable[str] | None = None,
        **terms: Any,
    ) -> dict[str, Any]:
        """Gives stored events to a subscription again; answers what the gateway says of it."""
        return await self._api.replay(to or self._settings.subscription, ids, terms)

    def _attach(self, transport: httpx.AsyncBaseTransport) -> None:
        """Speaks to a fake instead of a socket."""
        self._settings = dataclasses.replace(
            self._settings,
            subscription=self._settings.subscription or "test",
            transport="poll",
        )
        self._http = Http(self._address, self._key, transport)
        self._api = Api(self._http)

    async def close(self) -> None:
        """Closes the connections of the calls."""
        await self._http.close()

    async def __aenter__(self) -> Headgate:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
