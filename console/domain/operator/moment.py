"""Moments as operators write them: a time, or how long ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Final

from console.domain.errors import UsageError
from console.domain.text import clean

_AGO = re.compile(r"([0-9]{1,9})([smhdw])\Z")
_OF_DAY = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2})?Z?\Z")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_moment(text: str, now: datetime) -> datetime:
    """A moment, aware UTC.

    Args:
        text: how long ago (`90s`, `15m`, `24h`, `7d`, `2w`), a time of day (`14:03`, `14:03:11`: the last one that was,
            UTC), or a time in ISO 8601, UTC unless it says another zone.
        now: aware UTC.

    Raises:
        UsageError: it is neither.
    """
    try:
        if ago := _AGO.match(text):
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        if _OF_DAY.match(text):
            today = datetime.combine(now.astimezone(UTC).date(), time.fromisoformat(text.rstrip("Z")), UTC)
            return today if today <= now else today - timedelta(days=1)
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{clean(text, 40)!r} is no time.", "Say how long ago (90s, 15m, 24h, 7d), 14:03, or 2026-03-14T09:26."
        ) from None
