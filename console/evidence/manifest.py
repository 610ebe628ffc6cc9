"""What an evidence file says of itself: whose, of when, made by what, what it holds, and what it could not hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from console.domain.document import Report
from console.views.fence.chains import ChainReport


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One decision log.

    Args:
        path: of it.
        member: with the lines of the time; beside it stands `.places`, which says where in the log they stood.
        lines, bytes: how many.
    """

    path: str
    member: str
    lines: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Earned:
    """What one version earned in the time, exact.

    Args:
        slot, version, currency: of it; empty where the records don't say.
        dry: whether no real money moved.
        rounds: that state a PnL.
        pnl: their sum.
    """

    slot: str
    version: str
    currency: str
    dry: bool
    rounds: int
    pnl: str


@dataclass(frozen=True, slots=True)
class Manifest(Report):
    """What an evidence file holds.

    Args:
        form: of the file.
        agent: whose.
        since: from when, aware UTC.
        until: before when.
        made_at: when it was made, by the clock of who made it.
        made_by: by whom.
        url: of the store, without a password.
        versions: of what made it and of what it was made from.
        entries: stream → how many entries of the time.
        logs: the decision logs.
        earned: by slot, version and currency.
        chains: whether they were whole when it was made.
        left: what is not in it, and why, a sentence each.
    """

    form: int
    agent: str
    since: datetime
    until: datetime
    made_at: datetime
    made_by: str
    url: str
    versions: dict[str, str]
    entries: dict[str, int]
    logs: tuple[LogEntry, ...]
    earned: tuple[Earned, ...]
    chains: tuple[ChainReport, ...]
    left: tuple[str, ...]
