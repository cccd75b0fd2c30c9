"""Answers of models over HTTP, bounded in size and in time as a whole: a peer that trickles holds nobody."""

import asyncio

import httpx2

from mutx.kit.errors import Unavailable


async def answered(
    client: httpx2.AsyncClient, url: str, body: object, *, most: int, seconds: float | None = None
) -> bytes:
    """What a POST of `body` as JSON answers, at most `most` bytes, within `seconds`; None: the caller has a bound.

    Raises httpx2.HTTPError, TimeoutError, Unavailable.
    """
    content = bytearray()
    async with asyncio.timeout(seconds), client.stream("POST", url, json=body) as response:
        response.raise_for_status()
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > most:
                raise Unavailable("it answered with too much")
    return bytes(content)
