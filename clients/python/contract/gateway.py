"""The real program as a process, and a proxy before it that cuts and delays."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import threading
from collections import deque
from pathlib import Path
from typing import Any

import httpx

KEY = "a-key-of-the-contract"

CONFIGURATION = """
data_dir = "{data}"

[server]
listen = "{listen}"

[[api_key]]
name = "agent"
key = {{ insecure_inline = "{key}" }}
scopes = ["consume", "read", "admin", "emit"]

[[channel]]
id = "in"
type = "webhook"
provider = "none"
verify = "none"

[[subscription]]
name = "agent"
start = "earliest"
retry = {{ attempts = 100, first = "10ms", longest = "200ms" }}

[[subscription]]
name = "patient"
start = "earliest"
retry = {{ first = "10m", longest = "1h" }}

[[subscription]]
name = "read_only"
start = "earliest"
ack = "on_send"
{tables}
"""


def binary() -> Path:
    """The program under test, as `tests/clients/run` names it."""
    named = os.environ.get("HEADGATE_BINARY")
    if not named or not Path(named).is_file():
        raise FileNotFoundError(
            "HEADGATE_BINARY: expected the path of a built `headgate`; `tests/clients/run` sets it"
        )
    return Path(named)


class Gateway:
    """A gateway with its folder; it keeps its port over kills."""

    key = KEY

    def __init__(self, folder: Path, tables: str = "") -> None:
        self._folder = folder
        self._tables = tables
        self._listen = "127.0.0.1:0"
        self._process: subprocess.Popen[bytes] | None = None
        self.lines: deque[str] = deque(maxlen=200)
        self.address = ""
        self.mail_address = ""

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def start(self) -> None:
        """Starts it and waits until it listens."""
        path = self._folder / "headgate.toml"
        values = {"data": self._folder / "data", "listen": self._listen, "key": KEY}
        path.write_text(CONFIGURATION.format(**values, tables=self._tables))
        command = [str(binary()), "serve", "--config", str(path)]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.lines.append(line.decode())
            said = json.loads(line)
            if said.get("message") == "listening":
                self.address = self._listen = said["address"]
                self.mail_address = said.get("mail_address", "")
                break
        else:
            raise RuntimeError("headgate did not start: " + "".join(self.lines))
        threading.Thread(target=self._drain, args=(self._process,), daemon=True).start()

    def post(self, path: str, body: Any) -> None:
        """Sends JSON as a stranger would."""
        httpx.post(self.url + path, json=body).raise_for_status()

    def kill(self) -> None:
        """Kills it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Asks it to stop."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(how)
            process.wait(30)

    def _drain(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        with process.stderr as log:
            for line in log:
                self.lines.append(line.decode())


class Caller:
    """What a sender and an operator say to a gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        headers = {"Authorization": f"Bearer {KEY}"}
        self._http = httpx.AsyncClient(headers=headers, timeout=30)

    async def send(self, body: Any) -> str:
        """Sends a webhook until it is stored; answers its id."""
        while True:
            try:
                url = f"{self._gateway.url}/v1/webhook/in"
                answer = await self._http.post(url, json=body)
                if answer.status_code == httpx.codes.OK:
                    return str(answer.json()["id"])
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.02)

    async def send_many(self, count: int, first: int = 0) -> list[str]:
        """Sends numbered webhooks, 32 at a time."""
        places = asyncio.Semaphore(32)

        async def one(number: int) -> str:
            async with places:
                return await self.send({"number": number})

        return list(await asyncio.gather(*(one(n) for n in range(first, first + count))))

    async def read(self, path: str) -> Any:
        answer = await self._http.get(self._gateway.url + path)
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer.json()

    async def ask(self, path: str, body: Any) -> Any:
        answer = await self._http.post(self._gateway.url + path, json=body)
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer.json()

    async def subscription(self) -> Any:
        return await self.read("/v1/subscriptions/agent")

    async def until_settled(self) -> None:
        """Waits until nothing is unsettled."""
        for _ in range(600):
            status = await self.subscription()
            if status["lag"] == 0 and status["in_flight"] == 0:
                return
            await asyncio.sleep(0.05)
        raise TimeoutError(f"it is never settled: {status}")

    async def metric(self, name: str) -> float:
        """The sum of a metric over its labels."""
        answer = await self._http.get(self._gateway.url + "/metrics")
        lines = (line.rpartition(" ") for line in answer.text.splitlines())
        return sum(float(value) for labels, _, value in lines if labels.startswith(name))

    async def close(self) -> None:
        await self._http.aclose()


class Proxy:
    """A line to a gateway that can be cut, delayed, closed, and made to refuse upgrades."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.delay = 0.0
        self.is_open = True
        self.upgrades = True
        self.url = ""

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()[:2]
        self.url = f"http://{host}:{port}"

    def cut(self) -> None:
        """Cuts every connection where it is."""
        for writer in tuple(self._writers):
            writer.transport.abort()

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self.cut()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        away: asyncio.StreamWriter | None = None
        try:
            first = await reader.read(1 << 16)
            if not self.is_open:
                return
            if not self.upgrades and b"upgrade: websocket" in first.lower():
                writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
                await writer.drain()
                return
            host, port = self._gateway.address.split(":")
            back, away = await asyncio.open_connection(host, int(port))
            self._writers.add(away)
            away.write(first)
            await asyncio.gather(self._pump(reader, away), self._pump(back, writer))
        except OSError:
            pass
        finally:
            for one in (writer, away):
                if one is not None:
                    self._writers.discard(one)
                    one.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            if self.delay:
                await asyncio.sleep(self.delay)
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError("one side closed")
