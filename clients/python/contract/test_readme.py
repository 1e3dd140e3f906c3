"""The quick start of the README, run as it stands there."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from .gateway import Gateway

README = Path(__file__).parents[3] / "README.md"

DEMO = """
[[channel]]
id = "demo"
type = "webhook"
provider = "none"
verify = "none"

[[subscription]]
name = "demo"
channels = ["demo"]
start = "earliest"
"""


async def test_the_quick_start_prints_what_comes_and_ends_when_it_is_asked(
    tmp_path: Path,
) -> None:
    text = README.read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    gateway = Gateway(tmp_path, DEMO)
    gateway.start()
    try:
        script = tmp_path / "quick_start.py"
        script.write_text(program.replace("127.0.0.1:8080", gateway.address))
        await asyncio.to_thread(run_once, script, gateway)
    finally:
        gateway.kill()


def run_once(script: Path, gateway: Gateway) -> None:
    """Starts it, waits for its first line about what is sent, and asks it to end."""
    environment = {**os.environ, "HEADGATE_KEY": gateway.key}
    running = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        gateway.post("/v1/webhook/demo", {"title": "Printer on fire"})
        assert running.stdout is not None
        assert any("Printer on fire" in line for line in running.stdout)
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 0
    finally:
        running.kill()
        running.communicate()
