"""One line of the result: a figure, what it is held against, and whether that holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One measured budget.

    Args:
        name: what was measured.
        ours: our figure; None where it could not be measured.
        unit: of both figures.
        floor_name: what `floor` is: the least it could cost, or a peer.
        floor: that figure; None where there is none.
        ratio: ours by the floor.
        budget: as people read it.
        holds: whether the budget holds; None where there is none, or nothing to judge.
        note: why there is no figure, or what it is made of.
    """

    name: str
    ours: float | None
    unit: str
    floor_name: str = ""
    floor: float | None = None
    ratio: float | None = None
    budget: str = ""
    holds: bool | None = None
    note: str = ""


def at_most(
    name: str, ours: float, unit: str, limit: float, floor_name: str = "", floor: float | None = None, note: str = ""
) -> Line:
    """A figure that must not be above `limit`."""
    return Line(name, ours, unit, floor_name, floor, _ratio(ours, floor), f"≤ {limit:g} {unit}", ours <= limit, note)


def at_least(
    name: str, ours: float, unit: str, limit: float, floor_name: str = "", floor: float | None = None, note: str = ""
) -> Line:
    """A figure that must not be below `limit`."""
    text = f"≥ {limit:,.0f} {unit}"
    return Line(name, ours, unit, floor_name, floor, _ratio(ours, floor), text, ours >= limit, note)


def at_most_times(
    name: str, ours: float, unit: str, times: float, floor_name: str, floor: float, note: str = ""
) -> Line:
    """A figure that must not be above so many times its floor."""
    ratio = _ratio(ours, floor)
    return Line(
        name, ours, unit, floor_name, floor, ratio, f"≤ {times:g} ×", ratio is not None and ratio <= times, note
    )


def beside(name: str, ours: float, unit: str, floor_name: str = "", floor: float | None = None, note: str = "") -> Line:
    """A figure without a budget of its own."""
    return Line(name, ours, unit, floor_name, floor, _ratio(ours, floor), note=note)


def unmeasured(name: str, why: str, budget: str = "") -> Line:
    """A figure that could not be taken; a budget that was not measured does not hold.

    Args:
        budget: the budget that is in question; empty where only a peer is missing.
    """
    return Line(name, None, "", budget=budget, holds=False if budget else None, note=why)


def _ratio(ours: float, floor: float | None) -> float | None:
    return ours / floor if floor else None
