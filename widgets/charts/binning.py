"""Series made small before they are drawn, and axes with round figures."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from math import floor, isfinite, log10
from typing import Final, NamedTuple


class Bin(NamedTuple):
    """What a series does within one column of pixels: the lowest and the highest it was there."""

    low: float
    high: float


SMALLEST: Final = 1e-200
"""A span below this has no ticks."""
LARGEST: Final = 1e15
"""What is larger than this is drawn as this."""


def bins_of(
    times: Sequence[float], values: Sequence[float], start: float, end: float, columns: int
) -> list[Bin | None]:
    """The series in `columns` equal steps of time from `start` to `end`.

    A peak is never lost, however many points fall into one column. Between points the value holds, as a running total
    does, and neighbouring columns always touch; before the first point and after the last there is nothing. Values that
    are not finite are left out.

    Args:
        times: epoch seconds, rising.
        values: as many.
        start, end: epoch seconds, `end` after `start`.
        columns: at least 1.
    """
    if not isfinite(sum(values)):
        known = [(time, value) for time, value in zip(times, values, strict=False) if isfinite(value)]
        times, values = [time for time, _ in known], [value for _, value in known]
    size = min(len(times), len(values))
    if not size or end <= start:
        return [None] * columns
    step = (end - start) / columns
    edges = [bisect_left(times, start + step * column, 0, size) for column in range(columns)]
    edges.append(bisect_right(times, end, 0, size))
    bins: list[Bin | None] = []
    last: float | None = max(-LARGEST, min(values[edges[0] - 1], LARGEST)) if edges[0] else None
    for first, after in pairwise(edges):
        if first < after:
            part = values[first:after]
            low, high = max(min(part), -LARGEST), min(max(part), LARGEST)
            if last is not None:
                low, high = min(low, last), max(high, last)
            last = max(-LARGEST, min(part[-1], LARGEST))
            bins.append(Bin(low, high))
        elif last is not None and first < size:
            bins.append(Bin(last, last))
        else:
            bins.append(None)
    return bins


def value_ticks(low: float, high: float, most: int) -> list[tuple[float, str]]:
    """Round values between `low` and `high`, at most `most` of them, with their labels."""
    span = high - low
    if most < 1 or span < SMALLEST or not isfinite(span):
        return []
    raw = span / most
    power = 10.0 ** floor(log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10, 20) if power * factor >= raw)
    digits = max(0, -floor(log10(step) + 1e-9) + (1 if round(step / power, 1) == 2.5 else 0))
    first = -floor(-low / step + 1e-9)
    ticks = []
    for index in range(first, first + most + 2):
        value = index * step
        if value > high + step * 1e-9:
            break
        ticks.append((value, signed(value, digits)))
    return ticks[: most + 1]


def at_least(low: float, high: float, least: int, most: int) -> list[tuple[float, str]]:
    """Round values as `value_ticks` makes them: at least so many, where `most` rows have room for them."""
    for wanted in range(least, max(least, most) + 1):
        ticks = value_ticks(low, high, wanted)
        if len(ticks) >= least:
            return ticks if len(ticks) <= most else value_ticks(low, high, max(1, least - 1))
    return value_ticks(low, high, max(1, min(least, most)))


def signed(value: float, digits: int = 2) -> str:
    """A value with its sign and thousands apart: `+1,204.50`, `−18.02`, `0`."""
    text = f"{abs(value):,.{digits}f}"
    if not any(char in "123456789" for char in text):
        return text
    return ("+" if value > 0 else "−") + text


def digits_of(value: float) -> int:
    """The decimals a value is written with: two, or as many as show two figures of a small one."""
    return 2 if not value or abs(value) >= 0.1 or not isfinite(value) else min(18, 1 - floor(log10(abs(value))))


_STEPS_S = (1, 5, 10, 30, 60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)


def time_ticks(start: float, end: float, most: int) -> list[tuple[float, str]]:
    """Round times between `start` and `end` (epoch seconds), at most about `most` of them, labelled in UTC."""
    if most < 1 or end <= start:
        return []
    raw = (end - start) / most
    step = next((step for step in _STEPS_S if step >= raw), 0.0) or 86400.0 * -floor(-raw / 86400)
    pattern = "%H:%M:%S" if step < 60 else "%H:%M" if step < 86400 else "%d %b"
    first = -floor(-start / step) * step
    count = floor((end - first) / step) + 1
    return [
        (first + index * step, datetime.fromtimestamp(first + index * step, UTC).strftime(pattern))
        for index in range(count)
    ]
