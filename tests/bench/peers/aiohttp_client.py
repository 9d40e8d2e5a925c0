"""A plain loop: so many coroutines, one session. No limits, no retries, nothing kept."""

import asyncio
import sys

import aiohttp
from figures import bodies, measured


async def main(url, path, in_flight):
    requests = bodies(path)
    connector = aiohttp.TCPConnector(limit=in_flight)
    async with aiohttp.ClientSession(connector=connector) as session:
        waiting = iter(requests)

        async def work(row):
            for body in waiting:
                async with session.post(url + "/chat/completions", json=body) as response:
                    answer = await response.json()
                    if response.status != 200 or not answer["choices"][0]["message"]["content"]:
                        row["failed"] += 1

        with measured(len(requests)) as row:
            await asyncio.gather(*(work(row) for _ in range(in_flight)))


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
