"""One HTTP/1.1 request as a simulated venue reads it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final, NamedTuple

MAX_BODY: Final = 64 * 1024
"""More bytes of a body are not read."""


class Request(NamedTuple):
    """What somebody asked.

    Args:
        method, target: as they were sent.
        headers: by their names in small letters.
        body: its bytes.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The next request of a connection; None where what was sent is none, or is too large.

    Raises:
        asyncio.IncompleteReadError: the connection ended before it was whole.
        asyncio.LimitOverrunError: its head has no end.
    """
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, _, rest = head.partition("\r\n")
    words = line.split(" ")
    headers = {
        name.strip().lower(): value.strip()
        for name, colon, value in (line.partition(":") for line in rest.split("\r\n"))
        if colon
    }
    length = headers.get("content-length", "0")
    if len(words) != 3 or not length.isdigit() or int(length) > MAX_BODY:
        return None
    return Request(words[0], words[1], headers, await reader.readexactly(int(length)))
