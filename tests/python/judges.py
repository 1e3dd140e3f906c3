"""Lets the senders' own packages judge signatures, both ways.

usage: judges.py BINARY GATEWAY CASES SEED

Theirs: bodies are made up, signed by the package, and half of them changed. What the package says of
each is compared with what the gateway at GATEWAY answers: 401, or not. Ours: every sample of `BINARY
send` is sent to a listener here, and the package is asked about it as it came and with a byte changed.

Prints a line of JSON with the counts of each package, and ends with 1 when any judgement differs.
"""

import base64
import datetime
import hashlib
import http.client
import http.server
import json
import os
import random
import subprocess
import sys
import threading
import time
import urllib.parse

import nacl.exceptions
import nacl.signing
import slack_sdk.signature
import standardwebhooks
import stripe
import svix.webhooks
import twilio.request_validator

STRIPE = "whsec_a_secret_of_stripe"
STANDARD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SLACK = "8f742231b10e8888abcd99yyyzzz85a5"
TWILIO = "12345678901234567890123456789012"
SEED = bytes(range(32))
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
PUBLIC = "https://in.example.com"


class Request:
    def __init__(self, path, headers, body):
        self.path, self.headers, self.body = path, headers, body

    def header(self, name):
        return self.headers.get(name, "")


class Judge:
    """One package: what it signs, and what it says of a request."""

    channel = provider = None
    # Whether a time that is too old, or too far ahead, is refused by the package.
    refuses_old = refuses_ahead = True
    secret = ""
    kind = JSON

    def body(self, made):
        return json.dumps(document(made), ensure_ascii=made.random() < 0.5).encode()

    @property
    def place(self):
        return f"/v1/webhook/{self.channel}"

    def path(self, body):
        return self.place

    def sign(self, path, body, at, secret):
        raise NotImplementedError

    def takes(self, request, public=PUBLIC):
        raise NotImplementedError


class Stripe(Judge):
    channel = provider = "stripe"
    secret, other = STRIPE, "whsec_another"
    refuses_ahead = False

    def sign(self, path, body, at, secret):
        signature = stripe.WebhookSignature._compute_signature(f"{at}.{body.decode()}", secret)
        return {"stripe-signature": f"t={at},v1={signature}"}

    def takes(self, request, public=PUBLIC):
        try:
            text = request.body.decode()
            return stripe.WebhookSignature.verify_header(text, request.header("stripe-signature"), STRIPE, 300)
        except (stripe.SignatureVerificationError, UnicodeDecodeError):
            return False


class StandardWebhooks(Judge):
    channel = provider = "standard-webhooks"
    secret, other = STANDARD, "whsec_" + base64.b64encode(bytes(24)).decode()
    prefix = "webhook"
    package = standardwebhooks.Webhook

    def sign(self, path, body, at, secret):
        time_of = datetime.datetime.fromtimestamp(at, datetime.timezone.utc)
        number = f"msg_{hashlib.sha256(body).hexdigest()[:24]}"
        signature = self.package(secret).sign(number, time_of, body.decode())
        return {f"{self.prefix}-id": number, f"{self.prefix}-timestamp": str(at), f"{self.prefix}-signature": signature}

    def takes(self, request, public=PUBLIC):
        try:
            self.package(self.secret).verify(request.body, request.headers)
            return True
        except json.JSONDecodeError:
            # The signature was looked at before.
            return True
        except Exception as error:
            if type(error).__name__ not in ("WebhookVerificationError", "UnicodeDecodeError"):
                raise
            return False


class Svix(StandardWebhooks):
    prefix = "svix"
    package = svix.webhooks.Webhook


class Discord(Judge):
    channel = provider = "discord"
    key = nacl.signing.SigningKey(SEED)
    secret, other = SEED.hex(), bytes(32).hex()
    refuses_old = refuses_ahead = False

    def sign(self, path, body, at, secret):
        signed = nacl.signing.SigningKey(bytes.fromhex(secret)).sign(str(at).encode() + body)
        return {"x-signature-ed25519": signed.signature.hex(), "x-signature-timestamp": str(at)}

    def takes(self, request, public=PUBLIC):
        try:
            signature = bytes.fromhex(request.header("x-signature-ed25519"))
            message = request.header("x-signature-timestamp").encode() + request.body
            self.key.verify_key.verify(message, signature)
            return True
        except (nacl.exceptions.BadSignatureError, nacl.exceptions.ValueError, ValueError):
            return False


