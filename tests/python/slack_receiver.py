"""Takes requests as an app of Slack does, and judges them with Slack's own Python packages.

usage: slack_receiver.py SECRET COUNT

Prints its address, then one line of JSON for each of so many requests.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

from slack_bolt import BoltRequest
from slack_sdk.signature import SignatureVerifier


class Receiver(BaseHTTPRequestHandler):
    """Answers 200 to what is signed, and 401 to what is not."""

    verifier = SignatureVerifier(sys.argv[1])

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        valid = self.verifier.is_valid_request(body, headers)
        read = BoltRequest(body=body, headers=headers)
        said = {"valid": valid, "kind": read.body.get("type") or read.body.get("command"),
                "team": read.context.team_id, "user": read.context.user_id}
        self.send_response(200 if valid else 401)
        self.send_header("content-length", "0")
        self.end_headers()
        print(json.dumps(said), flush=True)

    def log_message(self, *_arguments) -> None:
        """Says nothing."""


def main() -> None:
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    print(f"127.0.0.1:{server.server_port}", flush=True)
    for _ in range(int(sys.argv[2])):
        server.handle_request()


main()
