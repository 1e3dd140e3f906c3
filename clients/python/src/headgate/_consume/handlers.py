"""Handlers: which events each takes, and what becomes of an event when they are through."""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal

from .._errors import Bury, ConfigurationError, Retry
from .verdict import ACK, Verdict, bury, retry

if TYPE_CHECKING:
    from .._event import Event

Handler = Callable[["Event"], Awaitable[Any]]
Settle = Literal["return", "manual"]
Unhandled = Literal["bury", "ack", "retry"]
log = logging.getLogger("headgate")

# Types that nobody takes are named once each, up to so many.
_TOLD_MAX = 1000


@dataclass(frozen=True)
class Route:
    """One handler and the events that it takes."""

    handler: Handler
    types: tuple[str, ...] | None
    channels: tuple[str, ...] | None
    settle: Settle

    def takes(self, event: Event) -> bool:
        """Whether the event is for this handler."""
        if self.channels is not None and event.channel.id not in self.channels:
            return False
        return self.types is None or any(fnmatchcase(event.type, type_) for type_ in self.types)


class Handlers:
    """All handlers of a client, in the order in which they were registered."""

    def __init__(self, unhandled: Unhandled) -> None:
        if unhandled not in ("bury", "ack", "retry"):
            raise ConfigurationError(
                f"`unhandled`: expected `bury`, `ack` or `retry`, found `{unhandled}`"
            )
        self._routes: list[Route] = []
        self._unhandled = unhandled
        self._told: set[str] = set()

    def __len__(self) -> int:
        return len(self._routes)

    def add(
        self,
        handler: Handler,
        types: str | Iterable[str] | None,
        channels: str | Iterable[str] | None,
        settle: Settle,
    ) -> None:
        """Registers a handler, which has to be an `async def` function."""
        if not _is_async(handler):
            raise TypeError(
                f"handler `{_name(handler)}`: expected an `async def` function, found "
                f"{'a plain function' if callable(handler) else type(handler).__name__}"
            )
        if settle not in ("return", "manual"):
            raise ConfigurationError(f"`settle`: expected `return` or `manual`, found `{settle}`")
        types, channels = _names("types", types), _names("channels", channels)
        self._routes.append(Route(handler, types, channels, settle))

    async def call(self, event: Event) -> Verdict | None:
        """Calls each handler that takes the event, in order; None when they settle by hand."""
        routes = [route for route in self._routes if route.takes(event)]
        if not routes:
            return self._without_handler(event)
        try:
            for route in routes:
                await route.handler(event)
        except Retry as asked:
            return retry(asked.after, asked.reason)
        except Bury as asked:
            return bury(asked.reason)
        except Exception as error:
            log.exception("the handler of event %s (%s) failed", event.id, event.type)
            return retry(None, f"{type(error).__name__}: {error}")
        return None if any(route.settle == "manual" for route in routes) else ACK

    def _without_handler(self, event: Event) -> Verdict:
        reason = f"no handler takes `{event.type}` of channel `{event.channel.id}`"
        if self._unhandled == "ack":
            return ACK
        if event.type not in self._told and len(self._told) < _TOLD_MAX:
            self._told.add(event.type)
            log.warning("%s (event %s): %s", reason, event.id, self._unhandled)
        return bury(reason) if self._unhandled == "bury" else retry(None, reason)


def _names(field: str, names: str | Iterable[str] | None) -> tuple[str, ...] | None:
    if names is None:
        return None
    listed = (names,) if isinstance(names, str) else tuple(names)
    if not listed or not all(isinstance(name, str) and name for name in listed):
        raise ConfigurationError(f"`{field}`: expected one name or more, found `{listed!r}`")
    return tuple(str(getattr(name, "value", name)) for name in listed)


def _is_async(handler: object) -> bool:
    while isinstance(handler, functools.partial):
        handler = handler.func
    call = getattr(handler, "__call__", None)  # noqa: B004 - its code is looked at
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(call)


def _name(handler: object) -> str:
    return str(getattr(handler, "__qualname__", repr(handler)))
