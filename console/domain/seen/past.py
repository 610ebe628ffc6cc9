"""A moment that is over, put together from what is kept: then's value, or that it is not known; never today's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from console.domain.fence.deployment import ActiveKey, Authority, Deployment, Phase, read_active
from console.domain.guard.alerts import Alert
from console.domain.operator.receipt import FLAG, AuditEntry
from console.domain.seen.first import MOVED
from console.domain.seen.kept import ControlEvent, Kept
from console.domain.seen.marks import marks_of
from console.domain.seen.observation import StoreReading
from console.domain.seen.rows import with_events
from console.domain.seen.timeline import Mark
from console.domain.state.flags import FlagReading, read_flag
from console.domain.state.kept import Did
from console.domain.text import Safe, clean

SHOWN: Final = 100
"""Of the newest receipts before a moment."""
NOT_KEPT: Final = Safe(
    "heartbeats, guards, canary, shadows, experiments, upgrades, snapshots and what is owed are not kept by the moment"
)
_PLAIN: Final = {Phase.DRAIN: "draining", Phase.HALT: "halted"}


def store_at(kept: Kept, moment: datetime) -> StoreReading:
    """What the store held at a moment, as far as it is kept."""
    event = _last(kept.events, moment)
    in_flight, in_doubt = open_at(kept, moment)
    authority = None if event is None else _authority(event, in_flight, in_doubt)
    receipts = [entry for entry in kept.receipts if entry.at <= moment]
    return StoreReading(
        at=moment,
        server_at=moment,
        server=Safe(""),
        latency_ms=0.0,
        deployment=Deployment(_active(kept, moment, event), authority),
        flags=flags_at(kept, moment),
        audit=_rows(receipts, [one for one in kept.events if one.at <= moment])[-SHOWN:],
        alerts=tuple(_alerts(kept.alerts, moment)),
    )


def missing_at(kept: Kept, moment: datetime) -> tuple[Safe, ...]:
    """What of that moment is not kept, one sentence each."""
    told = [NOT_KEPT]
    for what, since in (
        ("who could act", kept.events_from),
        ("commands", kept.receipts_from),
        ("claims and doubts", kept.acts_from),
    ):
        if since is not None:
            told.append(clean(f"{what}: complete only since {since:%Y-%m-%d %H:%M:%S}Z"))
    if kept.flags is None:
        told.append(Safe("flags that nobody has changed since are not known"))
    return tuple(told)


def marks_at(kept: Kept) -> tuple[Mark, ...]:
    """The events that one can step to, oldest first."""
    return marks_of(_rows(kept.receipts, kept.events), kept.alerts)


def _rows(receipts: Sequence[AuditEntry], events: Iterable[ControlEvent]) -> tuple[AuditEntry, ...]:
    return with_events(receipts, [one.shown for one in events if one.shown is not None])


def _last(events: Sequence[ControlEvent], moment: datetime) -> ControlEvent | None:
    last = None
    for event in events:
        if event.at <= moment:
            last = event
    return last


def _authority(event: ControlEvent, in_flight: int, in_doubt: int) -> Authority:
    return Authority(
        epoch=event.epoch,
        generation=event.generation,
        phase=event.phase,
        active=event.active,
        target=event.target,
        previous=event.previous,
        level=event.level,
        in_flight=in_flight,
        in_doubt=in_doubt,
        events=event.number,
    )


def _active(kept: Kept, moment: datetime, event: ControlEvent | None) -> ActiveKey:
    """The plain key: by the authority; before there was one, by what commands wrote, or found, there."""
    if event is not None:
        return read_active(_PLAIN.get(event.phase, event.active.value if event.active else ""))
    before: str | None = None
    for entry in kept.receipts:
        for change in entry.changes:
            if change.what == MOVED:
                if entry.at > moment:
                    return read_active(change.before)
                before = change.after
    first = next(iter(kept.events), None)
    return read_active(first.was or None) if first is not None and before is None else read_active(before)


def open_at(kept: Kept, moment: datetime) -> tuple[int, int]:
    """Claims that had no end yet at a moment, as far as acts are kept: how many in flight, and how many in doubt."""
    state: dict[str, Did] = {}
    for act in kept.acts:
        if act.at > moment:
            break
        if act.did in (Did.CLAIM, Did.DOUBT):
            state[act.key] = act.did
        elif act.did in (Did.SETTLE, Did.RESOLVE):
            state.pop(act.key, None)
            if act.outcome == "unknown":
                state[act.key] = Did.DOUBT
    doubts = sum(did is Did.DOUBT for did in state.values())
    return len(state) - doubts, doubts


def flags_at(kept: Kept, moment: datetime) -> dict[str, FlagReading]:
    """The flags at a moment, by what their changes say; what no change tells is not known."""
    names = {*(kept.flags or {})}
    changes: dict[str, list[tuple[datetime, str | None, str | None]]] = {}
    for entry in kept.receipts:
        for change in entry.changes:
            if change.what.startswith(FLAG):
                changes.setdefault(change.what.removeprefix(FLAG), []).append((entry.at, change.before, change.after))
    return {
        name: _flag_at(name, changes.get(name, []), (kept.flags or {}).get(name), moment)
        for name in sorted(names | changes.keys())
    }


def _flag_at(
    name: str,
    changes: Sequence[tuple[datetime, str | None, str | None]],
    now: FlagReading | None,
    moment: datetime,
) -> FlagReading:
    spec = now.spec if now is not None else None
    earlier = [after for at, _before, after in changes if at <= moment]
    later = [before for at, before, _after in changes if at > moment]
    if not earlier and not later:
        return FlagReading(clean(name, 128), Safe("?"), None, spec, Safe("not known: no change of it is on record"))
    value = earlier[-1] if earlier else later[0]
    reading = read_flag(name, value, spec)
    if earlier and later and earlier[-1] != later[0]:
        return reading._replace(problem=Safe("written by hand before its next change: when is not known"))
    if not earlier:
        return reading._replace(problem=reading.problem or Safe("by its first change after that moment"))
    if not later and now is not None and (None if now.missing else now.text) != earlier[-1]:
        return reading._replace(problem=Safe("written by hand since: when is not known"))
    return reading


def _alerts(alerts: Sequence[Alert], moment: datetime) -> Iterator[Alert]:
    for alert in alerts:
        if alert.at > moment:
            continue
        if alert.acknowledged_at is not None and alert.acknowledged_at > moment:
            yield replace(alert, acknowledged_at=None, acknowledged_by=None)
        else:
            yield alert
