"""One request with each HTTP client, as an agent's author would send it, and the exception that it ends with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import aiohttp
import httpx
import requests

from console.agent import VenueErrors, venues

WAIT_S: Final = 0.3
"""How long a request waits where nothing will come; anywhere else, long enough for a busy machine."""
BODY: Final = {"side": "buy", "qty": "0.5"}
Send = Callable[[str, str], None]


def waits(url: str) -> tuple[float, float]:
    """How long to wait for a connection, and for an answer, in seconds."""
    return WAIT_S if url.endswith("/full") else 30, WAIT_S if url.endswith("/hang") else 30


def httpx_timeout(url: str) -> httpx.Timeout:
    connect_s, read_s = waits(url)
    return httpx.Timeout(30, connect=connect_s, read=read_s)


def aiohttp_timeout(url: str) -> aiohttp.ClientTimeout:
    connect_s, read_s = waits(url)
    return aiohttp.ClientTimeout(connect=connect_s, sock_read=read_s)


def by_httpx(method: str, url: str) -> None:
    """Blocking."""
    with httpx.Client(timeout=httpx_timeout(url), follow_redirects=True, trust_env=False) as client:
        client.request(method, url, json=BODY).raise_for_status()


def by_async_httpx(method: str, url: str) -> None:
    """With asyncio."""

    async def send() -> None:
        async with httpx.AsyncClient(timeout=httpx_timeout(url), follow_redirects=True, trust_env=False) as client:
            (await client.request(method, url, json=BODY)).raise_for_status()

    asyncio.run(send())


def by_aiohttp(method: str, url: str) -> None:
    """A time-out for each step, as its authors advise for what must not end in the middle."""

    async def send() -> None:
        async with (
            aiohttp.ClientSession(timeout=aiohttp_timeout(url)) as session,
            session.request(method, url, json=BODY) as response,
        ):
            response.raise_for_status()
            await response.read()

    asyncio.run(send())


def by_aiohttp_in_all(method: str, url: str) -> None:
    """One time-out for everything, which is raised as a plain TimeoutError."""

    async def send() -> None:
        timeout = aiohttp.ClientTimeout(total=WAIT_S)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.request(method, url, json=BODY) as response,
        ):
            response.raise_for_status()
            await response.read()

    asyncio.run(send())


def by_requests(method: str, url: str) -> None:
    """With a session's defaults."""
    with requests.Session() as session:
        session.trust_env = False
        session.request(method, url, json=BODY, timeout=waits(url)).raise_for_status()


CLIENTS: Final[dict[str, tuple[Send, Callable[..., VenueErrors]]]] = {
    "httpx": (by_httpx, venues.httpx),
    "httpx.AsyncClient": (by_async_httpx, venues.httpx),
    "aiohttp": (by_aiohttp, venues.aiohttp),
    "requests": (by_requests, venues.requests),
}


def error_of(send: Callable[[], object]) -> Exception:
    """What it ends with."""
    try:
        send()
    except Exception as error:
        return error
    raise AssertionError("it ended well")
