"""What the PnL chart draws: both slots in one currency, with marks where something was switched or set."""

from __future__ import annotations

from collections.abc import Sequence

from console.domain.fence.deployment import Slot
from console.domain.operator.command import CommandInfo
from console.domain.seen.observation import Observation, PnlTotal
from widgets.charts.pnl_chart import ChartData, Mark, Series

_EVENTS = {"automatic rollback": "roll back", "adopted": "by hand"}
"""Marks of what changed who may act without a command."""


def chart_data(observation: Observation, catalogue: Sequence[CommandInfo]) -> ChartData:
    """The series of the currency that comes first in both slots; amounts of two currencies are never in one chart."""
    names = _EVENTS | {info.name: info.mark for info in catalogue if info.mark}
    logs = observation.logs
    if logs is None:
        return ChartData()
    totals = {slot: reading.pnl for slot in Slot if (reading := logs.by_slot.get(slot.value))}
    kind = next(((t.currency, t.dry) for pnl in totals.values() for t in pnl if t.series), None)
    if kind is None:
        return ChartData()
    series = []
    for slot, pnl in totals.items():
        total = next((t for t in pnl if (t.currency, t.dry) == kind and t.series), None)
        if total is not None and total.series_start is not None:
            series.append(_series(slot, total))
    start = min(line.times[0] for line in series)
    marks = tuple(
        Mark(entry.at.timestamp(), names[entry.command])
        for entry in (observation.store.audit if observation.store else ())
        if entry.command in names and entry.at.timestamp() >= start
    )
    return ChartData(tuple(series), marks, f"{kind[0]}{' dry' if kind[1] else ''}".strip())


def _series(slot: Slot, total: PnlTotal) -> Series:
    begin = total.series_start.timestamp() if total.series_start else 0.0
    times = tuple(begin + step * total.series_step_s for step in range(len(total.series)))
    return Series(slot.value, slot.value, times, total.series)


def why_no_chart(observation: Observation) -> str:
    """Why there is nothing to draw, and what to do."""
    if observation.logs is None:
        return "No decision log is followed.\nStart with --decisions PATH."
    if observation.logs.total:
        return "No decision states a profit or loss.\nSet logs.pnl_path to where yours do."
    return "No decisions yet."
