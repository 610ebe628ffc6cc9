"""Timestamps as agents write them: seconds, milli-, micro- or nanoseconds since 1970, or ISO 8601 (RFC 3339, RFC 9557);
numbers or text."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Final

MAX_TIMESTAMP_S: Final = 253402300800.0
"""The first second of the year 10000."""
_UNITS: Final = (1e3, 1e6, 1e9)
_FROM_S, _UNTIL_S = 3e8, 1e10
"""Of the years 1979 to 2286: within them no number can stand for a time in two units, or for seconds up to 9999."""
_NUMBER: Final = re.compile(r"[0-9]{1,20}(?:[.,][0-9]{1,20})?(?:[Ee][+]?[0-9]{1,2})?")
_USUAL: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]{5,24}(?:Z|[+-][0-9]{2}:[0-9]{2})?")
_WRITTEN: Final = re.compile(
    r"(?P<date>[0-9]{4}(?:-?[0-9]{2}-?[0-9]{2}|/[0-9]{2}/[0-9]{2}|-?W[0-9]{2}-?[1-7]))"
    r"[Tt ](?P<hour>[0-9]{2})(?P<minutes>(?::?[0-9]{2})?)(?P<second>(?::?[0-9]{2})?)(?P<fraction>(?:[.,][0-9]{0,18})?)"
    r" ?(?P<zone>(?:[Zz]|UTC|GMT|[+\u2212-][0-9]{2}(?::?[0-9]{2}){0,2})?)(?P<place>(?:\[[\w/+-]{1,40}\])?)",
    re.ASCII,
)
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
            return seconds_of(Decimal(text.replace(",", ".")))
        except InvalidOperation:
            return None
    if _USUAL.fullmatch(text):
        with suppress(ValueError, OverflowError):
            at = datetime.fromisoformat(text)
            return seconds_of((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
    written = _WRITTEN.fullmatch(text)
    if written is None or (written["place"] and not written["zone"]):  # what only a table of zones could tell
        return None
    try:
        return _of_parts(written)
    except (ValueError, OverflowError):
        return None


def _of_parts(written: re.Match[str]) -> float | None:
    """What `datetime` itself doesn't take is made into what it takes: a leap second is the one after :59, 24:00 is the
    next day's midnight; UTC has three names, and a minus two signs."""
    zone = "+00:00" if written["zone"].upper() in ("", "Z", "UTC", "GMT") else written["zone"].replace("\u2212", "-")
    hour, minutes, second = written["hour"], written["minutes"].strip(":"), written["second"].strip(":")
    leap, midnight = second == "60", hour == "24" and not f"{minutes}{second}{written['fraction']}".strip("0.,")
    clock = ":".join(part for part in ("00" if midnight else hour, minutes or "00", "59" if leap else second) if part)
    fraction = written["fraction"].replace(",", ".").rstrip(".") if second else ""
    if written["fraction"] and not second:
        return None
    at = datetime.fromisoformat(f"{written['date'].replace('/', '-')}T{clock}{'' if leap else fraction}{zone}")
    return seconds_of(at.timestamp() + (1.0 if leap else 86400.0 if midnight else 0.0))
