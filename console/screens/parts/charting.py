"""What the PnL chart draws: both slots in one currency, with marks where something was switched or set."""

from __future__ import annotations

from collections.abc import Sequence

from console.domain.fence.deployment import Slot
from console.domain.operator.command import CommandInfo
from console.domain.seen.observation import Observation, PnlTotal
from console.views.cover import logs_since, since_text
from console.views.format import time_text
from widgets.charts.pnl_chart import ChartData, Mark, Series

_EVENTS = {"automatic rollback": "roll back", "adopted": "by hand"}
"""Marks of what changed who may act without a command."""


def chart_data(observation: Observation, catalogue: Sequence[CommandInfo]) -> ChartData:
    """The series of the currency with the most rounds, those that both slots have before others; amounts of two
    currencies, or dry and live, are never in one chart: what is not drawn is named.
    """
    names = _EVENTS | {info.name: info.mark for info in catalogue if info.mark}
    logs = observation.logs
    if logs is None:
        return ChartData()
    totals = {slot: reading.pnl for slot in Slot if (reading := logs.by_slot.get(slot.value))}
    rounds: dict[tuple[str, bool], list[int]] = {}
    for pnl in totals.values():
        for one in pnl:
            if one.series:
                rounds.setdefault((one.currency, one.dry), []).append(one.rounds)
    if not rounds:
        return ChartData()
    kind = max(rounds, key=lambda kind: (not kind[1], len(rounds[kind]), sum(rounds[kind])))
    series = []
    for slot, pnl in totals.items():
        total = next((t for t in pnl if (t.currency, t.dry) == kind and t.series), None)
        if total is not None and total.series_start is not None:
            series.append(_series(slot, total))
    start = min(line.times[0] for line in series)
    marks = tuple(
        Mark(
            entry.at.timestamp(),
            names[entry.command],
            at=time_text(entry.at, observation.now),
            who=entry.who.partition("@")[0],
        )
        for entry in (observation.store.audit if observation.store else ())
        if entry.command in names and entry.at.timestamp() >= start
    )
    return ChartData(tuple(series), marks, _unit(kind), tuple(_unit(one) for one in sorted(rounds) if one != kind))


def _unit(kind: tuple[str, bool]) -> str:
    """A currency, and whether no real money moved."""
    return f"{kind[0] or 'no currency'}{' dry' if kind[1] else ''}" if kind[1] or kind[0] else ""


def _series(slot: Slot, total: PnlTotal) -> Series:
    begin = total.series_start.timestamp() if total.series_start else 0.0
    times = tuple(begin + step * total.series_step_s for step in range(len(total.series)))
    return Series(slot.value, slot.value, times, total.series)


def why_no_chart(observation: Observation) -> str:
    """Why there is nothing to draw, and what to do."""
    if observation.logs is None:
        return "No decision log is followed.\nStart with --decisions PATH."
    if observation.logs.total:
        since = since_text(logs_since(observation.logs), observation.now) if observation.logs.skipped_bytes else ""
        return (
            f"No decision{' ' if since else ''}{since} states a profit or loss.\nSet logs.pnl_path to where yours do."
        )
    return "No decisions yet."
