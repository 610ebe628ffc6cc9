"""A venue over real HTTP that fails as venues do, at the turn of a switch; it counts what it executed.

`python -m console.demo.faulty --key KEY` prints its port; `POST /_faults` with `{"fault": "slow", "path": "/v1"}` turns
a switch, an empty fault turns all of them off, `GET /_counts` tells what was executed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from enum import StrEnum
from typing import Any, Final, Self

from console.demo import leash
from console.demo.holdings import Holdings
from console.demo.requests import read_request

BIG: Final = 50 * 1024 * 1024


class Fault(StrEnum):
    """What may go wrong; the last ones are about what it says, not how."""

    TIMEOUT_AFTER_COMMIT = "time-out after commit"
    """It is carried out, and never answered."""
    CUT = "cut off"
    RESET_AT = "429 with reset_at"
    RETRY_AFTER = "429 with Retry-After"
    UNAUTHORISED = "401"
    SERVER_ERROR = "5xx"
    SLOW = "slow"
    """One byte at a time, without end."""
    MALFORMED = "malformed JSON"
    NOT_A_NUMBER = "NaN"
    EMPTY = "empty body"
    BIG_BODY = "50 MB body"
    BIG_LENGTH = "50 MB announced"
    COMPRESSED = "compressed"
    REDIRECT = "redirect elsewhere"
    CACHED = "from a cache"
    UNHEALTHY = "unhealthy"
    ECHO = "echoes the key"
    CLOCK_SKEW = "clock skew"
    STALE_SOURCE = "stale source"
    NULL_POSITION = "null position id"
    DRIFTED = "drifted balance"
    MONITOR_STOPPED = "stopped order monitor"
    EARLY_SWEEP = "early sweep"
    LATE_SWEEP = "late sweep"
    REFUND = "refund at time-out"
    RELEASE = "release at time-out"


class FaultyVenue:
    """The venue; a context manager that serves it from a thread of its own, on loopback.

    Args:
        key: the one key that is let in.
    """

    def __init__(self, key: str = "sk_live_0123456789abcdef") -> None:
        self.key = key
        self.skew = timedelta(0)
        self.holdings = Holdings(lambda: datetime.now(UTC) + self.skew)
        self.faults: dict[Fault, str] = {}
        """Fault → the beginning of the paths that have it."""
        self.received: Counter[str] = Counter()
        """Method and path → how many requests arrived."""
        self.sent_bytes = 0
        self.port = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def turn(self, fault: Fault | str, path: str = "/") -> None:
        """Turn a switch on, for all paths with that beginning; an empty fault turns all off."""
        if not fault:
            self.faults, self.skew, self.holdings.drift = {}, timedelta(0), Decimal(0)
            self.holdings.source, self.holdings.monitor = "hyperliquid", True
            return
        known, holdings = Fault(fault), self.holdings
        self.faults[known] = path
        match known:
            case Fault.CLOCK_SKEW:
                self.skew = timedelta(minutes=10)
            case Fault.STALE_SOURCE:
                holdings.source = "database"
            case Fault.NULL_POSITION:
                holdings.add_position(None, "DOGE")
            case Fault.DRIFTED:
                holdings.drift = Decimal("-12.34")
            case Fault.MONITOR_STOPPED:
                holdings.monitor = False
            case Fault.EARLY_SWEEP | Fault.RELEASE | Fault.REFUND:
                holdings.sweep_s = -1e9
                holdings.pays = "creator" if known is Fault.REFUND else "counterparty"
                if known is not Fault.EARLY_SWEEP:
                    self._age_escrows()
            case Fault.LATE_SWEEP:
                holdings.sweep_s = 1e9
                self._age_escrows()

    def _age_escrows(self) -> None:
        for one in self.holdings.escrows.values():
            one.release_at -= timedelta(days=40)

    # -- serving -------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(ready.set)), daemon=True)
        self._thread.start()
        ready.wait(10)
        return self

    def __exit__(self, *_left: object) -> None:
        assert self._loop is not None
        assert self._thread is not None
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    async def _run(self, ready: Callable[[], object]) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        server = await asyncio.start_server(self._converse, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        ready()
        await self._over.wait()
        server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def serve(self) -> None:
        """Listen on a free port, print it as one line, and serve until cancelled."""
        await self._run(lambda: os.write(1, f"{self.port}\n".encode()))

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            ended = (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError)
            with contextlib.suppress(*ended):  # cancelled it is at the end of all, and ends by that
                while await self._one(reader, writer):
                    pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request; whether the connection is kept."""
        asked = await read_request(reader)
        if asked is None:
            return False
        path, _, query = asked.target.partition("?")
        self.received[f"{asked.method} {path}"] += 1
        return await self._answer(writer, asked.method, path, query, asked.headers, asked.body)

    def _has(self, fault: Fault, path: str) -> bool:
        return fault in self.faults and path.startswith(self.faults[fault])

    async def _answer(
        self, writer: asyncio.StreamWriter, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> bool:
        if path.startswith("/_"):
            return await self._control(writer, path, body)
        if self._has(Fault.RESET_AT, path):
            reset = (datetime.now(UTC) + timedelta(seconds=90)).isoformat()
            return await self._send(writer, 429, {"error": "rate_limit_exceeded", "reset_at": reset})
        if self._has(Fault.RETRY_AFTER, path):
            return await self._send(writer, 429, {"error": "rate_limit_exceeded"}, {"Retry-After": "90"})
        if self._has(Fault.SERVER_ERROR, path):
            return await self._send(writer, 503, {"error": "unavailable"})
        if self._has(Fault.REDIRECT, path):
            return await self._send(writer, 302, {}, {"Location": f"{self.url}/elsewhere"})
        if self._has(Fault.CUT, path):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            await writer.drain()
            return False
        given = headers.get("authorization", "").removeprefix("Bearer ")
        let_in = path == "/health" or secrets.compare_digest(given.encode(), self.key.encode())
        if self._has(Fault.UNAUTHORISED, path) or not let_in:
            words = f"the key {given} is wrong" if self._has(Fault.ECHO, path) else "the key is wrong"
            return await self._send(writer, 401, {"error": "unauthorized", "message": words})
        if self._has(Fault.ECHO, path):
            return await self._send(writer, 400, {"error": "bad_request", "message": f"you sent {given}"})
        status, document = self._carry_out(method, path, query, body)
        if self._has(Fault.TIMEOUT_AFTER_COMMIT, path):
            await self._over.wait()
            return False
        return await self._spoilt(writer, path, status, document)

    def _carry_out(self, method: str, path: str, query: str, body: bytes) -> tuple[int, Mapping[str, Any]]:
        if path == "/health":
            database = "disconnected" if self._has(Fault.UNHEALTHY, path) else "connected"
            return 200, {"status": "ok", "service": "simulated", "database": database}
        try:
            parsed = json.loads(body or b"{}")
        except ValueError:
            return 400, {"error": "invalid_request", "message": "The body is no JSON."}
        answer = self.holdings.answer(method, path, query, parsed if isinstance(parsed, dict) else {})
        return answer or (404, {"error": "not_found", "message": f"There is nothing at {path[:80]}."})

    async def _spoilt(self, writer: asyncio.StreamWriter, path: str, status: int, document: Mapping[str, Any]) -> bool:
        if self._has(Fault.MALFORMED, path):
            return await self._raw(writer, status, b'{"balance_usd": 10')
        if self._has(Fault.EMPTY, path):
            return await self._raw(writer, status, b"")
        if self._has(Fault.NOT_A_NUMBER, path):
            return await self._raw(writer, status, b'{"balance_usd": NaN, "available": NaN, "status": NaN}')
        if self._has(Fault.COMPRESSED, path):
            return await self._raw(writer, status, b"\x1f\x8b", {"Content-Encoding": "gzip"})
        if self._has(Fault.CACHED, path):
            return await self._send(writer, status, document, {"Age": "120"})
        if self._has(Fault.BIG_LENGTH, path):
            return await self._raw(writer, status, b"[", {}, BIG)
        if self._has(Fault.BIG_BODY, path) or self._has(Fault.SLOW, path):
            slow = self._has(Fault.SLOW, path)
            writer.write(self._head(status, {}) + b"Connection: close\r\n\r\n[")
            chunk = b" " if slow else b" " * 65_536
            for _ in range(BIG // len(chunk)):
                writer.write(chunk)
                await writer.drain()
                self.sent_bytes += len(chunk)
                await asyncio.sleep(0.02 if slow else 0)
            return False
        return await self._send(writer, status, document)

    async def _control(self, writer: asyncio.StreamWriter, path: str, body: bytes) -> bool:
        if path == "/_faults":
            wanted = json.loads(body)
            self.turn(wanted.get("fault", ""), wanted.get("path", "/"))
        counts = {"executions": dict(self.holdings.executions), "received": dict(self.received)}
        return await self._send(writer, 200, {**counts, "falls": self.holdings.falls, "signs": self.holdings.signs})

    def _head(self, status: int, headers: Mapping[str, str]) -> bytes:
        date = format_datetime(datetime.now(UTC) + self.skew, usegmt=True)
        every = {"Content-Type": "application/json", "Date": date, "X-RateLimit-Remaining": "42", **headers}
        return f"HTTP/1.1 {status} .\r\n".encode() + "".join(f"{k}: {v}\r\n" for k, v in every.items()).encode()

    async def _send(
        self,
        writer: asyncio.StreamWriter,
        status: int,
        document: Mapping[str, Any],
        headers: Mapping[str, str] | None = None,
    ) -> bool:
        return await self._raw(writer, status, json.dumps(document).encode(), headers)

    async def _raw(
        self,
        writer: asyncio.StreamWriter,
        status: int,
        payload: bytes,
        headers: Mapping[str, str] | None = None,
        length: int | None = None,
    ) -> bool:
        length_line = {"Content-Length": str(len(payload) if length is None else length)}
        writer.write(self._head(status, {**length_line, **(headers or {})}) + b"\r\n" + payload)
        await writer.drain()
        return length is None


def main() -> None:
    """`python -m console.demo.faulty --key KEY`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--key", required=True)
    parser.add_argument("--leash", default="")
    given = parser.parse_args()
    leash.hold(given.leash)
    asyncio.run(FaultyVenue(given.key).serve())


if __name__ == "__main__":
    main()
