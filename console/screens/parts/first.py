"""The first decisions after a switch, laid out to be read."""

from __future__ import annotations

from console.views.first import FirstView
from console.views.tone import Tone
from widgets.text.line_widget import Span
from widgets.text.plain import fit, width_of
from widgets.text.wrap import wrap_words

_TIME = 8
_OTHERS = 26
"""Cells of the number, the time, how long it took, and the blanks between."""


def first_lines(told: FirstView, width: int) -> list[list[Span]]:
    """A line or two for each decision: number, time, what, profit or loss, and why below it.

    Args:
        told: the list.
        width: cells that a line may take.
    """
    lines: list[list[Span]] = []
    money = max((width_of(row.pnl) for row in told.rows), default=0)
    room = max(8, width - money - _OTHERS)
    for number, row in enumerate(told.rows, 1):
        what = f"{row.kind} {row.outcome}"
        lines.append(
            [
                (f" {number:>2}  ", "dim"),
                (f"{row.time:<{_TIME}}  ", "dim"),
                (fit(what, room), ""),
                (f"  {row.pnl:>{money}}", row.pnl_tone.value),
                (f"  {row.latency:>7}", "dim"),
            ]
        )
        lines += [[(f"     {line}", "dim")] for line in wrap_words(row.reasoning, width - 6)[:1] if line]
    if told.rows:
        lines.append([])
    for note in told.notes:
        lines += [[(f" {line}", Tone.MUTED.value)] for line in wrap_words(note, width - 2)]
    return lines
