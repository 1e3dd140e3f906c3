"""How long to wait before the next try: twice as long each time, never all at one moment."""

from __future__ import annotations

import random

FIRST = 0.25
LONGEST = 30.0
ASKED_MAX = 300.0


class Backoff:
    """The waits of one row of failures."""

    def __init__(self) -> None:
        self._failures = 0

    def reset(self) -> None:
        """What was tried succeeded: the next wait is the first again."""
        self._failures = 0

    def next(self, asked: float | None = None) -> float:
        """The next wait in seconds; at least `asked`, when the other side asked for one."""
        whole: float = min(FIRST * 2 ** min(self._failures, 16), LONGEST)
        self._failures += 1
        # Between half of it and all of it, so that many clients do not come at once.
        wait: float = whole * random.uniform(0.5, 1.0)
        return max(min(asked or 0.0, ASKED_MAX), wait)
