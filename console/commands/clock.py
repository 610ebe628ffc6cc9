"""The clock that commands run by, and everything that reads for them."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The time now, aware UTC."""
    return datetime.now(UTC)
