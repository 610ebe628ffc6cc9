"""An interval on one line: where it lies against zero and the margin on either side."""

from __future__ import annotations

from math import isfinite

from widgets.text.glyphs import glyphs


def interval_bar(lower: float, estimate: float, upper: float, margin: float, width: int, reach: float = 0.0) -> str:
    """The interval as exactly `width` characters, zero in the middle.

    A bound that is infinite or lies beyond the reach runs to the end of the line.

    Args:
        lower, estimate, upper: in one unit.
        margin: marked on both sides of zero; 0 for none.
        width: characters; an odd number has a middle.
        reach: what the ends stand for; 0 for what this interval needs.
    """
    if width < 1:
        return ""
    signs, middle = glyphs(), width // 2
    reach = reach or reach_of(lower, upper, margin)
    if not isfinite(estimate) or not (isfinite(reach) and reach > 0.0):
        return " " * width

    def place(value: float) -> int:
        share = max(-1.0, min(value / reach, 1.0))
        return min(max(round(middle + share * middle), 0), width - 1)

    line = [" "] * width
    for at in range(place(lower), place(upper) + 1):
        line[at] = signs.rule
    if margin:
        line[place(-margin)] = line[place(margin)] = "╎"
    line[middle] = signs.mark
    line[place(estimate)] = signs.live
    return "".join(line)


def reach_of(lower: float, upper: float, margin: float) -> float:
    """What the ends of a line have to stand for, so that an interval and its margin are seen."""
    known = [abs(bound) for bound in (lower, upper) if isfinite(bound)]
    return max([margin * 1.25, *(bound * 1.05 for bound in known)], default=0.0)
