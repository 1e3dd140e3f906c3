"""What is in hand: the protocol of a consumer, without socket and clock.

A delivery is taken, waits for its turn, runs, and is concluded by a verdict. A verdict counts as
heard once a call answered it, or once so many later ones were sent on a stream that the gateway
must have read it; until then it is said again after the line broke. An event that comes again
while its handler runs is the same work under another delivery; one that was done comes to nothing
but its acknowledgement, whether that of before was heard or not.
"""

from __future__ import annotations

import math
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass, replace
from typing import Any

from .verdict import ACK, Batch, Verdict

Key = tuple[str, str | None]

# Codes of the gateway after which the same may be said again.
_PASSING = frozenset({"unavailable", "internal"})
_SAID_AGAIN_AFTER = 1.0
# A lease is renewed when this part of it is over, so that two failures in a row cost nothing.
_RENEW_AT = 1 / 3
# Work that was done and could not be settled is known for so long when it comes again.
_DONE_KEPT = 4 * 3600.0
_DONE_MAX = 10_000
# So many verdicts are said at one go: one settle call has room for them, whatever their reasons.
_SAID_AT_ONCE_MAX = 1000


@dataclass
class _Held:
    delivery: str | None
    renew_at: float
    running: bool = False


@dataclass(frozen=True)
class _Said:
    verdict: Verdict
    key: Key
    not_before: float = 0.0
    # Whether it was said before on a line that may have carried it.
    is_repeated: bool = False

    def is_done(self, code: str) -> bool:
        """Whether a refusal only tells that it was done already.

        It was by what was said before, or, for an acknowledgement, by whoever else was given the
        event.
        """
        if self.verdict.verb == "ack":
            return code == "already_settled"
        # One that came again is another attempt.
        is_attempt_over = self.verdict.verb == "retry" and code == "lease_expired"
        return self.is_repeated and (code == "already_settled" or is_attempt_over)


