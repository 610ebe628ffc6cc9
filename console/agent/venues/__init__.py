"""What the exceptions of HTTP clients mean for an action: `Settings(venue=venues.httpx())`.

| what happened | how the action ends |
|---|---|
| refused, no such host, bad certificate, time-out while connecting or waiting for a connection | not sent |
| 425, 429: turned away unread | not sent: the same key may try again |
| 401, 403 | refused, and a critical trigger: authentication failure |
| any other 4xx but 408 and 409 | refused |
| 408, 409, 5xx, an odd status, a time-out after connecting, a lost connection, a broken answer | in doubt |

*Not sent* and *refused* take proof. An error of a GET proves nothing of an action, nor does one after the client itself
had repeated the request; those leave the action in doubt. So does one that shows that it came while the doubt of an
earlier request was being handled, but not every one shows it (aiohttp's seldom do), and an error that the author kept
to himself shows in none. One action is one request: who repeats one inside a block must say himself how it ended.

Each client is imported when its mapping is asked for; the library needs none of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Final

from console.agent.fence.ended import VenueErrors
from console.domain.errors import UsageError

__all__ = ["ACTS", "VenueErrors", "aiohttp", "httpx", "requests"]

ACTS: Final = ("POST", "PUT", "PATCH", "DELETE")
"""Methods that act; the others look something up (RFC 9110, section 9.2.1)."""


def httpx(*, acts: Iterable[str] = ACTS) -> VenueErrors:
    """Those of httpx, blocking and asyncio.

    Args:
        acts: methods that act at this venue; errors of others leave an action in doubt.

    Raises:
        UsageError: httpx is not installed.
    """
    return _ready("httpx", acts)


def aiohttp(*, acts: Iterable[str] = ACTS) -> VenueErrors:
    """Those of aiohttp.

    Args:
        acts: see `httpx`.

    Raises:
        UsageError: aiohttp is not installed.
    """
    return _ready("aiohttp", acts)


def requests(*, acts: Iterable[str] = ACTS) -> VenueErrors:
    """Those of requests.

    Args:
        acts: see `httpx`.

    Raises:
        UsageError: requests is not installed.
    """
    return _ready("requests", acts)


def _ready(library: str, acts: Iterable[str]) -> VenueErrors:
    try:
        client = import_module(f"console.agent.venues.for_{library}")
    except ModuleNotFoundError as error:
        if error.name != library:  # it is there, and something that it needs is not
            raise
        raise UsageError(
            f"venues.{library}() needs the package {library}, which is not installed here.",
            f"Install it beside the agent (pip install {library}), or leave Settings.venue out.",
        ) from error
    methods = frozenset(method.upper() for method in acts)
    errors: VenueErrors = client.errors(methods)
    return errors
