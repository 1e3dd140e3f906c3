from __future__ import annotations

from pathlib import Path

import pytest

FIXTURES = Path(__file__).parents[3] / "fixtures" / "clients"


def cases(folder: str) -> list[Path]:
    """The files of both clients; a test that finds none would prove nothing."""
    found = sorted((FIXTURES / folder).glob("*.json"))
    if not found:
        raise FileNotFoundError(f"no cases in {FIXTURES / folder}")
    return found


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEADGATE_URL", raising=False)
    monkeypatch.delenv("HEADGATE_KEY", raising=False)