class Fields(dict):
    """A form as web frameworks give it: several values of one name."""

    def __init__(self, body):
        super().__init__(urllib.parse.parse_qs(body.decode(), keep_blank_values=True))

    def getlist(self, name):
        return self[name]


class Twilio(Judge):
    channel = provider = "twilio"
    secret, other = TWILIO, "another"
    refuses_old = refuses_ahead = False
    kind = FORM

    def body(self, made):
        pairs = [(word(made), word(made)) for _ in range(made.randrange(1, 9))]
        pairs += [made.choice(pairs)] * made.randrange(2) + [(pairs[0][0], word(made))] * made.randrange(2)
        return urllib.parse.urlencode(pairs).encode()

    def path(self, body):
        return f"/v1/webhook/twilio?a={hashlib.sha256(body).hexdigest()[:6]}&b=%2Fc"

    def sign(self, path, body, at, secret):
        validator = twilio.request_validator.RequestValidator(secret)
        return {"x-twilio-signature": validator.compute_signature(PUBLIC + path, Fields(body))}

    def takes(self, request, public=PUBLIC):
        validator = twilio.request_validator.RequestValidator(TWILIO)
        signature = request.header("x-twilio-signature")
        try:
            return validator.validate(public + request.path, Fields(request.body), signature)
        except UnicodeDecodeError:
            return False


class TwilioJson(Twilio):
    kind = JSON
    body = Judge.body

    def path(self, body):
        return f"/v1/webhook/twilio?bodySHA256={hashlib.sha256(body).hexdigest()}"

    def sign(self, path, body, at, secret):
        validator = twilio.request_validator.RequestValidator(secret)
        return {"x-twilio-signature": validator.compute_signature(PUBLIC + path, {})}

    def takes(self, request, public=PUBLIC):
        validator = twilio.request_validator.RequestValidator(TWILIO)
        try:
            text = request.body.decode()
        except UnicodeDecodeError:
            return False
        return validator.validate(public + request.path, text, request.header("x-twilio-signature"))


class Slack(Judge):
    channel = provider = "slack"
    secret, other = SLACK, "another"

    place = "/v1/slack/slack"

    def sign(self, path, body, at, secret):
        verifier = slack_sdk.signature.SignatureVerifier(secret)
        signature = verifier.generate_signature(timestamp=str(at), body=body)
        return {"x-slack-signature": signature, "x-slack-request-timestamp": str(at)}

    def takes(self, request, public=PUBLIC):
        verifier = slack_sdk.signature.SignatureVerifier(SLACK)
        at, signature = request.header("x-slack-request-timestamp"), request.header("x-slack-signature")
        try:
            return verifier.is_valid(body=request.body, timestamp=at, signature=signature)
        except UnicodeDecodeError:
            return False


JUDGES = [Stripe(), StandardWebhooks(), Svix(), Discord(), Twilio(), TwilioJson(), Slack()]


def word(made):
    letters = "abcXYZ019 _-.~+&=%/?ü€日\u2028🚀\"\\<"
    return "".join(made.choice(letters) for _ in range(made.randrange(1, 12)))


def document(made, depth=0):
    kind = made.randrange(6 if depth < 3 else 4)
    if kind == 4 or depth == 0:
        return {word(made): document(made, depth + 1) for _ in range(made.randrange(1, 5))}
    if kind == 5:
        return [document(made, depth + 1) for _ in range(made.randrange(4))]
    return [made.randrange(10**6), made.random() < 0.5, None, word(made)][kind]


