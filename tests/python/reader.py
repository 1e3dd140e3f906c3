"""Reads a stream with the `websockets` package: sends a bearer token and nothing else.

usage: reader.py URL COUNT KEY

Prints the first frame and then COUNT event frames, one line of JSON each.
"""

import asyncio
import sys

import websockets


async def main() -> None:
    url, count, key = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    async with websockets.connect(url, additional_headers={"Authorization": f"Bearer {key}"}) as stream:
        for _ in range(count + 1):
            print(await asyncio.wait_for(stream.recv(), 30), flush=True)


asyncio.run(main())
