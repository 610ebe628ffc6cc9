"""A bounded GET for gates: one time-out for the whole answer, one limit for its size, no redirect."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import httpx

from console.domain.errors import ConsoleError

MAX_BYTES: Final = 1 << 20


class Answer(NamedTuple):
    """What an address answered: the status, and the body."""

    status: int
    body: bytes


async def get(url: str, timeout_s: float) -> Answer:
    """The answer of an address.

    Args:
        url: where.
        timeout_s: for each wait on the network; whoever calls bounds the whole.

    Raises:
        ConsoleError: it can't be reached, or answers more than `MAX_BYTES`.
        TimeoutError: it was too slow.
    """
    try:
        async with (
            httpx.AsyncClient(timeout=timeout_s, follow_redirects=False, trust_env=False) as client,
            client.stream("GET", url) as response,
        ):
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise ConsoleError(f"it answers more than {MAX_BYTES} bytes")
            return Answer(response.status_code, bytes(body))
    except httpx.TimeoutException as error:
        raise TimeoutError(str(error)) from error
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        raise ConsoleError(f"it can't be read: {type(error).__name__}") from error


def at_pointer(document: Any, pointer: str) -> Any:
    """What stands at a JSON pointer (RFC 6901).

    Raises:
        LookupError: nothing does.
    """
    if not pointer:
        return document
    if not pointer.startswith("/"):
        raise LookupError(f"{pointer!r} is no JSON pointer")
    for part in pointer[1:].split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(document, list) and name.isascii() and name.isdigit() and len(name) < 10:
            document = document[int(name)]
        elif isinstance(document, dict):
            document = document[name]
        else:
            raise LookupError(name)
    return document
