from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from .gateway import Caller, Gateway, Proxy


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    started = Gateway(tmp_path)
    started.start()
    yield started
    started.kill()


@pytest_asyncio.fixture
async def caller(gateway: Gateway) -> AsyncIterator[Caller]:
    made = Caller(gateway)
    yield made
    await made.close()


@pytest_asyncio.fixture
async def proxy(gateway: Gateway) -> AsyncIterator[Proxy]:
    started = Proxy(gateway)
    await started.start()
    yield started
    await started.stop()
