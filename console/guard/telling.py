"""What a guard says on stderr: one JSON object a line, so that a log collector needs no pattern."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime

Tell = Callable[..., None]
"""Called with an event's name and its fields."""


def to_stderr(guard: str) -> Tell:
    """Tells on stderr, with the time and the guard's name in each line."""

    def tell(event: str, **fields: object) -> None:
        line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "guard": guard, "event": event, **fields}
        sys.stderr.write(json.dumps(line, default=str, ensure_ascii=True) + "\n")
        sys.stderr.flush()

    return tell
