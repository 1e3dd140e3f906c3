"""Receives over Socket Mode with the `slack_sdk` package, and acknowledges what comes.

usage: socket_mode.py API COUNT [SKIPPED]

Prints a line of JSON for each envelope, and ends after COUNT acknowledged ones. The first SKIPPED are not acknowledged.
"""

import json
import sys
import threading

from slack_sdk import WebClient
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse

api, count = sys.argv[1], int(sys.argv[2])
skipped = int(sys.argv[3]) if len(sys.argv) > 3 else 0
client = SocketModeClient(app_token="xapp-1-fake", web_client=WebClient(base_url=f"{api}/"))
done = threading.Event()
lock = threading.Lock()
acknowledged = seen = 0


def receive(client, request) -> None:
    global acknowledged, seen
    with lock:
        seen += 1
        skip = seen <= skipped
        if not skip:
            client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))
            acknowledged += 1
        line = {
            "type": request.type,
            "envelope_id": request.envelope_id,
            "event_id": request.payload.get("event_id"),
            "retry_attempt": request.retry_attempt,
            "retry_reason": request.retry_reason,
            "skipped": skip,
        }
        print(json.dumps(line), flush=True)
        if acknowledged >= count:
            done.set()


client.socket_mode_request_listeners.append(receive)
client.connect()
if not done.wait(60):
    sys.exit(f"{acknowledged} of {count} acknowledged within 60 s")
client.close()
