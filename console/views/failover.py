"""That the store's primary is another server now: whoever watches has to know, since writes may have been lost."""

from __future__ import annotations

from console.domain.operator.receipt import AuditEntry
from console.domain.seen.observation import Observation
from console.domain.seen.rows import FAILOVER


def newest_failover(observation: Observation) -> AuditEntry | None:
    """The last one that this console has followed; None for none, and in the past."""
    if observation.store is None or observation.looking is not None:
        return None
    return next((entry for entry in reversed(observation.store.audit) if entry.command == FAILOVER), None)


def failover_text(entry: AuditEntry) -> str:
    """`primary of main: 10.0.0.1:6379 → 10.0.0.2:6379`."""
    return "; ".join(f"{change.what}: {change.before} → {change.after}" for change in entry.changes)
