"""Values in a document from outside: what is none of the kind that is wanted counts as missing, and nothing raises."""

from __future__ import annotations

from datetime import datetime
from math import isfinite

from console.domain.text import Safe, clean


def whole(value: object) -> int:
    """A whole number of at least 0; 0 for anything else."""
    return value if type(value) is int and 0 <= value < 1 << 60 else 0


def real(value: object) -> float | None:
    """A finite number that can be calculated with; None for anything else."""
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300 and isfinite(value):
        return float(value)
    return None


def moment(value: object) -> datetime | None:
    """A time with its zone, from ISO 8601; None for anything else."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return at if at is not None and at.tzinfo else None


def texts(value: object, most: int, limit: int) -> tuple[Safe, ...]:
    """The first `most` items of a list as text, cut at `limit` characters each; empty for anything else."""
    return tuple(clean(item, limit) for item in value[:most]) if isinstance(value, list) else ()
