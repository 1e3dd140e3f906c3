"""The quick starts of both READMEs, run as they stand there."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .gateway import Gateway

PACKAGE = Path(__file__).parents[1]
READMES = [PACKAGE.parents[1] / "README.md", PACKAGE / "README.md"]

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


@pytest.mark.parametrize("readme", READMES, ids=["project", "package"])
async def test_the_quick_start_prints_what_comes_and_ends_when_it_is_asked(
    readme: Path, tmp_path: Path
) -> None:
    program = shown_by(readme)
    gateway = Gateway(tmp_path, DEMO)
    gateway.start()
    try:
        script = tmp_path / "quick_start.py"
        script.write_text(program.replace("127.0.0.1:8080", gateway.address))
        await asyncio.to_thread(run_once, script, gateway)
    finally:
        gateway.kill()


def shown_by(readme: Path) -> str:
    text = readme.read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    return str(program)


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
