"""From columns of pixels to characters: fine braille for the first series, blocks for the second."""

from __future__ import annotations

from collections.abc import Sequence

from widgets.charts.binning import Bin

Cell = tuple[int, int, str]
"""Column, row (0 is the lowest), character."""

_DOTS = ((0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08))
"""The bits of a braille cell's left and right column, from the lowest dot up."""

_RUNS = tuple(tuple(tuple(sum(dots[low : high + 1]) for high in range(4)) for low in range(4)) for dots in _DOTS)
"""The bits of a vertical run within a cell: by column, lowest dot, highest dot."""


def runs_of(cells: dict[tuple[int, int], int], x: int, first: int, last: int) -> None:
    """Set the dots of a vertical run in braille cells by column and row (0 is the lowest).

    Args:
        cells: which dots are set, by cell; added to.
        x: the column of dots, two to a cell.
        first, last: the lowest and the highest dot, four to a cell; nothing where `last` lies below `first`.
    """
    runs, column = _RUNS[x & 1], x >> 1
    lowest, highest = first >> 2, last >> 2
    for row in range(lowest, highest + 1):
        bits = runs[first & 3 if row == lowest else 0][last & 3 if row == highest else 3]
        if bits:
            cells[column, row] = cells.get((column, row), 0) | bits


def braille_cells(bins: Sequence[Bin | None], low: float, high: float, height: int) -> list[Cell]:
    """The cells of a line drawn in braille, two columns of bins to a cell and four pixels to its height."""
    top = height * 4 - 1
    scale = top / (high - low)
    cells: dict[tuple[int, int], int] = {}
    for x, found in enumerate(bins):
        if found is None:
            continue
        first = min(top, max(0, round((found.low - low) * scale)))
        last = min(top, max(0, round((found.high - low) * scale)))
        runs, column = _RUNS[x & 1], x >> 1
        lowest, highest = first >> 2, last >> 2
        for row in range(lowest, highest + 1):
            bits = runs[first & 3 if row == lowest else 0][last & 3 if row == highest else 3]
            cells[column, row] = cells.get((column, row), 0) | bits
    return [(column, row, chr(0x2800 + bits)) for (column, row), bits in cells.items()]


_QUADRANTS = " ▖▘▌▗▄▚▙▝▞▀▛▐▟▜█"
"""By bits: 1 lower left, 2 upper left, 4 lower right, 8 upper right."""


def block_cells(bins: Sequence[Bin | None], low: float, high: float, height: int) -> list[Cell]:
    """The cells of a line drawn in quadrants, two columns of bins to a cell and two pixels to its height."""
    top = height * 2 - 1
    scale = top / (high - low)
    cells: dict[tuple[int, int], int] = {}
    for x, found in enumerate(bins):
        if found is None:
            continue
        first = min(top, max(0, round((found.low - low) * scale)))
        last = min(top, max(0, round((found.high - low) * scale)))
        for pixel in range(first, last + 1):
            key = x >> 1, pixel >> 1
            cells[key] = cells.get(key, 0) | (1 << (pixel & 1)) << 2 * (x & 1)
    return [(column, row, _QUADRANTS[bits]) for (column, row), bits in cells.items()]


def point_cells(bins: Sequence[Bin | None], low: float, high: float, height: int, sign: str) -> list[Cell]:
    """The cells of a line drawn with one sign, two columns of bins to a cell."""
    scale = (height - 1) / (high - low)
    cells: dict[tuple[int, int], None] = {}
    for x, found in enumerate(bins):
        if found is None:
            continue
        first = min(height - 1, max(0, round((found.low - low) * scale)))
        last = min(height - 1, max(0, round((found.high - low) * scale)))
        for row in range(first, last + 1):
            cells[x >> 1, row] = None
    return [(column, row, sign) for column, row in cells]
