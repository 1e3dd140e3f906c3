"""Answers mentions of a Slack app in their thread.

Wants a channel of type `slack`, a subscription `team` of it, and `SLACK_BOT_TOKEN` with the scope
`chat:write`.
"""

from __future__ import annotations

import os
from typing import Protocol

import httpx

from headgate import Event, Headgate, Retry
from model import Model, from_environment

TASK = "Answer this message of a colleague briefly.\n\n"
TOO_MANY_REQUESTS = 429


class Poster(Protocol):
    """Who posts to Slack."""

    async def post(self, channel: str, thread: str, text: str) -> None:
        """Posts it, or raises."""


class SlackApi:
    """Slack's Web API."""

    def __init__(self, token: str, url: str = "https://slack.com/api") -> None:
        self._http = httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=30)
        self._url = url

    async def post(self, channel: str, thread: str, text: str) -> None:
        """Posts to a thread; what Slack asks to wait is waited by the event, not by us."""
        message = {"channel": channel, "thread_ts": thread, "text": text}
        answer = await self._http.post(f"{self._url}/chat.postMessage", json=message)
        if answer.status_code == TOO_MANY_REQUESTS:
            raise Retry(after=float(answer.headers.get("retry-after", 30)))
        said = answer.json()
        if not said.get("ok"):
            raise RuntimeError(f"Slack refused the message: {said.get('error')}")


def answer_mentions(client: Headgate, model: Model, poster: Poster) -> None:
    """Registers the handler."""

    @client.on_event(types="slack.event")
    async def answer(event: Event) -> None:
        slack = event.slack
        if slack is None or slack.is_bot or slack.event_type != "app_mention":
            return
        thread = slack.thread_ts or slack.message_ts or slack.event_ts
        if slack.channel_id is not None and thread is not None:
            text = await model.complete(TASK + event.prompt_ready)
            await poster.post(slack.channel_id, thread, text)


def main() -> None:
    """Runs until it is stopped."""
    client = Headgate(subscription="team")
    answer_mentions(client, from_environment(), SlackApi(os.environ["SLACK_BOT_TOKEN"]))
    client.run_sync()


if __name__ == "__main__":
    main()
