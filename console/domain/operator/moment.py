"""Moments as operators write them: a time, or how long ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from console.domain.errors import UsageError
from console.domain.text import clean

_AGO = re.compile(r"([0-9]{1,9})([smhdw])\Z")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_moment(text: str, now: datetime) -> datetime:
    """A moment, aware UTC.

    Args:
        text: how long ago (`90s`, `15m`, `24h`, `7d`, `2w`), or a time in ISO 8601, UTC unless it says another zone.
        now: aware UTC.

    Raises:
        UsageError: it is neither.
    """
    try:
        if ago := _AGO.match(text):
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{clean(text, 40)!r} is no time.", "Say how long ago (90s, 15m, 24h, 7d), or 2026-03-14T09:26."
        ) from None
