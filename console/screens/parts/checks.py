"""The health panel: what is wrong comes first and in full, with what to do; what is well needs one line altogether."""

from __future__ import annotations

from collections.abc import Sequence

from console.screens.parts.lines import Lines
from console.views.health import Check
from console.views.tone import SEVERITY, Tone
from widgets.text.line_widget import Span
from widgets.text.wrap import wrap_words

_NAME = 10
"""Cells of a check's name, with the blank behind the longest of them."""
_INDENT = _NAME + 3
_MOST_LINES_EACH = 3

CheckLine = tuple[Span, ...]


class CheckList(Lines):
    """The checks, laid out anew when they differ or the panel's size does."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._checks: tuple[Check, ...] = ()
        self._last: CheckLine = ()

    def tell(self, checks: tuple[Check, ...], last: CheckLine = ()) -> None:
        """Show these checks, and a line below them."""
        if (checks, last) != (self._checks, self._last):
            self._checks, self._last = checks, last
            self._lay_out()

    def on_resize(self) -> None:
        """There is more room, or less."""
        self._lay_out()

    def _lay_out(self) -> None:
        width, height = self.content_size
        below = [self._last] if self._last else []
        self.show([*check_lines(self._checks, width, height - len(below)), *below])


def check_lines(checks: Sequence[Check], width: int, height: int) -> list[CheckLine]:
    """The checks in a panel.

    Args:
        checks: in their own order.
        width, height: cells inside the panel; where one line for each check fits and nothing is wrong, each has one.
    """
    wrong = sorted((check for check in checks if check.tone in SEVERITY), key=lambda check: -SEVERITY[check.tone])
    if not wrong:
        return _well(checks, width, height)
    lines: list[CheckLine] = []
    for check in wrong:
        lines += _in_full(check, width)
    room = max(0, height - len(lines))
    well = [check for check in checks if check not in wrong]
    if len(well) <= room:
        return lines + [_one_line(check) for check in well]
    if len(lines) < height:
        lines += _by_name(well, width)
    if len(lines) > height > 0:
        more = len(lines) - height + 1
        lines = [*lines[: height - 1], ((f"   … {more} lines more", Tone.MUTED.value),)]
    return lines


def _well(checks: Sequence[Check], width: int, height: int) -> list[CheckLine]:
    """Nothing is wrong: as many checks in words as there is room for, the others by name."""
    for in_words in range(len(checks), 0, -1):
        lines = [_one_line(check) for check in checks[:in_words]]
        if in_words < len(checks):
            lines += _by_name(checks[in_words:], width)
        if len(lines) <= height:
            return lines
    return _by_name(checks, width)


def _by_name(checks: Sequence[Check], width: int) -> list[CheckLine]:
    """Checks that need no words, as many to a line as fit."""
    lines: list[list[Span]] = [[]]
    left = width
    for check in checks:
        if (needed := len(check.name) + 3) > left and lines[-1]:
            lines.append([])
            left = width
        lines[-1] += [(f" {check.glyph} ", check.tone.value), (check.name, "dim")]
        left -= needed
    return [tuple(line) for line in lines]


def _one_line(check: Check) -> CheckLine:
    tone = "" if check.tone is Tone.GOOD else check.tone.value
    return ((f" {check.glyph} ", check.tone.value), (f"{check.name:<{_NAME}}", "dim"), (check.text, tone))


def _in_full(check: Check, width: int) -> list[CheckLine]:
    room = max(8, width - _INDENT - 1)
    first, *further = wrap_words(check.text, room)[:_MOST_LINES_EACH]
    head = (
        (f" {check.glyph} ", f"{check.tone.value} bold"),
        (f"{check.name:<{_NAME}}", "dim"),
        (first, check.tone.value),
    )
    lines: list[CheckLine] = [head, *(((" " * _INDENT, ""), (line, check.tone.value)) for line in further)]
    if check.hint:
        lines += [((" " * _INDENT, ""), (line, "dim")) for line in wrap_words(check.hint, room)[:2]]
    return lines


def glyph_line(checks: Sequence[Check]) -> CheckLine:
    """All checks on one line: the worst one in words and how many more there are; else every sign."""
    wrong = sorted((check for check in checks if check.tone in SEVERITY), key=lambda check: -SEVERITY[check.tone])
    if not wrong:
        return ((" ", ""), *(s for c in checks for s in ((f"{c.glyph} ", c.tone.value), (f"{c.name}  ", "dim"))))
    more: CheckLine = ((f"   and {len(wrong) - 1} more", wrong[0].tone.value),) if len(wrong) > 1 else ()
    return (*_one_line(wrong[0]), *more)
