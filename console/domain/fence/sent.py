"""When an idempotency key was sent for the first time: what decides for how long it may be sent again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def parse_sent(raw: bytes | str) -> int:
    """When a key was sent first, of the mark that the scripts keep of it: server milliseconds; 0 where nobody knows,
    which is the longest ago.

    Args:
        raw: the value of `…:sent:KEY`.
    """
    first = (raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw).partition("\n")[0]
    return int(first) if first.isascii() and first.isdecimal() and len(first) < 16 else 0


def sent_at(first_ms: int) -> datetime | None:
    """A first sending in aware UTC; None where nobody knows when it was."""
    try:
        return _EPOCH + timedelta(milliseconds=first_ms) if first_ms > 0 else None
    except OverflowError:
        return None


def sent_text(first_ms: int) -> str:
    """A first sending in words."""
    at = sent_at(first_ms)
    return f"at {at:%Y-%m-%d %H:%M:%S}Z" if at else "nobody knows when"
