"""Columns of a list: fixed widths, one that takes the rest, and cells that never move while their values change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal, NamedTuple

from widgets.text.glyphs import glyphs
from widgets.text.line_widget import Span
from widgets.text.plain import fit, fit_ends, plain

Align = Literal["left", "right", "center"]

GUTTER = 1
"""Cells between columns, and before the first."""


class Column(NamedTuple):
    """One column.

    Args:
        title: shown above it; a list whose titles are all empty has no header line.
        width: cells; 0 for the one column that takes what is left.
        align: where a cell's text stands.
        tone: the tone of its cells; empty for the row's tone.
        priority: on a terminal too narrow for all, the column with the highest number goes first; 0 never goes.
        most: cells up to which it grows to show its texts as a whole, where there is room to spare; 0 for `width`.
        ends: whether a text that must be cut is cut in the middle: for names, which often begin alike.
        whole: whether it is always as wide as its widest text, up to `most`: for amounts, of which nothing may be cut.
        name: by which it is chosen and sorted by; empty for its title. One with neither is always shown.
        falls: whether, sorted by it, the largest stands first.
        help: what it says, in one sentence, where its title does not.
        always: whether it can't be left out, since it says which row it is: keys act on that.
    """

    title: str
    width: int = 0
    align: Align = "left"
    tone: str = ""
    priority: int = 0
    most: int = 0
    whole: bool = False
    ends: bool = False
    name: str = ""
    falls: bool = False
    help: str = ""
    always: bool = False

    @property
    def known_as(self) -> str:
        """By which it is chosen and sorted by; empty where it can't be."""
        return self.name or self.title


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a column stands.

    Args:
        index: which cell of a row it shows.
        x: its first cell.
        width: its cells.
    """

    index: int
    x: int
    width: int


GROWS = 60
"""The percentage of the room to spare that columns may grow into before the flexible one takes the rest."""

MIN_FLEXIBLE = 12
"""The cells the flexible column should have before other columns give way."""


def place(
    columns: Sequence[Column], width: int, needs: Sequence[int] = (), chosen: Sequence[int] | None = None
) -> tuple[Placed, ...]:
    """Where the columns stand on a line of `width` cells; those that don't fit, least important first, are left out.

    Args:
        columns: as declared.
        width: cells of the line.
        needs: the cells of each column's widest text; empty where nothing grows.
        chosen: those that are shown, in this order; None for all, as declared.
    """
    shown = list(range(len(columns)) if chosen is None else chosen)
    wanted = [
        min(max(column.most, column.width), max(column.width, need)) if column.most else column.width
        for column, need in zip(columns, needs or [0] * len(columns), strict=True)
    ]
    sizes = [want if column.whole else column.width for column, want in zip(columns, wanted, strict=True)]
    while True:
        fixed = sum(sizes[index] + GUTTER for index in shown)
        flexible = any(columns[index].width == 0 for index in shown)
        if fixed + (MIN_FLEXIBLE if flexible else 0) <= width:
            break
        droppable = [index for index in shown if columns[index].priority > 0]
        if not droppable:
            break
        shown.remove(max(droppable, key=lambda index: (columns[index].priority, index)))
    spare = width - sum(sizes[index] + GUTTER for index in shown)
    if any(columns[index].width == 0 for index in shown):
        spare = (spare - MIN_FLEXIBLE) * GROWS // 100
    for index in shown:
        grown = max(0, min(spare, wanted[index] - sizes[index]))
        sizes[index] += grown
        spare -= grown
    rest = max(0, width - sum(sizes[index] + GUTTER for index in shown))
    if chosen is not None and not any(columns[index].width == 0 for index in chosen):
        # the one that took the rest was not chosen: the last text that may grow takes it
        longest = [index for index in shown if columns[index].most and columns[index].align == "left"]
        if longest:
            sizes[longest[-1]] += rest
    placed = []
    x = GUTTER
    for index in shown:
        size = sizes[index] if columns[index].width else rest
        placed.append(Placed(index, x, size))
        x += size + GUTTER
    return tuple(placed)


def spans_of(
    columns: Sequence[Column],
    placed: Sequence[Placed],
    cells: Sequence[str],
    tone: str = "",
    tones: Sequence[str] = (),
    shift: int = 0,
) -> list[Span]:
    """A row's cells, each cut or padded to its column.

    Args:
        columns: as declared.
        placed: as `place` returned it.
        cells: the row's texts; missing ones are empty, surplus ones are not shown.
        tone: the row's.
        tones: one for each cell; empty ones give way to the column's, then the row's.
        shift: how many characters of the flexible column are scrolled out on the left.
    """
    ellipsis = glyphs().ellipsis
    spans: list[Span] = []
    for spot in placed:
        column = columns[spot.index]
        cell = cells[spot.index] if spot.index < len(cells) else ""
        own = tones[spot.index] if spot.index < len(tones) else ""
        if shift and column.width == 0:
            cell = plain(cell)[shift:]
        fitted = fit_ends(cell, spot.width, ellipsis) if column.ends else fit(cell, spot.width, column.align, ellipsis)
        spans.append((" " * GUTTER + fitted, own or column.tone or tone))
    return spans


def header_spans(columns: Sequence[Column], placed: Sequence[Placed]) -> list[Span]:
    """The titles above the columns."""
    ellipsis = glyphs().ellipsis
    return [
        (" " * GUTTER + fit(columns[spot.index].title, spot.width, columns[spot.index].align, ellipsis), "dim")
        for spot in placed
    ]


def changed_cells(placed: Sequence[Placed], before: Sequence[str], after: Sequence[str]) -> tuple[int, int] | None:
    """The first cell and the number of cells of the part of a line in which two rows differ; None where they don't."""
    pairs = zip_longest(before, after, fillvalue="")
    differing = {index for index, (old, new) in enumerate(pairs) if old != new}
    spots = [spot for spot in placed if spot.index in differing]
    if not spots:
        return None
    start = spots[0].x - GUTTER
    return start, spots[-1].x + spots[-1].width - start