def flipped(made, text):
    """Another character of the same alphabet, so that the form stays that of a signature. The last
    ones of base64 have bits that count for nothing, which some take and we do not."""
    at = made.choice([at for at, char in enumerate(text[:-2]) if char.isalnum()])
    other = made.choice([char for char in "0123456789abcdef" if char != text[at].lower()])
    return text[:at] + other + text[at + 1:]


def case(judge, made):
    """A signed request, and what was done to it."""
    body = judge.body(made)
    path = judge.path(body)
    now = int(time.time())
    changes = ["none"] * 5 + ["body", "cut", "longer", "signature", "secret", "empty", "missing"]
    changes += ["old"] * judge.refuses_old + ["ahead"] * judge.refuses_ahead
    change = made.choice(changes)
    at = now + {"old": -400, "ahead": 400}.get(change, 0)
    headers = judge.sign(path, body, at, judge.other if change == "secret" else judge.secret)
    name = next(name for name in headers if "signature" in name and "timestamp" not in name)
    if change == "body":
        place = made.randrange(len(body))
        body = body[:place] + bytes([body[place] ^ 1 << made.randrange(7)]) + body[place + 1:]
    elif change == "cut":
        body = body[:-1]
    elif change == "longer":
        body += b"&a=b" if judge.kind == FORM else b" "
    elif change == "signature":
        headers[name] = flipped(made, headers[name])
    elif change == "empty":
        headers[name] = ""
    elif change == "missing":
        del headers[name]
    return Request(path, {**headers, "content-type": judge.kind}, body), change


def answered(connection, request):
    connection.request("POST", request.path, request.body, request.headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def theirs(judge, gateway, cases, made, counts, wrong):
    connection = http.client.HTTPConnection(gateway, timeout=30)
    for _ in range(cases):
        request, change = case(judge, made)
        taken = bool(judge.takes(request))
        status = answered(connection, request)
        # What is proved and no event of Slack's is refused for that, not for its signature.
        ours = status not in (401,) and status < 500
        counts["taken" if taken else "refused"] += 1
        if ours != taken:
            wrong.append(f"{type(judge).__name__}: {change}: it says {taken}, we answer {status}: {request.__dict__}")


class Listener(http.server.BaseHTTPRequestHandler):
    """Keeps what comes."""

    came = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        Listener.came.append(Request(self.path, headers, body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def ours(judge, binary, address, made, counts, wrong):
    environment = {**os.environ, "JUDGED": judge.secret}
    listed = subprocess.run([binary, "send", judge.provider, "--list"], capture_output=True, check=True, text=True)
    for event in listed.stdout.split():
        Listener.came.clear()
        url = f"http://{address}{judge.place}"
        command = [binary, "send", judge.provider, event, "--to", url, "--secret-env", "JUDGED"]
        subprocess.run(command, capture_output=True, check=True, env=environment)
        (request,) = Listener.came
        if not judge.takes(request, f"http://{address}"):
            wrong.append(f"{type(judge).__name__}: our {event} is refused: {request.__dict__}")
        counts["ours"] += 1
        place = made.randrange(len(request.body))
        # Another letter, which is another value however a form is written.
        letters = [at for at, byte in enumerate(request.body) if chr(byte).isalpha() and at >= place] or [0]
        changed = bytearray(request.body)
        changed[letters[0]] = ord("q") if changed[letters[0]] != ord("q") else ord("r")
        if judge.takes(Request(request.path, request.headers, bytes(changed)), f"http://{address}"):
            wrong.append(f"{type(judge).__name__}: our {event} is taken with another body")


def main() -> None:
    binary, gateway, cases, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    address = f"127.0.0.1:{listener.server_port}"
    made, wrong, all_counts = random.Random(seed), [], {}
    for judge in JUDGES:
        counts = {"taken": 0, "refused": 0, "ours": 0}
        theirs(judge, gateway, cases, made, counts, wrong)
        if type(judge) not in (Svix, TwilioJson):
            ours(judge, binary, address, made, counts, wrong)
        all_counts[type(judge).__name__] = counts
    listener.shutdown()
    print(json.dumps(all_counts))
    if wrong:
        sys.exit("\n".join(wrong[:20]))


main()
