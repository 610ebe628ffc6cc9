"""The state that crosses over: what a snapshot holds, when it may be restored, and what restoring it would change.

A snapshot carries the seven fields of the source contract (`version, timestamp, escrow_ids, open_positions,
last_action_time, rate_limit_tokens, decision_log`), and beside them what the store and the logs showed at that moment.
The agent's own state file is kept as text, byte for byte, so that a round trip is the identity on every field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from console.domain.errors import Refused
from console.domain.operator.receipt import Change
from console.domain.text import clean

FORMAT: Final = "agent-console/snapshot"
SCHEMA: Final = 1
MAX_AGE_S: Final = Decimal(300)
"""Older than this is too stale to restore; exactly this is not."""
DECISIONS_KEPT: Final = 50
STATE_FIELDS: Final = ("escrow_ids", "open_positions", "last_action_time", "rate_limit_tokens")


@dataclass(frozen=True, slots=True)
class LogPosition:
    """Where a followed decision log stood: its path, its inode, and how many bytes had been read of how many."""

    path: str
    inode: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class StateFile:
    """The agent's own state file, verbatim."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One agent's state at one moment.

    Args:
        agent: whose.
        taken_at: aware UTC.
        taken_by: the operator.
        why: the reason given; may be empty.
        active: the plain key's text; None when it was missing.
        epoch: the running epoch; 0 where nothing had been commanded yet.
        flags: name → text, as in the store.
        escrow_ids, open_positions, last_action_time, rate_limit_tokens: from the state file; None where it has none.
        decision_log: the newest 50 records, oldest first, as parsed JSON.
        state_file: the state file itself, if one was given.
        logs: where the decision logs stood.
        flags_whole: whether it holds every flag there was; only then was a flag that it lacks not set.
        version: `version` of the state file, else the active slot's name.
    """

    agent: str
    taken_at: datetime
    taken_by: str
    why: str = ""
    active: str | None = None
    epoch: int = 0
    flags: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    escrow_ids: Any = None
    open_positions: Any = None
    last_action_time: Any = None
    rate_limit_tokens: Any = None
    decision_log: tuple[Any, ...] = ()
    state_file: StateFile | None = None
    logs: tuple[LogPosition, ...] = ()
    flags_whole: bool = False

    def age_s(self, now: datetime) -> Decimal:
        """Seconds from its taking to `now`, exact to the microsecond; negative for one from the future."""
        delta = now - self.taken_at
        return Decimal(delta.days * 86400 + delta.seconds) + Decimal(delta.microseconds) / 1_000_000


def timestamp_of(moment: datetime) -> Decimal:
    """Epoch seconds, exact to the microsecond."""
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return Decimal(delta.days * 86400 + delta.seconds) + Decimal(delta.microseconds) / 1_000_000


def check_restorable(snapshot: Snapshot, *, agent: str, now: datetime, max_age_s: Decimal = MAX_AGE_S) -> None:
    """Refuse a snapshot that must not be restored.

    Raises:
        Refused: it is another agent's, from the future, or older than `max_age_s` seconds.
    """
    if snapshot.agent != agent:
        raise Refused(
            f"The snapshot is of agent {clean(snapshot.agent, 40)!r}, not of {agent!r}.",
            f"Say --agent {clean(snapshot.agent, 40)} if that agent is meant.",
        )
    age = snapshot.age_s(now)
    if age < 0:
        raise Refused(
            f"The snapshot is from the future: it was taken {-age:.1f} s after now.",
            "Compare the clocks of the two machines; restore nothing until they agree.",
        )
    if age > max_age_s:
        raise Refused(
            f"The snapshot is {age:.1f} s old; {max_age_s} s is the limit.",
            "Positions and balances have moved since. Take a new one, or restore its flags one by one.",
        )


def restore_changes(
    snapshot: Snapshot, *, flags: Mapping[str, str], active: str | None, state_text: str | None
) -> tuple[Change, ...]:
    """What restoring would change, flags first and the active version last; nothing is unset that the snapshot can't
    vouch for.

    Args:
        snapshot: the snapshot.
        flags: the flags as the store holds them now.
        active: the plain key's text now.
        state_text: the state file's text now; None when it can't be read or none is given.
    """
    changes = [
        Change(f"flag:{name}", flags.get(name), snapshot.flags.get(name))
        for name in sorted({*flags, *snapshot.flags} if snapshot.flags_whole else snapshot.flags)
        if flags.get(name) != snapshot.flags.get(name)
    ]
    if snapshot.state_file is not None and snapshot.state_file.text != state_text:
        changes.append(Change("state file", _digest(state_text), _digest(snapshot.state_file.text)))
    if snapshot.active in ("blue", "green") and snapshot.active != active:
        changes.append(Change("active version", active, snapshot.active))
    return tuple(changes)


def _digest(text: str | None) -> str | None:
    if text is None:
        return None
    import hashlib

    return f"{len(text)} characters, sha256 {hashlib.sha256(text.encode()).hexdigest()[:12]}"


def state_fields(document: object) -> Mapping[str, Any]:
    """The contract's fields of a parsed state file; those it lacks are None."""
    source = document if isinstance(document, Mapping) else {}
    return {name: source.get(name) for name in ("version", *STATE_FIELDS)}


def last_decisions(records: Sequence[Any]) -> tuple[Any, ...]:
    """The newest records that a snapshot keeps."""
    return tuple(records[-DECISIONS_KEPT:])
