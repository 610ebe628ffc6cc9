"""One read of a venue: a value with its time and source, or *unknown* with the reason; there is nothing between.

A read that failed is never zero, never flat, never "no orders": whoever has a reading has to ask whether it is known
before there is a value to take.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, TypeVar

from console.domain.text import Safe

T = TypeVar("T", covariant=True)  # a reading only gives its value away


class Why(StrEnum):
    """Why something is unknown."""

    TIMEOUT = "timeout"
    """No whole answer within the time, be it that none came or that it came too slowly."""
    UNREACHABLE = "unreachable"
    """No connection, or it broke off."""
    REFUSED = "refused"
    """The venue understood and refused: a status in the 400s."""
    UNAUTHORISED = "unauthorised"
    """The key is wrong, expired or not enough: 401 or 403."""
    RATE_LIMITED = "rate limited"
    """Asked too often, by the venue's count or by our own table."""
    SERVER_ERROR = "server error"
    """A status in the 500s."""
    MALFORMED = "malformed"
    """An answer that is not what the document says: no JSON, a field of another kind, another status."""
    TOO_LARGE = "too large"
    """More bytes than an answer may have; the rest was not read."""
    REDIRECTED = "redirected"
    """The answer points elsewhere; nothing was sent there."""
    STALE_SOURCE = "stale source"
    """The venue answers out of its own memory, because its own read failed, or a cache answers in its place."""
    MISSING_FIELD = "missing field"
    CLOCK_SKEW = "clock skew"
    """The venue's clock and ours disagree: no time in its answer means what it says."""
    TOO_OLD = "too old"
    """It was known, and that is too long ago."""
    NOT_CONFIGURED = "not configured"
    """The document has no probe for it."""
    NOT_ASKED = "not asked"
    """No read has ended yet."""
    NOBODYS = "nobody's"
    """There is something at the venue that has no id: it belongs to nobody until it is adopted or excluded."""
    UNHEALTHY = "unhealthy"
    """The venue itself says that something it depends on is not there."""
    BOOKS_DIFFER = "books differ"
    """Venue and local books disagree beyond the tolerance: which of them is right is unknown."""
    NO_BOOKS = "no books"
    """The venue says something, and there is nothing of ours to hold it against."""
    OVERDUE = "overdue"
    """It should have ended by itself, and has not: when the money moves is unknown."""
    EARLY = "early"
    """It ended before its time."""
    PAYEE_UNSET = "payee unset"
    """Nobody has said who gets the money at the time-out."""
    PAYEE_WRONG = "payee wrong"
    """The money went to somebody else than the setting says."""
    DISPUTED = "disputed"
    """Locked, without a deadline."""
    UNWATCHED = "unwatched"
    """It is open at the venue, and nobody on our side has it on the list."""
    MONITOR_STOPPED = "monitor stopped"
    """What carries out stop orders at the venue doesn't run: they protect nothing."""


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """What one read of a venue brought.

    Args:
        probe: what was read: "balance", "escrow esc_91ab".
        taken_at: when the answer was complete, or given up; aware UTC.
        source: where it came from: method and address, without a secret.
        value: what it says; None where that is unknown.
        why: why it is unknown; None where it is known.
        detail: in words; empty for nothing to add.
        until: when it makes sense to ask again, where the venue said so.
        took_ms: how long it took.
    """

    probe: Safe
    taken_at: datetime
    source: Safe
    value: T | None = None
    why: Why | None = None
    detail: Safe = Safe("")
    until: datetime | None = None
    took_ms: float = 0.0

    def __post_init__(self) -> None:
        if (self.value is None) is (self.why is None):
            raise ValueError("a reading is either known, with a value, or unknown, with a reason")

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return self.why is None

    def age_s(self, now: datetime) -> float:
        """Seconds since it was taken; negative for one from the future."""
        return (now - self.taken_at).total_seconds()

    def at(self, now: datetime, fresh_s: float) -> Reading[T]:
        """The same, unknown where it is from the future or older than `fresh_s` seconds by now.

        Args:
            now: aware UTC.
            fresh_s: exactly this old is still fresh.
        """
        age_s = self.age_s(now)
        if self.why is not None or 0 <= age_s <= fresh_s:
            return self
        why = Why.TOO_OLD if age_s > 0 else Why.CLOCK_SKEW
        return unknown(self.probe, self.taken_at, self.source, why, Safe(f"read {age_s:.1f} s ago"))

    def words(self) -> str:
        """Why it is unknown, in a few words; "known" where it is not."""
        if self.why is None:
            return "known"
        until = f" until {self.until.isoformat(timespec='seconds')}" if self.until else ""
        return f"{self.why.value}{until}" + (f": {self.detail}" if self.detail else "")


def unknown(
    probe: Safe,
    taken_at: datetime,
    source: Safe,
    why: Why,
    detail: Safe = Safe(""),
    *,
    until: datetime | None = None,
    took_ms: float = 0.0,
) -> Reading[Any]:
    """A read that brought nothing that may be used."""
    return Reading(probe, taken_at, source, None, why, detail, until, took_ms)


LONGEST_WISH: timedelta = timedelta(hours=24)
"""What a venue asks for beyond this is not believed."""
