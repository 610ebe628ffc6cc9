"""What a guard says on stderr: one JSON object a line, so that a log collector needs no pattern.

Whoever reads it may stall; a guard must not. So lines are written by a thread, up to a bound, and what had to be left
out is counted in the next line that gets through. Text from outside can't begin a line of its own: there is no line
break in JSON, and a line is never so long that a collector would cut it in two.
"""

from __future__ import annotations

import atexit
import json
import math
import queue
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from typing import Any, Final, TextIO

from console.guard.events import weight_of

Tell = Callable[..., None]
"""Called with an event's name and its fields."""

MOST_LINES: Final = 20_000
LAST_WORDS_S: Final = 2.0
"""How long the end of the process waits for a reader of its last lines."""
LONGEST: Final = 16_384
"""Bytes of a line; journald cuts one of more than 48 KiB in two (`LineMax=`), and what begins the second has no
priority but what it says itself."""
MOST_TEXT: Final = 1_000
MOST_ITEMS: Final = 50


class Format(StrEnum):
    """How lines are written."""

    JSON = "json"
    JOURNALD = "journald"
    """The same behind `<N>`, the priority as systemd reads it from stderr (sd-daemon(3))."""


class Writer:
    """Writes lines from a thread of its own.

    Args:
        stream: where to; standard error by default.
        most: lines that may wait.
    """

    def __init__(self, stream: TextIO | None = None, most: int = MOST_LINES) -> None:
        self._stream = stream or sys.stderr
        self._lines: queue.Queue[str] = queue.Queue(most)
        self.dropped = 0
        """Lines left out since the last one that got through."""
        self.dropped_ever = 0
        threading.Thread(target=self._write_all, name="telling", daemon=True).start()

    def put(self, line: Mapping[str, object], prefix: str = "") -> None:
        """Hand over one line; never waits.

        Args:
            line: what it says.
            prefix: stands before the object.
        """
        if self.dropped:
            line = {**line, "lines_dropped": self.dropped}
        try:
            self._lines.put_nowait(f"{prefix}{as_line(line)}\n")
        except queue.Full:
            self.dropped += 1
            self.dropped_ever += 1
        else:
            self.dropped = 0

    def flush(self, timeout_s: float = LAST_WORDS_S) -> bool:
        """Wait until every line is written; whether it was within the time."""
        deadline = time.monotonic() + timeout_s
        while self._lines.unfinished_tasks:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.001)
        return True

    def _write_all(self) -> None:
        while True:
            line = self._lines.get()
            try:
                self._stream.write(line)
                if self._lines.empty():
                    self._stream.flush()
            except (OSError, ValueError):  # nobody reads any more; there is nowhere left to say so
                pass
            finally:
                self._lines.task_done()


class Log:
    """A guard's log; called with an event's name and its fields.

    Args:
        guard: the guard's name.
        format: how lines are written.
        stream: where to; standard error by default.
    """

    def __init__(self, guard: str, format: Format = Format.JSON, stream: TextIO | None = None) -> None:
        self.guard = guard
        self._format = format
        self._writer = Writer(stream)
        self._one = threading.Lock()
        self.counts: Counter[str] = Counter()
        """Event → how often it was said."""
        atexit.register(self.flush)

    def __call__(self, event: str, **fields: object) -> None:
        with self._one:
            self.counts[event] += 1
        weight = weight_of(event)
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "level": weight.value,
            "event": event,
            "guard": self.guard,
            **fields,
        }
        self._writer.put(line, f"<{weight.priority}>" if self._format is Format.JOURNALD else "")

    @property
    def dropped(self) -> int:
        """Lines left out so far."""
        return self._writer.dropped_ever

    def flush(self, timeout_s: float = LAST_WORDS_S) -> bool:
        """Wait until every line is written; whether it was within the time."""
        return self._writer.flush(timeout_s)


def as_line(fields: Mapping[str, object]) -> str:
    """Fields as one JSON object of ASCII characters on one line, of bounded length, whatever they hold."""
    line = _encoded({name: _bounded(value) for name, value in fields.items()})
    if len(line) > LONGEST:
        short = {name: value for name, value in fields.items() if isinstance(value, int | float) or name in _KEPT}
        line = _encoded({name: _bounded(value, 200, 0) for name, value in islice(short.items(), MOST_ITEMS)} | _CUT)
    return line


_KEPT: Final = ("time", "level", "event", "guard", "agent", "reason")
_CUT: Final = {"line_cut": True}


def _encoded(value: Mapping[str, object]) -> str:
    return json.dumps(value, default=_text, ensure_ascii=True, allow_nan=False)


def _text(value: object) -> str:
    return str(value)[:MOST_TEXT]


def _bounded(value: Any, most: int = MOST_TEXT, depth: int = 4) -> object:
    """A value as JSON can hold it: no number that is none, no text, list or depth without a bound."""
    if isinstance(value, str):
        return str(value)[:most]
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, int) or value is None:
        return value if value is None or abs(value) < 1 << 63 else "out of range"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping | list | tuple | set | frozenset) and not depth:
        return f"{len(value)} entries"
    if isinstance(value, Mapping):
        return {str(key)[:100]: _bounded(one, most, depth - 1) for key, one in islice(value.items(), MOST_ITEMS)}
    if isinstance(value, list | tuple | set | frozenset):
        return [_bounded(one, most, depth - 1) for one in islice(value, MOST_ITEMS)]
    return _text(value)[:most]


def to_stderr(guard: str, format: Format = Format.JSON) -> Log:
    """Tells on stderr, with the time, the level and the guard's name in each line."""
    return Log(guard, format)
