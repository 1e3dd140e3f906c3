"""A language model behind an interface: the examples need no more of it than this."""

from __future__ import annotations

import os
from typing import Protocol

import httpx


class Model(Protocol):
    """Anything that goes on from a prompt."""

    async def complete(self, prompt: str) -> str:
        """What the model says."""


class MadeUp:
    """Says the same of everything, and remembers what it was asked."""

    def __init__(self, answer: str = "Thank you, we are looking into it.") -> None:
        self.answer = answer
        self.prompts: list[str] = []

    async def complete(self, prompt: str) -> str:
        """The answer that it was made with."""
        self.prompts.append(prompt)
        return self.answer


class Served:
    """A model behind a server that speaks the chat completions API."""

    def __init__(self, url: str, key: str, name: str) -> None:
        self._http = httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=120)
        self._url = url
        self._name = name

    async def complete(self, prompt: str) -> str:
        """One question, one answer."""
        messages = [{"role": "user", "content": prompt}]
        body = {"model": self._name, "messages": messages}
        answer = await self._http.post(f"{self._url}/chat/completions", json=body)
        answer.raise_for_status()
        return str(answer.json()["choices"][0]["message"]["content"])


def from_environment() -> Model:
    """The model that `MODEL_URL`, `MODEL_KEY` and `MODEL_NAME` name, or one that is made up."""
    url = os.environ.get("MODEL_URL")
    if not url:
        return MadeUp()
    return Served(url, os.environ["MODEL_KEY"], os.environ["MODEL_NAME"])
