"""The exceptions of httpx."""

from __future__ import annotations

from collections.abc import Set
from typing import Final

import httpx

from console.agent.fence.ended import Ending, VenueErrors
from console.agent.venues.rules import answered, doubt, unsent

UNSENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
"""Raised before a request's first byte: TLS belongs to connecting, and a proxy refuses before it passes anything on."""


def errors(acts: Set[str]) -> VenueErrors:
    """What they mean.

    Args:
        acts: methods that act at the venue.
    """

    def judge(error: BaseException) -> Ending | None:
        if isinstance(error, httpx.HTTPStatusError):
            return answered(error, error.response.status_code, _method(error), acts)
        if isinstance(error, UNSENT):
            return unsent(error, _method(error), acts)
        return doubt(error) if isinstance(error, httpx.HTTPError) else None

    return VenueErrors("httpx", judge, (httpx.Client.send.__code__, httpx.AsyncClient.send.__code__))


def _method(error: httpx.HTTPError) -> str | None:
    try:
        return error.request.method
    except RuntimeError:  # raised without a client: by a transport, or by hand
        return None
