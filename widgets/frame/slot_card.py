"""The box of one slot: who it is, what it does, and its figures, which never move while they change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from textual.reactive import reactive

from widgets.charts.sparkline import spark
from widgets.text.glyphs import glyphs, is_ascii
from widgets.text.line_widget import LineWidget, Span
from widgets.text.plain import fit, plain, width_of


class Field(NamedTuple):
    """One figure of a slot.

    Args:
        label: its name, in grey.
        value: as shown.
        tone: the value's tone.
        width: cells kept for the value, so that its neighbours stay where they are; a longer one takes what it has.
    """

    label: str
    value: str
    tone: str = ""
    width: int = 0


class SlotCardData(NamedTuple):
    """What a slot's box says.

    Args:
        slot: "blue" or "green"; its colour, and its name in capitals.
        version: e.g. "v2.4.0"; empty where unknown.
        role: one word or two in capitals: ACTIVE, STANDBY, CANARY 20 %, HALTED, ABSENT.
        role_tone: the role's tone; empty for the slot's own colour.
        active: whether it may act; chooses ■ or □.
        lines: figures, line by line.
        pnl: what the sparkline draws, oldest first; empty for none.
        pnl_label, pnl_text, pnl_tone: what stands before it.
        note: a warning for the bottom line of the frame; empty for none.
        below: money in other words or currencies, line by line, under the sparkline's.
        compact: figures of the short form, line by line, under its head; the sparkline takes what the first leaves.
    """

    slot: str
    version: str = ""
    role: str = ""
    role_tone: str = ""
    active: bool = False
    lines: tuple[tuple[Field, ...], ...] = ()
    pnl: tuple[float, ...] = ()
    pnl_label: str = "PnL"
    pnl_text: str = ""
    pnl_tone: str = ""
    note: str = ""
    below: tuple[tuple[Field, ...], ...] = ()
    compact: tuple[tuple[Field, ...], ...] = ()


_LOUD = ("bad", "warn")
_COMPACT_SPARK = 16
_LEAST_SPARK = 4
"""Cells of a sparkline in the short form: where fewer are left, there is none."""


class SlotCard(LineWidget):
    """One slot, as a box, or as three lines: who it is and what it does, its money, its doubts."""

    DEFAULT_CSS = """
    SlotCard { height: 8; width: 1fr; }
    SlotCard.-compact { height: 3; }
    """

    compact = reactive(False, init=False)

    def __init__(self, data: SlotCardData, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._data = data
        self._lines: list[list[Span]] = []
        self._lines_of: tuple[object, ...] = ()

    @property
    def data(self) -> SlotCardData:
        """What is shown."""
        return self._data

    def show(self, data: SlotCardData) -> None:
        """Show this; only the lines that differ are repainted."""
        if data == self._data:
            return
        before = self._all_lines(self.content_size.width)
        self._data = data
        for y, (old, new) in enumerate(zip(before, self._all_lines(self.content_size.width), strict=True)):
            if new != old:
                self.refresh_line(y)

    def begin(self, *, compact: bool) -> None:
        """The form to begin with, before it is mounted."""
        self.set_reactive(SlotCard.compact, compact)
        self.set_class(compact, "-compact", update=False)

    def watch_compact(self, compact: bool) -> None:
        self.set_class(compact, "-compact")
        self.refresh(layout=True)

    def spans_of_line(self, y: int, width: int) -> tuple[Sequence[Span], str]:
        lines = self._all_lines(width)
        spans = lines[y] if y < len(lines) else []
        if self._stale:
            spans = [(text, "stale") for text, _ in spans]
        return spans, ""

    def _all_lines(self, width: int) -> list[list[Span]]:
        """Every line; made once for the same data and size."""
        height = self.content_size.height
        drawn_of = (self._data, width, height, self.compact, is_ascii())
        if drawn_of != self._lines_of:
            inner = [] if self.compact else _aligned(self._data.lines, width - 4)
            self._lines = [
                self._compact_line(y, width) if self.compact else self._box_line(y, width, height, inner)
                for y in range(height)
            ]
            self._lines_of = drawn_of
        return self._lines

    def _head(self, room: int = 1 << 16) -> list[Span]:
        """Slot, version and role; where there is no room for all, the version goes: who acts is what matters.

        The role of a side that acts, or that nobody would expect, stands on a ground of its own.
        """
        data, signs = self._data, glyphs()
        sign = signs.active if data.active else signs.standby
        loud = data.active or data.role_tone in _LOUD
        ground = " reverse" if loud else ""
        slot = (f" {sign} {plain(data.slot).upper()} ", f"{data.slot} bold{' reverse' if data.active else ''}")
        version = data.version or signs.unknown
        role = f" {data.role} " if loud else data.role
        tone = f"{data.role_tone or data.slot} bold{ground}"
        head = [slot, (f" {version}  ", ""), (role, tone)]
        for shorter in ([slot, (f" {version} ", ""), (role, tone)], [slot, (" ", ""), (role, tone)]):
            if sum(width_of(text) for text, _ in head) > room:
                head = shorter
        return head

    def _compact_line(self, y: int, width: int) -> list[Span]:
        if not y:
            return _cut(self._head(width - 1), width - 1)
        lines = self._data.compact
        if y > len(lines):
            return []
        spans: list[Span] = [("   ", ""), *field_spans(_fitting(lines[y - 1], width - 4))]
        room = min(_COMPACT_SPARK, width - sum(width_of(text) for text, _ in spans) - 3)
        if y == 1 and self._data.pnl and room >= _LEAST_SPARK:
            spans += [("  ", ""), (spark(self._data.pnl, room), self._data.slot)]
        return spans

    def _box_line(self, y: int, width: int, height: int, figures: Sequence[list[Span]]) -> list[Span]:
        box, frame = glyphs().box, self._data.slot if self._data.active else "frame"
        if y == 0:
            head: list[Span] = [(f"{box[0]}{box[4]}", frame), *self._head(width - 4), (" ", "")]
            used = sum(width_of(text) for text, _ in head)
            return [*head, (box[4] * max(0, width - used - 1) + box[1], frame)]
        if y == height - 1:
            note = f" {fit(self._data.note, min(width_of(self._data.note), width - 6))} " if self._data.note else ""
            return [
                (box[2] + box[4], frame),
                (note, "warn"),
                (box[4] * max(0, width - 3 - width_of(note)) + box[3], frame),
            ]
        inner = self._inner_line(y - 1, width - 4, figures)
        used = sum(width_of(text) for text, _ in inner)
        return [(f"{box[5]} ", frame), *inner, (" " * max(0, width - 4 - used), ""), (f" {box[5]}", frame)]

    def _inner_line(self, y: int, width: int, figures: Sequence[list[Span]]) -> list[Span]:
        data = self._data
        if y < len(data.lines):
            return _cut(figures[y], width)
        if y == len(data.lines) and (data.pnl or data.pnl_text):
            label = f"{data.pnl_label} " if data.pnl_label else ""
            room = width - width_of(label) - width_of(data.pnl_text) - 2
            return _cut(
                [(label, "dim"), (data.pnl_text, data.pnl_tone), ("  " + spark(data.pnl, min(40, room)), data.slot)],
                width,
            )
        at = y - len(data.lines) - bool(data.pnl or data.pnl_text)
        return _cut(field_spans(data.below[at]), width) if 0 <= at < len(data.below) else []


def field_spans(fields: Sequence[Field]) -> list[Span]:
    """Labels in grey and values in their tones, each value in the cells kept for it."""
    spans: list[Span] = []
    for index, field in enumerate(fields):
        if index:
            spans.append(("  ", ""))
        if field.label:
            spans.append((f"{field.label} ", "dim"))
        spans.append((fit(field.value, max(field.width, width_of(field.value))), field.tone))
    return spans


def _aligned(lines: Sequence[Sequence[Field]], width: int) -> list[list[Span]]:
    """The figures of several lines, one under the other where the width allows it; a line that begins with words
    instead of a figure stands by itself.
    """
    figures = [line for line in lines if not line or line[0].label]
    count = max(map(len, figures), default=0)
    labels, values = [0] * count, [0] * count
    for line in figures:
        for index, field in enumerate(line):
            if field.label:
                labels[index] = max(labels[index], width_of(field.label) + 1)
    for line in figures:
        for index, field in enumerate(line):
            own = max(field.width, width_of(field.value)) - (0 if field.label else labels[index])
            values[index] = max(values[index], own)
    gap = 3
    while gap > 1 and sum(labels) + sum(values) + gap * (count - 1) > width:
        gap -= 1
    fits = sum(labels) + sum(values) + gap * (count - 1) <= width
    return [
        _aligned_line(line, labels, values, gap) if fits and line in figures else field_spans(_fitting(line, width))
        for line in lines
    ]


def _fitting(fields: Sequence[Field], width: int) -> Sequence[Field]:
    """The fields that fit as a whole, from the left."""
    for count in range(len(fields), 1, -1):
        if sum(width_of(text) for text, _ in field_spans(fields[:count])) <= width:
            return fields[:count]
    return fields[:1]


def _aligned_line(fields: Sequence[Field], labels: Sequence[int], values: Sequence[int], gap: int) -> list[Span]:
    spans: list[Span] = []
    for index, field in enumerate(fields):
        if index:
            spans.append((" " * gap, ""))
        if field.label:
            spans += [(fit(field.label, labels[index]), "dim"), (fit(field.value, values[index]), field.tone)]
        else:
            spans.append((fit(field.value, labels[index] + values[index]), field.tone))
    return spans


def _cut(spans: Sequence[Span], width: int) -> list[Span]:
    kept: list[Span] = []
    for text, tone in spans:
        size = width_of(text)
        if size > width:
            if width > 0:
                kept.append((fit(text, width, ellipsis=glyphs().ellipsis), tone))
            return kept
        kept.append((text, tone))
        width -= size
    return kept
