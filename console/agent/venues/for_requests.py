"""The exceptions of requests, and of urllib3 inside them."""

from __future__ import annotations

import ssl
from collections.abc import Set
from types import CodeType
from typing import Final

import requests
from urllib3 import exceptions as urllib3
from urllib3.util import Retry

from console.agent.fence.ended import Ending, VenueErrors
from console.agent.venues.rules import answered, doubt, unsent

UNSENT: Final = (urllib3.NewConnectionError, urllib3.ConnectTimeoutError)
"""Raised before a request's first byte; no such host is one of the first."""

_INCREMENT: Final[CodeType] = Retry.increment.__code__


def errors(acts: Set[str]) -> VenueErrors:
    """What they mean.

    Args:
        acts: methods that act at the venue.
    """

    def judge(error: BaseException) -> Ending | None:
        if not isinstance(error, requests.RequestException):
            return None
        if isinstance(error, requests.HTTPError) and error.response is not None:
            return answered(error, error.response.status_code, _method(error), acts)
        if isinstance(error, requests.ConnectionError):
            return _connection(error, acts)
        if isinstance(error, ValueError | TypeError) and not isinstance(error, requests.JSONDecodeError):
            return None  # an address, a header or a body that can't be used is a defect
        return doubt(error)

    return VenueErrors("requests", judge, (requests.Session.send.__code__,))


def _connection(error: requests.ConnectionError, acts: Set[str]) -> Ending:
    inner = error.args[0] if error.args else None
    if not isinstance(inner, urllib3.MaxRetryError):
        by_hand = isinstance(error, requests.ConnectTimeout)  # requests itself gives it a reason
        return unsent(error, _method(error), acts) if by_hand else doubt(error)
    if not _never_left(inner.reason):
        return doubt(error)
    if _repeated(inner):
        return doubt(error, "it may have been sent before: it was repeated")
    return unsent(error, _method(error), acts)


def _never_left(reason: BaseException | None) -> bool:
    if isinstance(reason, urllib3.ProxyError):
        reason = reason.original_error
    if isinstance(reason, urllib3.SSLError):
        return any(isinstance(arg, ssl.SSLCertVerificationError) for arg in reason.args)
    return isinstance(reason, UNSENT)


def _repeated(error: urllib3.MaxRetryError) -> bool:
    """Whether an attempt before the last one may have been sent: urllib3 names the last alone, and its `Retry`, in the
    traceback, knows the others. Where it isn't there, nothing is proved."""
    trace = error.__traceback__
    while trace is not None:
        retry = trace.tb_frame.f_locals.get("self") if trace.tb_frame.f_code is _INCREMENT else None
        if isinstance(retry, Retry):
            return not all(_never_left(before.error) for before in retry.history)
        trace = trace.tb_next
    return True


def _method(error: requests.RequestException) -> str | None:
    return getattr(error.request, "method", None)
