"""The exceptions of aiohttp.

Its connection errors don't say what they belong to, and it repeats idempotent requests on its own when a kept
connection breaks: a PUT may have been executed when the second attempt can't connect. Both are read where they are
known, in the variables of the session's method in the traceback; where those can't be read, nothing is proved.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from types import CodeType
from typing import Any, Final

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from console.agent.fence.ended import Ending, VenueErrors
from console.agent.venues.rules import answered, doubt, unsent

UNSENT: Final = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ServerFingerprintMismatch)
"""Raised before a request's first byte; the total time-out is another one, a plain TimeoutError."""
NEVER_REPEATED: Final = frozenset({"POST", "PATCH"})

_REQUEST: Final[CodeType] = aiohttp.ClientSession._request.__code__
_HAS_MIDDLEWARES: Final = "middlewares" in _REQUEST.co_varnames


def errors(acts: Set[str]) -> VenueErrors:
    """What they mean.

    Args:
        acts: methods that act at the venue.
    """

    def judge(error: BaseException) -> Ending | None:
        if isinstance(error, aiohttp.ClientHttpProxyError):  # the proxy's status, before anything was passed on
            return _unsent(error, acts)
        if isinstance(error, aiohttp.ClientResponseError):
            if isinstance(error.__cause__, HttpProcessingError):  # its status 400 is ours: the answer can't be read
                return doubt(error)
            return answered(error, error.status, error.request_info.method, acts)
        if isinstance(error, UNSENT):
            return _unsent(error, acts)
        # An address that can't be used is a defect, unlike the weather between here and the venue.
        return doubt(error) if isinstance(error, aiohttp.ClientError) and not isinstance(error, ValueError) else None

    return VenueErrors("aiohttp", judge, (_REQUEST,))


def _unsent(error: BaseException, acts: Set[str]) -> Ending:
    request = _variables(error)
    method = request.get("method")
    if not isinstance(method, str):
        return doubt(error, "nothing tells of which request")
    if request.get("effective_middlewares", _HAS_MIDDLEWARES):
        return doubt(error, "a middleware may have sent it before")
    if method.upper() in NEVER_REPEATED or method.upper() not in acts:
        return unsent(error, method, acts)
    if request.get("retry_persistent_connection") is not True:
        return doubt(error, f"aiohttp may have sent the {method} before")
    return unsent(error, method, acts)


def _variables(error: BaseException) -> Mapping[str, Any]:
    """Those of the session's method which an exception has left; empty if it left none."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code is _REQUEST:
            return trace.tb_frame.f_locals
        trace = trace.tb_next
    return {}
