"""Reads the day's events when a schedule fires, has a model write them up, emits the report.

Wants a channel of type `cron` with a schedule `nightly`, a subscription `reports` of it, and a key
with the scopes `consume`, `read` and `emit`. The report is an event of your own,
`report.written`; its id is made of the night it is for, so that it is there once.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from headgate import Event, Headgate
from model import Model, from_environment

TASK = "Write three sentences about what happened today, for people who were away.\n\n"
MOST = 2_000


def report_nightly(client: Headgate, model: Model) -> None:
    """Registers the handler."""

    @client.on_event(types="cron.fired")
    async def report(event: Event) -> None:
        cron = event.cron
        if cron is None or cron.schedule_name != "nightly":
            return
        since = cron.scheduled_at - timedelta(days=1)
        counts: Counter[str] = Counter()
        day = client.list_events(since=since, until=cron.scheduled_at, limit=MOST)
        async for past in day:
            what = past.provider_event or past.type
            counts[f"{past.channel.label}: {what}"] += 1
        lines = [f"{count} x {what}" for what, count in counts.most_common(50)]
        text = await model.complete(TASK + "\n".join(lines))
        night = cron.scheduled_at.date().isoformat()
        payload = {"night": night, "text": text, "counts": dict(counts)}
        await client.emit("report.written", payload, event_id=f"report-{night}")


def main() -> None:
    """Runs until it is stopped."""
    client = Headgate(subscription="reports")
    report_nightly(client, from_environment())
    client.run_sync()


if __name__ == "__main__":
    main()
