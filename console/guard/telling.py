"""What a guard says on stderr: one JSON object a line, so that a log collector needs no pattern.

Whoever reads it may stall; a guard must not. So lines are written by a thread, up to a bound, and what had to be left
out is counted in the next line that gets through.
"""

from __future__ import annotations

import atexit
import json
import queue
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, TextIO

Tell = Callable[..., None]
"""Called with an event's name and its fields."""

MOST_LINES: Final = 20_000
LAST_WORDS_S: Final = 2.0
"""How long the end of the process waits for a reader of its last lines."""


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
        threading.Thread(target=self._write_all, name="telling", daemon=True).start()

    def put(self, line: dict[str, object]) -> None:
        """Hand over one line; never waits."""
        if self.dropped:
            line = {**line, "lines_dropped": self.dropped}
        try:
            self._lines.put_nowait(json.dumps(line, default=str, ensure_ascii=True) + "\n")
        except queue.Full:
            self.dropped += 1
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


def to_stderr(guard: str) -> Tell:
    """Tells on stderr, with the time and the guard's name in each line."""
    writer = Writer()
    atexit.register(writer.flush)

    def tell(event: str, **fields: object) -> None:
        writer.put(
            {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "guard": guard, "event": event, **fields}
        )

    return tell
