"""Signs one request with Slack's own Python package, sends it, and says how Bolt reads it.

usage: slack_sender.py mention|edit|command|action|shared URL SECRET

Prints one line of JSON: the status of the answer, and what Bolt makes of the request.
"""

import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

from slack_bolt import BoltRequest
from slack_sdk.signature import SignatureVerifier


def envelope(number: str, event: dict, **more) -> dict:
    return {
        "token": "of old",
        "team_id": "T0PYTHON",
        "api_app_id": "A0PYTHON",
        "type": "event_callback",
        "event_id": f"Ev0PYTHON{number}",
        "event_time": 1776590124,
        "authorizations": [
            {"enterprise_id": None, "team_id": "T0PYTHON", "user_id": "U0BOT", "is_bot": True}
        ],
        "event": event,
        **more,
    }


def mention() -> dict:
    return envelope("1", {
        "type": "app_mention", "user": "U0ALICE", "channel": "C0ROOM",
        "text": "<@U0BOT> grüße &amp; \u2028 Fragen", "ts": "1776590124.000100",
        "thread_ts": "1776590100.000100", "event_ts": "1776590124.000100",
    })


def edit() -> dict:
    message = {"type": "message", "user": "U0ALICE", "text": "better", "ts": "1776590124.000100",
               "thread_ts": "1776590100.000100", "edited": {"user": "U0ALICE", "ts": "1776590125.0"}}
    return envelope("2", {
        "type": "message", "subtype": "message_changed", "hidden": True, "channel": "C0ROOM",
        "channel_type": "channel", "ts": "1776590125.000100", "event_ts": "1776590125.000100",
        "message": message, "previous_message": {**message, "text": "good"},
    })


def shared() -> dict:
    """Another workspace's person writes into a channel that both share."""
    return envelope("3", {
        "type": "message", "user": "U0THEIRS", "user_team": "T0OTHER", "team": "T0OTHER",
        "channel": "C0ROOM", "channel_type": "channel", "text": "hello there",
        "ts": "1776590126.000100", "event_ts": "1776590126.000100",
    }, is_ext_shared_channel=True, context_team_id="T0PYTHON")


def command() -> dict:
    # Without the word `payload` in it, by which Bolt takes a form for another one and reads nothing.
    return {
        "token": "of old", "team_id": "T0PYTHON", "team_domain": "python", "channel_id": "C0ROOM",
        "channel_name": "room", "user_id": "U0ALICE", "user_name": "alice", "command": "/do",
        "text": "50% & more + ü=1", "api_app_id": "A0PYTHON",
        "is_enterprise_install": "false",
        "response_url": "https://hooks.slack.example/1", "trigger_id": "1.2.python",
    }


def action() -> dict:
    return {
        "type": "block_actions", "api_app_id": "A0PYTHON", "token": "of old",
        "user": {"id": "U0ALICE", "username": "alice", "team_id": "T0PYTHON"},
        "team": {"id": "T0PYTHON", "domain": "python"}, "channel": {"id": "C0ROOM", "name": "room"},
        "container": {"type": "message", "message_ts": "1776590124.000100",
                      "channel_id": "C0ROOM", "thread_ts": "1776590100.000100"},
        "message": {"ts": "1776590124.000100", "thread_ts": "1776590100.000100", "text": "Sure?"},
        "actions": [{"type": "button", "action_id": "yes", "block_id": "b", "value": "42 + 1",
                     "action_ts": "1776590127.000100"}],
        "trigger_id": "1.3.python", "is_enterprise_install": False, "enterprise": None,
    }


def request(kind: str) -> tuple[str, str]:
    """The media type and the body."""
    form = "application/x-www-form-urlencoded"
    if kind == "command":
        return form, urllib.parse.urlencode(command())
    if kind == "action":
        return form, urllib.parse.urlencode({"payload": json.dumps(action())})
    body = {"mention": mention, "edit": edit, "shared": shared}[kind]()
    return "application/json", json.dumps(body, ensure_ascii=False)


def main() -> None:
    kind, url, secret = sys.argv[1:]
    media_type, body = request(kind)
    verifier, at = SignatureVerifier(secret), str(int(time.time()))
    headers = {
        "content-type": media_type,
        "x-slack-request-timestamp": at,
        "x-slack-signature": verifier.generate_signature(timestamp=at, body=body),
    }
    assert verifier.is_valid_request(body, headers)
    read = BoltRequest(body=body, headers=headers).context
    sent = urllib.request.Request(url, body.encode(), headers, method="POST")
    try:
        with urllib.request.urlopen(sent, timeout=30) as answer:
            status, text = answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read().decode()
    bolt = {"channel_id": read.channel_id, "user_id": read.user_id,
            "installation_team_id": read.team_id, "thread_ts": read.thread_ts}
    print(json.dumps({"status": status, "body": text, "bolt": bolt}))


main()
