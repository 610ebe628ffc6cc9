"""Two things side by side, field by field; what differs is marked by a sign and a word, never by colour alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events

from widgets.text.glyphs import glyphs
from widgets.text.line_widget import LineWidget, Span
from widgets.text.plain import fit, width_of
from widgets.text.wrap import wrap_words

NOTED = 104
"""From this width on there is a column for the notes; below it they stand under the names."""
NOTE = 22
MOST_NAME = 30
NARROW_NAME = 16
MOST_LINES = 12
"""Lines that one field may take."""


@dataclass(frozen=True, slots=True)
class SideRow:
    """One field.

    Args:
        sign, tone: of a field that differs; both empty for one that is the same.
        name: of the field.
        left, right: what either has.
        note: how they differ, in words.
    """

    sign: str
    tone: str
    name: str
    left: str
    right: str
    note: str = ""


class SideBySide(LineWidget):
    """The fields, as many lines as they take at this width.

    Args:
        titles: above the two sides.
        rows: the fields.
    """

    DEFAULT_CSS = """
    SideBySide { height: 1; width: 1fr; }
    """

    def __init__(self, titles: tuple[str, str], rows: Sequence[SideRow], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._titles = titles
        self._rows = tuple(rows)
        self._lines: list[list[Span]] = []
        self._width = -1

    def on_resize(self, event: events.Resize) -> None:
        if event.size.width != self._width:
            self._width = event.size.width
            self._lines = side_lines(self._titles, self._rows, self._width)
            self.styles.height = len(self._lines)
            self.refresh()

    def spans_of_line(self, y: int, width: int) -> tuple[Sequence[Span], str]:
        return (self._lines[y], "") if y < len(self._lines) else ((), "")


def side_lines(titles: tuple[str, str], rows: Sequence[SideRow], width: int) -> list[list[Span]]:
    """The fields in lines of at most `width` cells, at least 40."""
    width = max(40, width)
    noted = NOTE if width >= NOTED and any(row.note for row in rows) else 0
    longest = max((width_of(row.name) for row in rows), default=0)
    name = min(max(longest, 10), MOST_NAME) if width >= NOTED else NARROW_NAME
    half = (width - 3 - name - 1 - 3 - (noted + 1 if noted else 0) - 1) // 2
    bar = glyphs().box[5]
    left, right = (fit(title, half) for title in titles)
    head: list[Span] = [(f"   {' ' * name} ", ""), (left, "dim"), (f" {bar} ", "frame"), (right, "dim")]
    lines = [head]
    for row in rows:
        lines += _row_lines(row, name, half, noted, bar)
    return lines


def _row_lines(row: SideRow, name: int, half: int, noted: int, bar: str) -> list[list[Span]]:
    names = wrap_words(row.name, name)
    under = [] if noted or not row.note else wrap_words(row.note, name)
    left, right = _cut(wrap_words(row.left, half)), _cut(wrap_words(row.right, half))
    notes = wrap_words(row.note, noted) if noted and row.note else []
    ours, theirs = ("", row.tone) if row.sign else ("dim", "dim")
    lines: list[list[Span]] = []
    for number in range(max(len(names) + len(under), len(left), len(right), len(notes))):
        sign = f" {row.sign or ' '} " if number == 0 else "   "
        own = names[number] if number < len(names) else ""
        below = under[number - len(names)] if 0 <= number - len(names) < len(under) else ""
        line: list[Span] = [
            (sign, row.tone),
            (fit(own or below, name) + " ", row.tone if own else "dim"),
            (fit(left[number] if number < len(left) else "", half), ours),
            (f" {bar} ", "frame"),
            (fit(right[number] if number < len(right) else "", half), theirs),
        ]
        if noted:
            line.append((" " + (notes[number] if number < len(notes) else ""), "dim"))
        lines.append(line)
    return lines


def _cut(lines: list[str]) -> list[str]:
    return lines if len(lines) <= MOST_LINES else [*lines[: MOST_LINES - 1], "…"]
