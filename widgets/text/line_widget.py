"""The base of everything here that draws: lines of plain text with tones, painted segment by segment.

Nothing below this parses markup, lays out text or asks for a layout, so a repaint costs what its lines cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from widgets.text.glyphs import is_ascii, to_ascii
from widgets.text.palette import palette_of
from widgets.text.plain import fit, plain, width_of

Span = tuple[str, str]
"""Text and its tone."""


class LineWidget(Widget):
    """A widget drawn line by line; subclasses implement `spans_of_line`."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes, markup=False)
        self._base: Style | None = None
        self._base_theme = ""
        self._stale = False

    @property
    def stale(self) -> bool:
        """Whether the data is old and drawn grey."""
        return self._stale

    @stale.setter
    def stale(self, value: bool) -> None:
        if value != self._stale:
            self._stale = value
            self.refresh()

    def notify_style_update(self) -> None:
        self._base = None
        super().notify_style_update()

    def style_of(self, tone: str, band: str = "") -> Style:
        """The style of a tone on this widget's own background."""
        if self._base is None or self._base_theme != self.app.theme:
            self._base = self.rich_style
            self._base_theme = self.app.theme
        return self._base + palette_of(self.app).style(tone, band)

    def strip_of(self, spans: Iterable[Span], width: int, band: str = "", fill: str = "") -> Strip:
        """The spans as one line of exactly `width` cells; neighbours of one tone become one segment.

        Args:
            spans: text and tone, left to right; what doesn't fit is cut.
            width: cells.
            band: the background the whole line stands on.
            fill: the tone of the rest of the line.
        """
        segments: list[Segment] = []
        ascii_only = is_ascii()
        left = width
        text, tone = "", ""
        for part, part_tone in spans:
            if not part or left <= 0:
                continue
            part = plain(part)
            if ascii_only:
                part = to_ascii(part)
            size = len(part) if part.isascii() else width_of(part)
            if size > left:
                part = fit(part, left, ellipsis="~" if ascii_only else "…")
                size = left
            left -= size
            if part_tone == tone:
                text += part
            else:
                if text:
                    segments.append(Segment(text, self.style_of(tone, band)))
                text, tone = part, part_tone
        if left > 0:
            if tone == fill:
                text += " " * left
            else:
                if text:
                    segments.append(Segment(text, self.style_of(tone, band)))
                text, tone = " " * left, fill
        if text:
            segments.append(Segment(text, self.style_of(tone, band)))
        return Strip(segments, width)

    def spans_of_line(self, y: int, width: int) -> tuple[Sequence[Span], str]:
        """What line `y` shows: its spans, and the band it stands on."""
        return (), ""

    def render_line(self, y: int) -> Strip:
        width = self.content_size.width
        spans, band = self.spans_of_line(y, width)
        return self.strip_of(spans, width, band)

    def refresh_line(self, y: int, x: int = 0, width: int | None = None) -> None:
        """Repaint one line of the content, or a part of it."""
        self.refresh(Region(x, y, self.content_size.width - x if width is None else width, 1))
