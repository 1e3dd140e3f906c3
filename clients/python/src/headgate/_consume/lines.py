"""Which line is used: a WebSocket, and long polls where none comes through."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Literal

from .._address import Address, Key, segment
from .._errors import GatewayUnreachable
from .._http import Http
from .hand import Hand
from .line import Line, NoStream, Refusal
from .poll import Poll, settle
from .stream import BEFORE_HELLO, Stream
from .verdict import Batch

Transport = Literal["auto", "websocket", "poll"]
log = logging.getLogger("headgate")

# After so long a WebSocket is tried again.
_POLLED_FOR = 300.0
# So many streams in a row that end before their hello were cut by something in between.
_CUT_MAX = 3


class Lines:
    """Opens lines to one subscription."""

    def __init__(
        self, http: Http, address: Address, key: Key, subscription: str, transport: Transport
    ) -> None:
        self._http = http
        self._address = address
        self._key = key
        self._subscription = subscription
        self._transport = transport
        self._path = f"/v1/subscriptions/{segment(subscription)}"
        self._cut = 0

    async def open(self, hand: Hand, now: Callable[[], float]) -> Line:
        """The next line."""
        if self._transport != "poll":
            try:
                return await self._stream(hand)
            except NoStream as reason:
                if self._transport == "websocket":
                    message = f"no WebSocket to `{self._address.base}`: {reason}"
                    raise GatewayUnreachable(message) from None
                log.warning("no WebSocket comes through (%s): using long polls", reason)
        ends_at = now() + (_POLLED_FOR if self._transport == "auto" else float("inf"))
        return Poll(self._http, self._subscription, hand.lease_ms, lambda: hand.room, ends_at)

    async def settle(self, batch: Batch) -> list[Refusal]:
        """Says it by a call, which is answered."""
        return await settle(self._http, self._path, batch)

    async def _stream(self, hand: Hand) -> Stream:
        terms = (self._subscription, hand.concurrency, hand.lease_ms)
        try:
            stream = await Stream.open(self._address, self._key, *terms)
        except GatewayUnreachable as error:
            self._cut = self._cut + 1 if BEFORE_HELLO in str(error) else 0
            if self._cut < _CUT_MAX:
                raise
            self._cut = 0
            raise NoStream("streams are cut before they begin") from None
        self._cut = 0
        log.info("consuming `%s` of %s", self._subscription, stream.server)
        return stream
