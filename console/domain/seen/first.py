"""The first decisions of the side that acts now: what somebody looks at after a switch, kept though newer ones come."""

from __future__ import annotations

from typing import Final

from console.domain.seen.decision import TEN, FirstDecisions
from console.domain.seen.observation import LogReading, StoreReading

MOVED: Final = "active version"
"""What a receipt or a control event names that changed who acts."""


def first_decisions(
    store: StoreReading | None, logs: LogReading | None, before: FirstDecisions | None
) -> FirstDecisions | None:
    """What is known now of the first decisions; `before` itself where nothing differs.

    Args:
        store, logs: as they were read last.
        before: what was known until now.
    """
    if store is None:
        return before
    authority = store.deployment.authority
    active = authority.active if authority is not None else store.deployment.active.slot
    if active is None:
        return None
    moved = next(
        (
            one
            for one in reversed(store.audit)
            if any(change.what == MOVED and change.after == active.value for change in one.changes)
        ),
        None,
    )
    same = before is not None and before.slot == active.value
    if moved is None:
        return before if same else None  # so much was done since that the change is no longer among what is read
    now = before if same and before is not None and before.since == moved.at else None
    if now is None:
        now = FirstDecisions(active.value, moved.at, moved.who)
    return _more(now, logs)


def _more(now: FirstDecisions, logs: LogReading | None) -> FirstDecisions:
    if logs is None or len(now.decisions) >= TEN or not logs.recent:
        return now
    newest = max(one.sequence for one in logs.recent)
    if newest == now.read_to:
        return now
    fresh = [one for one in logs.recent if one.sequence > now.read_to and one.slot == now.slot and one.at >= now.since]
    if now.read_to:
        whole = min(one.sequence for one in logs.recent) <= now.read_to + 1
    else:
        whole = logs.recent[0].at <= now.since or logs.total <= len(logs.recent)
    told = sorted((*now.decisions, *fresh), key=lambda one: (one.at, one.sequence))[:TEN]
    return now._replace(decisions=tuple(told), whole=now.whole and whole, read_to=newest)
