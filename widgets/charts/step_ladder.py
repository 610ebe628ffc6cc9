"""A ladder of steps, left to right: what is behind, where one stands, what is ahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from widgets.text.glyphs import glyphs
from widgets.text.line_widget import LineWidget, Span
from widgets.text.plain import fit, width_of

MIN_RUNG = 13
"""Cells that a step needs; of a ladder with more steps than fit, those round the present one are drawn."""
HEAD_LINES = 2
"""The names and the rail, above what is said of each step."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One step.

    Args:
        name: e.g. "20 %".
        place: "past", "here", "ahead" or "failed".
        sign, tone: say the same.
        notes: what is said of it, line by line.
    """

    name: str
    place: str
    sign: str
    tone: str
    notes: tuple[str, ...] = ()


class StepLadder(LineWidget):
    """The ladder; its height is that of the notes and two lines more."""

    DEFAULT_CSS = """
    StepLadder { height: 5; width: 1fr; }
    """

    def __init__(self, rungs: Sequence[Rung] = (), *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._rungs = tuple(rungs)

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """What is drawn."""
        return self._rungs

    def show(self, rungs: Sequence[Rung]) -> None:
        """Draw these instead; only the lines that differ are repainted."""
        after = tuple(rungs)
        if after == self._rungs:
            return
        width, height = self.content_size
        before = ladder_lines(self._rungs, width, height)
        self._rungs = after
        for y, (old, new) in enumerate(zip(before, ladder_lines(after, width, height), strict=True)):
            if old != new:
                self.refresh_line(y)

    def spans_of_line(self, y: int, width: int) -> tuple[Sequence[Span], str]:
        spans = ladder_lines(self._rungs, width, self.content_size.height)[y]
        return ([(text, "stale") for text, _ in spans] if self._stale else spans), ""


def ladder_lines(rungs: Sequence[Rung], width: int, height: int) -> list[list[Span]]:
    """The ladder in exactly `height` lines.

    Args:
        rungs: lowest first.
        width: cells.
        height: lines; what doesn't fit is left out from below.
    """
    lines: list[list[Span]] = [[] for _ in range(height)]
    shown, first = _window(rungs, max(1, (width - 1) // MIN_RUNG))
    if not shown or height < 1:
        return lines
    size = (width - 1) // len(shown)
    more_before, more_after = first > 0, first + len(shown) < len(rungs)
    for line in lines:
        line.append((" ", ""))
    signs = glyphs()
    for index, rung in enumerate(shown):
        here = rung.place == "here"
        name = f"[{rung.name}]" if here else rung.name
        tone = {"here": "strong", "past": "", "failed": "bad bold"}.get(rung.place, "dim")
        head = fit(name, min(width_of(name), size - 3), ellipsis=signs.ellipsis)
        lines[0] += [(f"{rung.sign} ", rung.tone), (head, tone), (" " * max(0, size - 2 - width_of(head)), "")]
        if height > 1:
            last = index == len(shown) - 1
            after = shown[index + 1].place if not last else "ahead" if more_after else ""
            lines[1] += _rail(rung, after, size)
        for y, note in enumerate(rung.notes[: max(0, height - HEAD_LINES)], HEAD_LINES):
            lines[y].append((fit(note, size - 1, ellipsis=signs.ellipsis) + " ", "" if here else "dim"))
        for y in range(HEAD_LINES + len(rung.notes), height):
            lines[y].append((" " * size, ""))
    if more_before and height > 1:
        lines[1][0] = (signs.ellipsis, "dim")
    return lines


def _rail(rung: Rung, after: str, size: int) -> list[Span]:
    """A step's sign on the rail, and the rail up to the next step; heavy where the next one was reached."""
    signs = glyphs()
    node = {"past": (signs.live, "ok"), "here": (signs.active, "strong"), "failed": (signs.bad, "bad")}.get(
        rung.place, ("○", "dim")
    )
    if not after:
        return [node, (" " * (size - 1), "")]
    reached = after in ("past", "here", "failed")
    return [node, (("━" if reached else "─") * (size - 1), "ok" if reached else "frame")]


def _window(rungs: Sequence[Rung], most: int) -> tuple[Sequence[Rung], int]:
    """As many steps as fit, the present one among them, and the place of the first."""
    if len(rungs) <= most:
        return rungs, 0
    here = next((at for at, rung in enumerate(rungs) if rung.place in ("here", "failed")), 0)
    first = min(max(0, here - most // 2), len(rungs) - most)
    return rungs[first : first + most], first
