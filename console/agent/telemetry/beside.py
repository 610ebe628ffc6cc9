"""The thread on which providers run, so that no action waits for one; and OpenTelemetry itself, where it is there."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from queue import SimpleQueue
from typing import Any, Final, NamedTuple

from console.agent.plain_secrets import logger

MOST_WAITING: Final = 4096
"""Ends of spans and log records that wait for a provider; what comes beyond is dropped."""
LAST_S: Final = 1.0
"""How long the end of the process waits for them."""
_log: Final = logger("console.agent")


class Api(NamedTuple):
    """The modules of `opentelemetry-api`."""

    trace: Any
    context: Any
    logs: Any


@cache
def api() -> Api | None:
    """OpenTelemetry, where it is installed; looked up once."""
    try:
        if find_spec("opentelemetry") is None or find_spec("opentelemetry.trace") is None:
            return None
        from opentelemetry import _logs, context, trace
    except Exception as error:  # noqa: BLE001 - a library that can't be imported traces nothing, and is named
        _log.warning("OpenTelemetry is not used: %s: %s", type(error).__name__, error)
        return None
    return Api(trace, context, _logs)


class _Beside:
    """Runs what providers do, in order, on a thread of its own."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.RLock()
        self._told: set[str] = set()
        self.dropped = 0
        """What had no room any more."""

    def put(self, work: Callable[[], object]) -> None:
        """Have it done; it never blocks, and never raises."""
        if self._queue.qsize() >= MOST_WAITING:
            self.dropped += 1
            self._tell("OpenTelemetry's exporter does not keep up: spans and log records are dropped")
            return
        self._queue.put(work)
        if self._thread is None or not self._thread.is_alive():
            self._begin()

    def flush(self, timeout_s: float) -> bool:
        """Wait until what waits now is done; whether it was."""
        done = threading.Event()
        self._queue.put(done.set)
        if self._thread is None or not self._thread.is_alive():
            self._begin()
        return done.wait(timeout_s)

    def failed(self, error: BaseException) -> None:
        """Say once of each kind of error that a provider fails."""
        self._tell(f"OpenTelemetry's provider fails: {type(error).__name__}: {error}")

    def _begin(self) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="ac-telemetry", daemon=True)
                try:
                    self._thread.start()
                except RuntimeError as error:  # the process ends, or has no room for a thread
                    self.failed(error)

    def _run(self) -> None:
        while True:
            work = self._queue.get()
            try:
                work()
            except Exception as error:  # noqa: BLE001 - a provider's failure is told and stands in nobody's way
                self.failed(error)

    def _tell(self, words: str) -> None:
        words = words[:300]
        if words not in self._told and len(self._told) < 16:
            self._told.add(words)
            _log.warning("%s", words)


_beside = _Beside()


def _forked() -> None:
    global _beside
    _beside = _Beside()  # the thread, and what waited for it, are the parent's


os.register_at_fork(after_in_child=_forked)


def flush(timeout_s: float) -> bool:
    """Wait until what was told so far has reached the provider; whether it has."""
    return _beside.flush(timeout_s)


def dropped() -> int:
    """How many spans and log records the exporter did not take in time."""
    return _beside.dropped


@cache
def at_exit() -> None:
    atexit.register(lambda: flush(LAST_S))


def put(work: Callable[[], object]) -> None:
    """Have it done beside; it never blocks, and never raises."""
    _beside.put(work)


def failed(error: BaseException) -> None:
    """Say once of each kind of error that a provider fails."""
    _beside.failed(error)
