"""How often a venue may be asked: our own table, and what the venue asked for when it was too often."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from console.domain.venue.reading import LONGEST_WISH

PAUSE = timedelta(seconds=5)
"""After a refusal for asking too often that does not say until when."""


class Allowed(NamedTuple):
    """So many requests in so many seconds."""

    requests: int
    per_s: float


class Rates:
    """Requests of each class as they went out lately.

    Args:
        table: what is allowed, by class; a class that is not in it has no limit of ours.
    """

    def __init__(self, table: Mapping[str, Allowed]) -> None:
        self._table = table
        self._sent: dict[str, deque[datetime]] = {name: deque() for name in table}
        self._held: dict[str, datetime] = {}

    def take(self, name: str, now: datetime) -> datetime | None:
        """Count a request that is about to go out; when it may, where it may not go out now."""
        held = self._held.get(name)
        if held is not None and now < held:
            return held
        allowed = self._table.get(name)
        if allowed is None:
            return None
        sent, window = self._sent[name], timedelta(seconds=allowed.per_s)
        while sent and not timedelta(0) <= now - sent[0] < window:  # a clock that was set back forgets
            sent.popleft()
        if len(sent) >= allowed.requests:
            return sent[0] + window
        sent.append(now)
        return None

    def hold(self, name: str, until: datetime | None, now: datetime) -> datetime:
        """The venue said that it was too often; until when nothing of this class goes out."""
        wished = now + PAUSE if until is None or until <= now else min(until, now + LONGEST_WISH)
        self._held[name] = max(wished, self._held.get(name, wished)) if self._held.get(name, now) > now else wished
        return self._held[name]
