from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from headgate._consume.hand import Hand, Key
from headgate._consume.verdict import ACK, Batch, Verdict

from .conftest import cases


def verdict_of(said: Any) -> Verdict:
    if said == "ack":
        return ACK
    ((verb, terms),) = said.items()
    return Verdict(verb, terms.get("after_ms"), terms.get("reason"))


def key_of(name: str) -> Key:
    event, _, replay = name.partition("@")
    return event, replay or None


def started(hand: Hand) -> list[str]:
    found = []
    while (work := hand.start()) is not None:
        found.append(work)
    return found


class Play:
    """Plays the steps of one file."""

    def __init__(self, concurrency: int, lease_ms: int) -> None:
        self.hand = Hand(concurrency, lease_ms)
        self.last = Batch()

    def step(self, step: dict[str, Any]) -> None:
        hand, at = self.hand, float(step.get("at", 0))
        match step:
            case {"take": name, "delivery": delivery}:
                hand.take((name, step.get("replay")), delivery, name, at)
            case {"starts": names}:
                assert started(hand) == names
            case {"conclude": name, "as": said}:
                is_late = step.get("is_late", False)
                assert hand.conclude(key_of(name), verdict_of(said), at) is not is_late
            case {"says": body}:
                self.last = hand.flush(at)
                assert self.last.body() == body
            case {"says_count": count}:
                assert len(hand.flush(at).verdicts) == count
            case {"refused": delivery, "code": code}:
                said = hand.refused(delivery, code, at)
                if (is_done := step.get("is_done")) is not None:
                    assert said is not None
                    assert said.is_done(code) is is_done
            case {"done": count}:
                for name in (f"e{number}" for number in range(count)):
                    hand.take((name, None), f"d{name}", name, at)
                    assert started(hand) == [name]
                    hand.conclude((name, None), ACK, at)
            case {"let_go": deliveries}:
                assert hand.let_go() == deliveries
            case {"next_at": when}:
                assert hand.next_at() == (math.inf if when is None else when)
            case {"room": room}:
                assert hand.room == room
            case {"has_said_all": said}:
                assert hand.has_said_all is said
            case {"give_back": reason}:
                hand.give_back(reason)
            case {"lost": True}:
                hand.lost(at)
            case {"heard": True}:
                hand.heard(self.last)
            case {"streamed": True}:
                hand.streamed()
            case _:
                raise AssertionError(f"no such step: {step}")


@pytest.mark.parametrize("path", cases("hand"), ids=lambda path: path.stem)
def test_what_is_in_hand(path: Path) -> None:
    case = json.loads(path.read_text())
    play = Play(case["concurrency"], case["lease_ms"])
    for number, step in enumerate(case["steps"]):
        try:
            play.step(step)
        except AssertionError as error:
            raise AssertionError(f"step {number}, {step}: {error}") from None
