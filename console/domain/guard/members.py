"""Guards of a store as they tell of themselves to each other: who is alive shares the agents out (see `placement`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from console.domain.text import Safe, clean
from console.domain.untrusted import moment, texts, whole

ALIVE_S: Final = 3.0
"""A guard that was not heard for so long is taken for dead, and the others take its agents over."""
MOST_NOTES: Final = 20
_COUNTS: Final = ("pid", "watching", "opening", "failing", "known")


class Member(NamedTuple):
    """One guard's process.

    Args:
        name: unique to the process.
        heartbeat_at: the server's time of its last word.
        started_at: since when it runs.
        host, pid: where.
        scope: the one agent that it was started for; empty where it shares in all of them.
        watching: agents in its care.
        opening: agents that it is about to take over.
        failing: agents that it can't judge; `why` says it of some of them.
        known: agents that it found in the store.
        notes: what it leaves out, in words.
    """

    name: Safe
    heartbeat_at: datetime
    started_at: datetime | None = None
    host: Safe = Safe("")
    pid: int = 0
    scope: Safe = Safe("")
    watching: int = 0
    opening: int = 0
    failing: int = 0
    why: tuple[Safe, ...] = ()
    known: int = 0
    notes: tuple[Safe, ...] = ()

    def alive(self, now: datetime) -> bool:
        """Whether it was heard lately, by the server's clock."""
        return (now - self.heartbeat_at).total_seconds() <= ALIVE_S


def sharers(members: Iterable[Member], now: datetime) -> tuple[str, ...]:
    """The names of those that share the agents out between them now."""
    return tuple(str(member.name) for member in members if not member.scope and member.alive(now))


def member_document(member: Member, server_ms: int) -> dict[str, Any]:
    """The guard's heartbeat as plain JSON values."""
    return {
        "ms": server_ms,
        "started_at": member.started_at.isoformat() if member.started_at else None,
        "host": member.host,
        "pid": member.pid,
        "scope": member.scope,
        "watching": member.watching,
        "opening": member.opening,
        "failing": member.failing,
        "why": list(member.why),
        "known": member.known,
        "notes": list(member.notes),
    }


def member_from(name: str, document: Mapping[str, Any]) -> Member | None:
    """The guard in a heartbeat; None where there is none in it."""
    milliseconds = whole(document.get("ms"))
    if not 0 < milliseconds < 1 << 48:
        return None
    return Member(
        name=clean(name, 64),
        heartbeat_at=datetime.fromtimestamp(milliseconds / 1000, UTC),
        started_at=moment(document.get("started_at")),
        host=clean(document.get("host", ""), 64),
        scope=clean(document.get("scope", ""), 64),
        why=texts(document.get("why"), MOST_NOTES, 200),
        notes=texts(document.get("notes"), MOST_NOTES, 200),
        **{count: whole(document.get(count)) for count in _COUNTS},
    )
