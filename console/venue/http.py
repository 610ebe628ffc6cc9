"""One request to a venue: a JSON document, or why there is none. Every failure has a name; none is waited for long.

No redirect is followed, no proxy or password file of the environment is used, no cookie is kept, nothing compressed is
unpacked, and no more is read than the document allows.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Final, NamedTuple, NoReturn

import httpx

from console import __version__
from console.domain.text import Safe
from console.domain.venue.reading import Why
from console.domain.venue.values import MISSING, at_pointer, moment_of
from console.venue.addresses import filled
from console.venue.rates import Allowed, Rates
from console.venue.setup import Venue

ERROR_BYTES: Final = 16_384
"""Of a refusal that are read, for its reason."""
_EVERY: Final = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "Cache-Control": "no-cache, no-store",
    "Pragma": "no-cache",
    "User-Agent": f"agent-console/{__version__}",
}


class Request(NamedTuple):
    """What is asked.

    Args:
        service, path: where; `values` fill the path's places.
        rate: the class of requests that it counts for.
        timeout_s: for the whole answer; None for the venue's own.
        method, body: how, and the JSON that is sent.
        with_key: whether our key goes with it.
    """

    service: str
    path: str
    rate: str = "default"
    timeout_s: float | None = None
    values: Mapping[str, str] = {}
    method: str = "GET"
    body: Mapping[str, Any] | None = None
    with_key: bool = True


class Answer(NamedTuple):
    """What came of it.

    Args:
        at: when it was complete, or given up.
        took_ms: since it was sent.
        source: method and address.
        document: parsed JSON, where there is any.
        headers: of the answer.
        why, detail, until: why there is none; see `Reading`.
    """

    at: datetime
    took_ms: float
    source: Safe
    document: Any = None
    headers: Mapping[str, str] = {}
    why: Why | None = None
    detail: Safe = Safe("")
    until: datetime | None = None


class _Failed(Exception):  # noqa: N818 - it never leaves this file
    def __init__(self, why: Why, detail: str = "", until: datetime | None = None) -> None:
        super().__init__(detail)
        self.why, self.detail, self.until = why, detail, until


class Asker:
    """Sends requests to one venue, so many at a time as its document allows.

    Args:
        venue: which.
        agent: whose, for the places and headers that name it.
    """

    def __init__(self, venue: Venue, agent: str) -> None:
        document = venue.document
        self._venue, self._agent = venue, agent
        self._pace = document.pace
        self._clock_s = venue.rules.tolerances.clock_s
        self._gate = asyncio.Semaphore(self._pace.at_once)
        self._rates = Rates({name: Allowed(rate.requests, rate.per_s) for name, rate in document.rates.items()})
        self._http: httpx.AsyncClient | None = None

    async def ask(self, request: Request, now: datetime) -> Answer:
        """Send a request; never raises for anything that a venue does.

        Args:
            request: what is asked.
            now: the time now, aware UTC.
        """
        began = time.monotonic()
        base = self._venue.document.services[request.service].url
        source = self._venue.secret.hide(f"{request.method} {base}{request.path}", 200)

        def at() -> datetime:
            return now + timedelta(seconds=time.monotonic() - began)

        def answer(**more: Any) -> Answer:
            return Answer(at(), round((time.monotonic() - began) * 1000, 3), source, **more)

        try:
            url = base + filled(request.path, {"agent": self._agent, **request.values})
            source = self._venue.secret.hide(f"{request.method} {url}", 200)
            async with self._gate, asyncio.timeout(request.timeout_s or self._pace.timeout_s):
                self._count(request.rate, at())
                document, headers = await self._exchange(request, url, at)
        except _Failed as failed:
            return answer(why=failed.why, detail=self._venue.secret.hide(failed.detail), until=failed.until)
        except (TimeoutError, httpx.TimeoutException):
            limit = request.timeout_s or self._pace.timeout_s
            return answer(why=Why.TIMEOUT, detail=Safe(f"no whole answer within {limit:g} s"))
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, UnicodeError) as error:
            return answer(why=Why.UNREACHABLE, detail=self._venue.secret.hide(f"{type(error).__name__}: {error}"))
        except ValueError as error:
            return answer(why=Why.MALFORMED, detail=self._venue.secret.hide(error))
        return answer(document=document, headers=headers)

    async def aclose(self) -> None:
        """Close every connection."""
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    def _count(self, rate: str, now: datetime) -> None:
        until = self._rates.take(rate, now)
        if until is not None:
            raise _Failed(Why.RATE_LIMITED, "not sent: it would be more than is allowed by now", until)

    async def _exchange(self, request: Request, url: str, at: Any) -> tuple[Any, Mapping[str, str]]:
        if self._http is None:
            self._http = httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=self._pace.timeout_s)
        sent = self._http.build_request(request.method, url, headers=self._headers(request.with_key), json=request.body)
        response = await self._http.send(sent, stream=True)
        try:
            await self._check_status(response, request, at)
            self._check_origin(response, at())
            raw = await _body(response, self._pace.most_bytes)
        finally:
            self._http.cookies.clear()
            await response.aclose()
        document = None if not raw and request.method != "GET" else _parsed(raw)
        return document, {name.lower(): value for name, value in response.headers.items()}

    def _headers(self, with_key: bool) -> dict[str, str]:
        document = self._venue.document
        own = {name: value.replace("{agent}", self._agent) for name, value in document.headers.items()}
        auth = document.auth
        key = {auth.header: auth.prefix + self._venue.secret.reveal()} if auth and with_key else {}
        return {**_EVERY, **own, **key}

    async def _check_status(self, response: httpx.Response, request: Request, at: Any) -> None:
        status = response.status_code
        if 200 <= status < 300:
            return
        if 300 <= status < 400:
            where = response.headers.get("location", "nowhere")
            raise _Failed(Why.REDIRECTED, f"status {status} points to {where}; nothing was sent there")
        document = await _error_of(response)
        words = f"status {status}" + (f": {document}" if isinstance(document, str) else _error_words(document))
        if status == 429:
            now = at()
            raise _Failed(Why.RATE_LIMITED, words, self._rates.hold(request.rate, _until(response, document, now), now))
        if status in (401, 403):
            raise _Failed(Why.UNAUTHORISED, words)
        if status in (408, 504):
            raise _Failed(Why.TIMEOUT, words)
        raise _Failed(Why.SERVER_ERROR if status >= 500 or status < 200 else Why.REFUSED, words)

    def _check_origin(self, response: httpx.Response, now: datetime) -> None:
        """Neither a cache, nor a clock of which the times would mean nothing."""
        age = response.headers.get("age", "0").strip()
        if age != "0":
            raise _Failed(Why.STALE_SOURCE, f"a cache answered, with something {age} s old")
        if "date" in response.headers:
            its_time = _http_date(response.headers["date"])
            if its_time is None:
                raise _Failed(Why.MALFORMED, "its Date is no time")
            apart_s = (its_time - now).total_seconds()
            if abs(apart_s) > self._clock_s:
                raise _Failed(Why.CLOCK_SKEW, f"the venue's clock is {apart_s:+.0f} s from ours")


async def _body(response: httpx.Response, most: int) -> bytes:
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise _Failed(Why.MALFORMED, "it is compressed, although we asked that it is not")
    length = response.headers.get("content-length", "")
    if length.isdigit() and (len(length) > 15 or int(length) > most):
        raise _Failed(Why.TOO_LARGE, f"it has {length} bytes; {most} are allowed")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > most:
            raise _Failed(Why.TOO_LARGE, f"it has more than {most} bytes; the rest was not read")
    return bytes(body)


async def _error_of(response: httpx.Response) -> Any:
    """What a refusal says, parsed where it is JSON; nothing where it can't be read."""
    try:
        return _parsed(await _body(response, ERROR_BYTES))
    except _Failed:
        return None


def _error_words(document: Any) -> str:
    words = [document[name] for name in ("error", "message") if isinstance(document, dict) and name in document]
    return ": " + "; ".join(str(word)[:200] for word in words) if words else ""


def _until(response: httpx.Response, document: Any, now: datetime) -> datetime | None:
    """Until when it was too often: `Retry-After` in seconds or as a date, or `reset_at` in the body."""
    after = response.headers.get("retry-after", "").strip()
    if after.isascii() and after.isdigit() and len(after) < 10:
        return now + timedelta(seconds=int(after))
    if after and (at := _http_date(after)) is not None:
        return at
    reset = at_pointer(document, "/reset_at")
    try:
        return None if reset is MISSING else moment_of(reset)
    except ValueError:
        return None


def _http_date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(
            raw.decode("utf-8"), parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_unambiguous
        )
    except RecursionError as error:
        raise _Failed(Why.MALFORMED, "it is nested too deeply") from error
    except (ValueError, ArithmeticError) as error:
        raise _Failed(Why.MALFORMED, f"it is no JSON: {error}") from error


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object in which a name stands twice means two things, and so nothing."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name stands twice in an object")
    return made
