"""The line between a consumer and its gateway, whatever carries it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from .verdict import Batch


@dataclass(frozen=True)
class Refusal:
    """What could not be done for one delivery; for none when `delivery` is None."""

    delivery: str | None
    code: str
    message: str


@dataclass(frozen=True)
class Heard:
    """What came over a line."""

    events: tuple[Any, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    # Nothing more is delivered over this line.
    is_last: bool = False

    @property
    def is_good(self) -> bool:
        """Whether the gateway does its work; one that only lets us in and complains does not."""
        return bool(self.events) or not self.refusals


class LineEnded(Exception):
    """The line ended by itself; the next one may be opened at once."""


class NoStream(Exception):
    """Something between us and the gateway lets no WebSocket through."""


class Line(Protocol):
    """What a consumer needs of a line. Every call raises when the line is gone."""

    name: str
    # Whether the gateway gives back what is unsettled when the line is closed.
    gives_back: bool
    # Whether something may come that was leased already, and then nothing more.
    is_leasing: bool
    # Whether deliveries can be let go of so that it costs no attempt.
    may_release: bool

    async def receive(self) -> Heard:
        """Waits for what comes next."""

    async def say(self, batch: Batch) -> list[Refusal] | None:
        """Says it; answers what was refused, or None when refusals come by `receive`."""

    async def drain(self) -> None:
        """Asks for no more deliveries; a gateway that does not know the question goes on."""

    async def release(self, deliveries: list[str]) -> None:
        """Lets go of deliveries that were never begun; only where it `may_release`."""

    async def close(self) -> None:
        """Takes leave; never fails."""
