"""What keeps the store bounded: evidence of old tenures, alerts, guards that died without a goodbye.

Everything here raises `StoreUnreachable` where there is no answer.
"""

from __future__ import annotations

from typing import Any, Final

from console.guard.keep.state import GuardState
from console.guard.telling import Tell
from console.store.fence.replies import json_object, text
from console.store.records.guards import read_alerts

MOST_NOTES: Final = 500
KEPT_TENURES: Final = 50
KEPT: Final = 400
"""Alerts kept; beyond that the oldest acknowledged ones go first."""
QUIET_MS: Final = 10_000
SILENT_MS: Final = 3_600_000
"""A guard that has been silent for so long is taken off the list."""
MOST_SILENT: Final = 16
"""Silent guards that stay on the list, so that it is seen that they died."""


async def forget_tenures(state: GuardState) -> None:
    """Evidence and baselines of the newest tenures stay."""
    for name in (state.names.trips, state.names.baselines):
        if await state.size(name) <= MOST_NOTES:
            continue
        tenures = {field: text(field).partition("/")[0] for field in await state.hash(name)}
        epochs = sorted({int(epoch) for epoch in tenures.values() if epoch.isascii() and epoch.isdigit()})
        old = {str(epoch) for epoch in epochs[:-KEPT_TENURES]}
        await state.drop(name, [field for field, epoch in tenures.items() if epoch in old])


async def forget_alerts(state: GuardState, tell: Tell) -> int:
    """Alerts that are seen go first, then the oldest; how many went, which is told."""
    names = state.names
    if await state.size(names.alerts) <= KEPT:
        return 0
    raw = await state.hash(names.alerts)
    alerts = {str(alert.id): alert for alert in read_alerts(raw, len(raw))}
    unknown = [text(name) for name in raw if text(name) not in alerts]
    ranked = sorted(alerts.values(), key=lambda alert: (alert.open, alert.at))
    going = [*unknown, *(str(alert.id) for alert in ranked)][: len(raw) - KEPT]
    marks = [name for name in await state.hash(names.sent) if text(name).partition(":")[0] in set(going)]
    await state.drop(names.alerts, going)
    await state.drop(names.sent, marks)
    tell("alerts dropped", count=len(going), unread=sum(name in alerts and alerts[name].open for name in going))
    return len(going)


async def forget_guards(state: GuardState, name: str, server_ms: int) -> int:
    """Take guards off a list of heartbeats that fell silent long ago without a goodbye; how many.

    Args:
        state: for the store.
        name: the list's key.
        server_ms: the server's clock.
    """
    beats = {guard: beat_ms(value) for guard, value in (await state.hash(name)).items()}
    silent = sorted((guard for guard in beats if server_ms - beats[guard] > QUIET_MS), key=lambda one: beats[one])
    kept = [guard for guard in silent if server_ms - beats[guard] <= SILENT_MS][-MOST_SILENT:]
    gone = [guard for guard in silent if guard not in kept]
    await state.drop(name, gone)
    return len(gone)


def beat_ms(raw: Any) -> int:
    """When a guard was heard last; 0 for what is no heartbeat."""
    milliseconds = json_object(raw).get("ms")
    return milliseconds if type(milliseconds) is int else 0
