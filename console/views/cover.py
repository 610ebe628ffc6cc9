"""What a figure covers, in words: 24 hours only where all of them were read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from console.domain.seen.observation import LogReading

DAY: Final = timedelta(hours=24)
_BUCKET: Final = timedelta(seconds=64)
"""The 24 hours end within so much of now."""


def is_whole_day(since: datetime | None, now: datetime) -> bool:
    """Whether all of the last 24 hours were read.

    Args:
        since: from when on all was; None where nothing is known of what was left out.
    """
    return since is None or now - since >= DAY - _BUCKET


def day_text(since: datetime | None, now: datetime) -> str:
    """What a figure over 24 hours covers: `24 h`, or `since 13:05` where less was read."""
    return "24 h" if is_whole_day(since, now) else since_text(since, now)


def since_text(since: datetime | None, now: datetime) -> str:
    """From when on all was read: `since 13:05`, `since Nov 24 13:05`; empty where that is not known."""
    if since is None:
        return ""
    since = min(since, now).astimezone(UTC)
    day = "" if since.date() == now.astimezone(UTC).date() or now - since < DAY else f"{since:%b %d} "
    return f"since {day}{since:%H:%M}"


def logs_since(logs: LogReading) -> datetime | None:
    """From when on all was read of every version; None where nothing is known of what was left out."""
    times = [reading.since for reading in logs.by_version.values() if reading.since is not None]
    return max(times, default=None)
