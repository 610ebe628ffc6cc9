"""When a side was last healthy and reconciled, and as which version: where a roll back leads to.

Healthy: its heartbeats are fresh, no report was late, no trigger sees harm. Reconciled: no doubt of its own is open,
local books equal the venue's where a venue is read, and it watches all that it owns, or would own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from console.domain.fence.deployment import Slot
from console.domain.text import Safe, clean
from console.domain.untrusted import moment

MOST_RUNS: Final = 8
"""Versions of one side that a record names."""
UNBROKEN_S: Final = 60.0
"""A record that is renewed within so many seconds goes on from where it began."""
SHORT: Final = 12
"""Digits of a manifest's hash that are shown."""


class Runs(NamedTuple):
    """What a process of a side runs.

    Args:
        version: its name; empty where nobody said.
        manifest: hash of what it declared; empty for none.
    """

    version: Safe
    manifest: Safe

    def told(self) -> str:
        """In words."""
        return f"{self.version or 'a version without a name'}{f' ({self.manifest[:SHORT]})' if self.manifest else ''}"


class LastGood(NamedTuple):
    """When a side was last healthy and reconciled.

    Args:
        side: which.
        runs: what ran there; empty for a plain side, of which nobody says.
        since: from when on it was so, unbroken; on the store's clock.
        at: when it was seen to be so last.
        by: who saw it.
    """

    side: Slot
    runs: tuple[Runs, ...]
    since: datetime
    at: datetime
    by: Safe

    def document(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "side": self.side.value,
            "runs": [list(one) for one in self.runs],
            "since": self.since.isoformat(),
            "at": self.at.isoformat(),
            "by": self.by,
        }

    def told(self) -> str:
        """In words: which version, from when to when."""
        return f"{told(self.runs) or self.side.value} {_between(self.since, self.at)}"


def last_good_from(kept: Mapping[str, Any], side: Slot, now: datetime) -> LastGood | None:
    """The record in a document from the store, which is text from outside; None where there is none in it, or one that
    speaks of the time to come.

    Args:
        kept: the document.
        side: under which it stands.
        now: the store's clock.
    """
    since, at, raw = moment(kept.get("since")), moment(kept.get("at")), kept.get("runs")
    if since is None or at is None or since > at or at > now + timedelta(seconds=1) or kept.get("side") != side.value:
        return None
    if not isinstance(raw, list) or len(raw) > MOST_RUNS:
        return None
    if not all(isinstance(one, list) and len(one) == 2 and all(isinstance(part, str) for part in one) for one in raw):
        return None
    runs = running((one[0], one[1]) for one in raw)
    try:
        return LastGood(side, runs, since.astimezone(UTC), at.astimezone(UTC), clean(kept.get("by", ""), 128))
    except OverflowError:
        return None  # before the first year that there is


def running(pairs: Iterable[tuple[object, object]]) -> tuple[Runs, ...]:
    """Versions with their manifests, each once, in an order of their own; what says neither is nobody's word."""
    every = {Runs(clean(version, 64), clean(manifest, 64)) for version, manifest in pairs}
    return tuple(sorted(one for one in every if any(one)))


def renewed(before: LastGood | None, side: Slot, runs: tuple[Runs, ...], now: datetime, by: str) -> LastGood:
    """The record of a side that is healthy and reconciled now.

    Args:
        before: the one that stands there.
        side: which.
        runs: what runs there.
        now: the store's clock.
        by: who sees it.
    """
    goes_on = before is not None and before.runs == runs and (now - before.at).total_seconds() <= UNBROKEN_S
    since = before.since if before is not None and goes_on else now
    return LastGood(side, runs[:MOST_RUNS], min(since, now), now, clean(by, 128))


def told(runs: Iterable[Runs]) -> str:
    """What runs there, in words; empty where nobody says."""
    return ", ".join(one.told() for one in runs)


def _between(since: datetime, until: datetime) -> str:
    if since.date() == until.date():
        return f"from {since:%Y-%m-%d %H:%M:%S}Z to {until:%H:%M:%S}Z"
    return f"from {since:%Y-%m-%d %H:%M:%S}Z to {until:%Y-%m-%d %H:%M:%S}Z"
