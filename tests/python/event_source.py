"""Reads server-sent events with the `httpx-sse` package, and goes on where it was when the line breaks.

usage: event_source.py URL COUNT KEY

Prints each event as one line of JSON until there were COUNT: its id, its name and its data, read.
"""

import json
import sys
import time

import httpx
from httpx_sse import connect_sse


def main() -> None:
    url, count, key = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    headers, wait, seen = {"authorization": f"Bearer {key}"}, 0.1, 0
    client = httpx.Client(timeout=httpx.Timeout(30))
    while seen < count:
        try:
            with connect_sse(client, "GET", url, headers=headers) as source:
                source.response.raise_for_status()
                print(json.dumps({"connected": True}), flush=True)
                for event in source.iter_sse():
                    if event.retry is not None:
                        wait = event.retry / 1000
                    if event.id:
                        headers["last-event-id"] = event.id
                    print(json.dumps({"id": event.id, "name": event.event, "data": event.json()}), flush=True)
                    seen += 1
                    if seen == count:
                        return
        except httpx.TransportError as error:
            print(f"the line broke: {error}", file=sys.stderr)
        time.sleep(min(wait, 0.1))


main()
