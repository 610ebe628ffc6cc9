"""Timestamps as agents write them: seconds, milli-, micro- or nanoseconds since 1970, or ISO 8601; numbers or text."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Final

MAX_TIMESTAMP_S: Final = 253402300800.0
"""The first second of the year 10000."""
_UNITS: Final = (1e3, 1e6, 1e9)
_FROM_S, _UNTIL_S = 3e8, 1e10
"""Of the years 1979 to 2286: within them no number can stand for a time in two units, or for seconds up to 9999."""
_NUMBER: Final = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
_ISO: Final = re.compile(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}[T ][0-9:.,]{2,24}([Zz]|[+-][0-9:]{2,8})?")
_LONGEST: Final = 64


def seconds_of(value: object) -> float | None:
    """Epoch seconds; None for what is no time of the years 1970 to 9999.

    Args:
        value: a number, or text that is one or is ISO 8601; without an offset it is taken for UTC.
    """
    if isinstance(value, str):
        return _of_text(value)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        number = float(value)
    except (OverflowError, ValueError):
        return None
    if not math.isfinite(number):
        return None
    if 0.0 <= number < MAX_TIMESTAMP_S:
        return number
    return next((number / unit for unit in _UNITS if _FROM_S <= number / unit < _UNTIL_S), None)


def _of_text(text: str) -> float | None:
    if len(text) > _LONGEST:
        return None
    text = text.strip()
    if _NUMBER.fullmatch(text):
        try:
            return seconds_of(Decimal(text))
        except InvalidOperation:
            return None
    if not _ISO.fullmatch(text):
        return None
    try:
        at = datetime.fromisoformat(text.upper())
        return seconds_of((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None
