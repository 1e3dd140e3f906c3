"""Delivers mail by clients that nobody here wrote, and by bytes where no client says what is wanted.

usage: mail_sender.py PORT TLS_PORT CERTIFICATE

Each way of delivering sends one message of its own to `support@in.example.com`. Prints one JSON object: for each way
the bytes that were sent, in base64, and the last reply where the client tells it.
"""

import asyncio
import base64
import json
import smtplib
import socket
import ssl
import sys

import aiosmtplib

port, tls_port, certificate = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
FROM, TO = "ann@example.org", "support@in.example.com"
sent: dict[str, dict] = {}


def context() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificate)


def message(way: str, lines: int = 20) -> bytes:
    """A message with the lines that senders stumble over: dots, a lone dot, a long one, no text at its end."""
    body = [".", "..", ".dot", f"sent by {way}", "x" * 900, "", "."] + [f"line {n}" for n in range(lines)]
    head = [f"From: Ann <{FROM}>", f"To: {TO}", f"Subject: {way}", f"Message-ID: <{way}@example.org>"]
    return "\r\n".join([*head, "", *body, ""]).encode()


def note(way: str, raw: bytes, reply: str) -> None:
    sent[way] = {"raw": base64.b64encode(raw).decode(), "reply": reply}


def by_smtplib(way: str, client: smtplib.SMTP) -> None:
    raw = message(way)
    if way == "smtplib-starttls":
        client.starttls(context=context())
    refused = client.sendmail(FROM, [TO], raw)
    client.quit()
    note(way, raw, "250" if not refused else str(refused))


async def by_aiosmtplib(way: str, **how) -> None:
    raw = message(way)
    refused, reply = await aiosmtplib.send(raw, sender=FROM, recipients=[TO], hostname="localhost", timeout=20, **how)
    note(way, raw, reply if not refused else str(refused))


class Wire:
    """A conversation by bytes."""

    def __init__(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.file = self.socket.makefile("rb")
        self.reply()

    def reply(self) -> str:
        while True:
            line = self.file.readline().decode()
            if line[3:4] != "-":
                return line.strip()

    def ask(self, data: bytes, replies: int = 1) -> str:
        self.socket.sendall(data)
        return [self.reply() for _ in range(replies)][-1]


def by_pipelining() -> None:
    """The whole envelope in one packet, and the next one right behind the message."""
    raw, wire = message("pipelining"), Wire()
    wire.ask(b"EHLO client.example\r\n")
    envelope = f"MAIL FROM:<{FROM}> SIZE={len(raw)}\r\nRCPT TO:<{TO}>\r\nDATA\r\n".encode()
    assert wire.ask(envelope, 3).startswith("354")
    stuffed = raw.replace(b"\r\n.", b"\r\n..")
    reply = wire.ask(stuffed + b".\r\nMAIL FROM:<>\r\nRSET\r\n")
    assert wire.reply().startswith("250") and wire.reply().startswith("250")
    wire.ask(b"QUIT\r\n")
    note("pipelining", raw, reply)


def by_chunking() -> None:
    """BDAT in three parts, cut where it hurts, without any dot stuffed."""
    raw, wire = message("chunking"), Wire()
    wire.ask(b"EHLO client.example\r\n")
    wire.ask(f"MAIL FROM:<{FROM}>\r\nRCPT TO:<{TO}>\r\n".encode(), 2)
    first, second = raw.index(b"\r\n.") + 1, len(raw) - 3
    for part in (raw[:first], raw[first:second]):
        assert wire.ask(f"BDAT {len(part)}\r\n".encode() + part).startswith("250")
    rest = raw[second:]
    reply = wire.ask(f"BDAT {len(rest)} LAST\r\n".encode() + rest)
    wire.ask(b"QUIT\r\n")
    note("chunking", raw, reply)


by_smtplib("smtplib", smtplib.SMTP("127.0.0.1", port, timeout=20))
by_smtplib("smtplib-starttls", smtplib.SMTP("localhost", port, timeout=20))
by_smtplib("smtplib-tls", smtplib.SMTP_SSL("localhost", tls_port, timeout=20, context=context()))
asyncio.run(by_aiosmtplib("aiosmtplib", port=port, start_tls=False))
asyncio.run(by_aiosmtplib("aiosmtplib-starttls", port=port, start_tls=True, tls_context=context()))
asyncio.run(by_aiosmtplib("aiosmtplib-tls", port=tls_port, use_tls=True, tls_context=context()))
by_pipelining()
by_chunking()
print(json.dumps(sent))
