"""How much of something is used or reached, as a thin line of a fixed number of cells."""

from __future__ import annotations

from math import isfinite

from widgets.text.line_widget import Span

USED, LEFT = "━", "─"


def bar_spans(fraction: float, width: int, tone: str = "accent") -> list[Span]:
    """The bar: what is used heavy, the rest light; anything used at all is seen, and so is anything left.

    Args:
        fraction: 0 to 1; what lies beyond is drawn as its end, what is no number as nothing used.
        width: cells, 0 or more.
        tone: of the used part.
    """
    share = min(max(fraction, 0.0), 1.0) if isfinite(fraction) else 0.0
    used = round(share * width)
    if 0.0 < share < 1.0 and width > 1:
        used = min(max(used, 1), width - 1)
    return [(USED * used, tone), (LEFT * (width - used), "frame")]
