"""A frame with a title, and in its corner how old its data is."""

from __future__ import annotations

from textual.containers import Container
from textual.content import Content
from textual.geometry import Region
from textual.widget import Widget

from widgets.text.glyphs import glyphs, is_ascii, to_ascii
from widgets.text.plain import fit, plain, width_of

CORNER = 4
TITLE_EDGES = 6
"""Cells of the upper edge that are no title: two corners, a stroke and a blank on either side."""
"""Cells of the frame around a title: a blank on either side, a piece of frame, the corner."""


class Panel(Container):
    """A bordered container.

    Args:
        title: in the upper left of the frame.
        children: what it holds.
    """

    DEFAULT_CSS = """
    Panel {
        height: 1fr; width: 1fr;
        border: round $frame;
        border-title-color: $foreground;
        border-title-style: bold;
        border-title-align: left;
        border-subtitle-color: $dim-text;
        border-subtitle-align: right;
        padding: 0;
    }
    Panel:focus-within { border: round $frame-focus; border-title-color: $frame-focus; }
    Panel.-stale { border-title-color: $stale; border-subtitle-color: $warn; }
    Panel.-ascii { border: ascii $frame; }
    Panel.-ascii:focus-within { border: ascii $frame-focus; }
    Panel.zoom { width: 100%; height: 100%; }
    """

    def __init__(self, title: str, *children: Widget, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(*children, id=id, classes=classes)
        self._title = title
        self._place = ""
        self._note = ""
        self._age = ""
        self._show_title()
        self.set_class(is_ascii(), "-ascii")

    @property
    def title(self) -> str:
        """What stands in the upper left."""
        return self._title

    @title.setter
    def title(self, value: str) -> None:
        if value != self._title:
            self._title = value
            self._show_title()

    @property
    def place(self) -> str:
        """Which one it is where others are hidden behind it: "[2/5]", before the title."""
        return self._place

    @place.setter
    def place(self, value: str) -> None:
        if value != self._place:
            self._place = value
            self._show_title()

    @property
    def note(self) -> str:
        """What stands in the lower right before the age, e.g. "412 of 1,604"."""
        return self._note

    @note.setter
    def note(self, value: str) -> None:
        if value != self._note:
            self._note = value
            self._show_subtitle()

    @property
    def age(self) -> str:
        """How old the data is, in the lower right."""
        return self._age

    @age.setter
    def age(self, value: str) -> None:
        if value != self._age:
            self._age = value
            self._show_subtitle()

    @property
    def stale(self) -> bool:
        """Whether the data is too old to act on; what it holds is told by the screen."""
        return self.has_class("-stale")

    @stale.setter
    def stale(self, value: bool) -> None:
        self.set_class(value, "-stale")

    def _show_title(self) -> None:
        # straight to the rendered title: the public setter repaints the whole panel and all it holds
        text = _drawn(f"{self._place} {self._title}".lstrip())
        if is_ascii() and self.is_mounted and width_of(text) > (room := max(1, self.outer_size.width - TITLE_EDGES)):
            text = fit(text, room, ellipsis=glyphs().ellipsis)  # what is too long would be cut with a sign of its own
        self._border_title = Content(text)
        if self.is_mounted:
            self.refresh(Region(-1, -1, self.outer_size.width, 1))

    def on_resize(self) -> None:
        """What is cut depends on the width."""
        if is_ascii():
            self._show_title()

    def _show_subtitle(self) -> None:
        text = _drawn("  ".join(part for part in (self._note, self._age) if part))
        before = self._border_subtitle.cell_length if self._border_subtitle is not None else 0
        self._border_subtitle = Content(text) if text else None
        if self.is_mounted:
            changed = max(before, width_of(text)) + CORNER
            self.refresh(Region(self.outer_size.width - 1 - changed, self.outer_size.height - 2, changed, 1))


def _drawn(text: str) -> str:
    text = plain(text)
    return to_ascii(text) if is_ascii() else text
