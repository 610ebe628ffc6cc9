"""What of an observation is a reason to paint it: anything but the time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Final

from console.domain.guard.alerts import GuardReading, TriggerReading
from console.domain.seen.observation import DivergenceLog, Link, LogReading, Observation, StoreReading

AGES_EVERY_S: Final = 1.0
"""A store that is read but does not change is drawn so often: the ages on the screen move."""

VOLATILE: Final[Mapping[type, frozenset[str]]] = {
    Observation: frozenset({"now"}),
    Link: frozenset({"latency_ms", "next_try_at"}),
    StoreReading: frozenset({"at", "server_at", "latency_ms", "guards"}),
    LogReading: frozenset({"at"}),
    DivergenceLog: frozenset({"at"}),
    GuardReading: frozenset(
        {
            "heartbeat_at",
            "evaluated_at",
            "decisions",
            "rejected",
            "unplaced",
            "skipped",
            "ahead",
            "failures",
            "triggers",
        }
    ),
    TriggerReading: frozenset({"reason", "value", "threshold", "n", "samples"}),
}
"""What changes with every reading, and is no reason to paint; guards and their triggers are compared one by one."""


def _compared(record: type) -> tuple[str, ...]:
    names = getattr(record, "_fields", None) or tuple(field.name for field in fields(record))
    return tuple(name for name in names if name not in VOLATILE[record])


_COMPARED: Final = {record: _compared(record) for record in VOLATILE}


def _same(last: object, new: object) -> bool:
    """Whether two records say the same, but for what is named in `VOLATILE`."""
    if last is new:
        return True
    names = _COMPARED.get(type(last))
    if names is None or type(last) is not type(new):
        return last == new
    return all(_same(getattr(last, name), getattr(new, name)) for name in names)


def _same_guards(last: StoreReading, new: StoreReading) -> bool:
    """Whether the guards say the same, whoever of them spoke last."""
    return len(last.guards) == len(new.guards) and all(
        _same(a, b) and len(a.triggers) == len(b.triggers) and all(map(_same, a.triggers, b.triggers))
        for a, b in zip(*(sorted(one.guards, key=lambda guard: guard.name) for one in (last, new)), strict=True)
    )


def differs(last: Observation, new: Observation) -> bool:
    """Whether anything but the time has changed; a quiet store and quiet logs paint nothing."""
    if not _same(last, new):
        return True
    if last.store is None or new.store is None or last.store is new.store:
        return False
    return not _same_guards(last.store, new.store) or (new.store.at - last.now).total_seconds() >= AGES_EVERY_S
