"""Times in a format that somebody has declared: a value of another one is none, and nothing is guessed."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Final

from console.logs.lines.times import MAX_TIMESTAMP_S, seconds_of

NS_A: Final = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
"""Nanoseconds of a unit."""
_NUMBER: Final = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?")
_RFC3339: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,18})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def number_of(value: object) -> Decimal | None:
    """A finite number: a JSON number, or text that is one."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    if isinstance(value, str) and _NUMBER.fullmatch(value) is None:
        return None
    try:
        number = Decimal(value)
    except (InvalidOperation, ValueError):
        return None
    return number if number.is_finite() and number.adjusted() < 40 else None


def declared_s(value: object, form: str) -> float | None:
    """Epoch seconds; None for what is no time of that format, or not of the years 1970 to 9999.

    Args:
        value: as it stands in the record.
        form: `rfc3339`, or the unit of what has gone by since 1970.
    """
    if form == "rfc3339":
        return seconds_of(value) if isinstance(value, str) and _RFC3339.fullmatch(value) else None
    number = number_of(value)
    if number is None:
        return None
    seconds = float(number * NS_A[form] / NS_A["s"])
    return seconds if 0.0 <= seconds < MAX_TIMESTAMP_S else None