class Hand:
    """The deliveries of one consumer, at most `concurrency` of them running."""

    def __init__(self, concurrency: int, lease_ms: int) -> None:
        self.concurrency = concurrency
        self.lease_ms = lease_ms
        self._renew_after = lease_ms / 1000 * _RENEW_AT
        self._held: dict[Key, _Held] = {}
        self._by_delivery: dict[str, Key] = {}
        self._waiting: deque[tuple[Key, Any]] = deque()
        self._running = 0
        self._pending: OrderedDict[str, _Said] = OrderedDict()
        self._sent: OrderedDict[str, _Said] = OrderedDict()
        # Work whose acknowledgement is among these: it is done, whatever becomes of that.
        self._acked: Counter[Key] = Counter()
        self._done: OrderedDict[Key, float] = OrderedDict()
        self._is_closed = False
        # No lease needs to be renewed before this moment.
        self._renewal_at = math.inf

    @property
    def room(self) -> int:
        """How many more may be taken."""
        return 0 if self._is_closed else max(self.concurrency - len(self._held), 0)

    @property
    def running(self) -> int:
        """How many handlers run."""
        return self._running

    @property
    def has_said_all(self) -> bool:
        """Whether every verdict was heard, as far as can be known."""
        return not self._pending and not self._sent

    def close(self) -> None:
        """Nothing more is to be taken."""
        self._is_closed = True

    def take(self, key: Key, delivery: str, work: Any, now: float) -> None:
        """Takes a delivery; `work` is given back by `start` when it is its turn."""
        held, renew_at = self._held.get(key), now + self._renew_after
        if held is not None:
            if held.delivery is not None:
                self._by_delivery.pop(held.delivery, None)
            held.delivery, held.renew_at = delivery, renew_at
        elif self._done.get(key, 0.0) > now or key in self._acked:
            self._pend(delivery, _Said(ACK, key))
            return
        else:
            self._held[key] = _Held(delivery, renew_at)
            self._waiting.append((key, work))
        self._by_delivery[delivery] = key
        self._renewal_at = min(self._renewal_at, renew_at)

    def start(self) -> Any | None:
        """The next work to begin; None while there is none, or enough runs."""
        if not self._waiting or self._running >= self.concurrency:
            return None
        key, work = self._waiting.popleft()
        self._held[key].running = True
        self._running += 1
        return work

    def conclude(self, key: Key, verdict: Verdict, now: float) -> bool:
        """Notes what became of a piece of work; False when it was concluded before."""
        held = self._held.pop(key, None)
        if held is None:
            return False
        self._running -= 1
        if held.delivery is not None:
            self._by_delivery.pop(held.delivery, None)
            self._pend(held.delivery, _Said(verdict, key))
        elif verdict.verb == "ack":
            self._remember(key, now)
        return True

    def answer(self, delivery: str, verdict: Verdict, now: float) -> None:
        """Says of a delivery what nobody worked on."""
        self._pend(delivery, _Said(verdict, (delivery, None), now))

    def _pend(self, delivery: str, said: _Said) -> None:
        self._forget(self._pending.pop(delivery, None))
        self._pending[delivery] = said
        if said.verdict.verb == "ack":
            self._acked[said.key] += 1

    def _forget(self, said: _Said | None) -> None:
        """Notes that it is neither to be said any more nor on its way."""
        if said is not None and said.verdict.verb == "ack":
            self._acked[said.key] -= 1
            if not self._acked[said.key]:
                del self._acked[said.key]

    def flush(self, now: float) -> Batch:
        """What is to be said now, as much as may be said at one go; it counts as sent."""
        due = [(id_, said) for id_, said in self._pending.items() if said.not_before <= now]
        del due[_SAID_AT_ONCE_MAX:]
        batch = Batch(lease_ms=self.lease_ms)
        for id_, said in due:
            del self._pending[id_]
            self._sent[id_] = said
            batch.verdicts.append((id_, said.verdict))
        if self._renewal_at <= now:
            self._renew(batch, now)
        return batch

    def _renew(self, batch: Batch, now: float) -> None:
        self._renewal_at = math.inf
        for held in self._held.values():
            if held.delivery is None:
                continue
            if held.renew_at <= now:
                held.renew_at = now + self._renew_after
                batch.extensions.append(held.delivery)
            self._renewal_at = min(self._renewal_at, held.renew_at)

    def next_at(self) -> float:
        """When `flush` may have something to say; infinite while it has nothing."""
        times = (said.not_before for said in self._pending.values())
        return min(self._renewal_at if self._held else math.inf, min(times, default=math.inf))

    def streamed(self) -> None:
        """What was flushed went out on a stream, which answers nothing but errors.

        The gateway has no more than `concurrency` deliveries unsettled on one stream, so what
        was said before the last so many was read. Errors may lag behind a little.
        """
        while len(self._sent) > 2 * self.concurrency + 64:
            self._forget(self._sent.popitem(last=False)[1])

    def heard(self, batch: Batch) -> None:
        """A call that carried this was answered, and its refusals were told before."""
        for id_, _ in batch.verdicts:
            self._forget(self._sent.pop(id_, None))

    def refused(self, delivery: str, code: str, now: float) -> _Said | None:
        """The gateway could not do what was said of a delivery; answers what that was."""
        said = self._sent.pop(delivery, None)
        if said is not None:
            self._forget(said)
            if code in _PASSING:
                self._pend(delivery, replace(said, not_before=now + _SAID_AGAIN_AFTER))
            elif said.verdict.verb == "ack" and code != "already_settled":
                self._remember(said.key, now)
            return said
        key = self._by_delivery.get(delivery)
        if key is not None:
            if code in _PASSING:
                self._held[key].renew_at = now + _SAID_AGAIN_AFTER
                self._renewal_at = min(self._renewal_at, now + _SAID_AGAIN_AFTER)
            else:
                self._lose(key)
        return None

    def lost(self, now: float) -> None:
        """The line is gone: what waits goes back, what was said is said again, what runs runs."""
        self.let_go()
        self.say_again(now)

    def say_again(self, now: float) -> None:
        """What was said and not heard is said again, and every lease is renewed."""
        again = ((id_, replace(said, is_repeated=True)) for id_, said in self._sent.items())
        self._pending = OrderedDict([*again, *self._pending.items()])
        self._sent.clear()
        for held in self._held.values():
            held.renew_at = now
        self._renewal_at = now

    def give_back(self, reason: str) -> None:
        """Lets go of what waits, in words: it comes at once to whoever asks."""
        for delivery in self.let_go():
            self.answer(delivery, Verdict("retry", 0, reason), 0.0)

    def let_go(self) -> list[str]:
        """Lets go of what waits; answers its deliveries."""
        deliveries = []
        for key, _ in self._waiting:
            held = self._held.pop(key)
            if held.delivery is not None:
                self._by_delivery.pop(held.delivery, None)
                deliveries.append(held.delivery)
        self._waiting.clear()
        return deliveries

    def _lose(self, key: Key) -> None:
        held = self._held[key]
        if held.delivery is not None:
            self._by_delivery.pop(held.delivery, None)
        held.delivery = None
        if not held.running:
            # Whoever gets it next begins it.
            del self._held[key]
            self._waiting = deque(entry for entry in self._waiting if entry[0] != key)

    def _remember(self, key: Key, now: float) -> None:
        self._done[key] = now + _DONE_KEPT
        while len(self._done) > _DONE_MAX:
            self._done.popitem(last=False)
